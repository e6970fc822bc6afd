"""Find reviewers who write suspiciously many reviews in a sliding window of event time: a Managed Flink application.

Reads JSON reviews from one Kinesis stream, counts the distinct reviews of each reviewer in a sliding (hopping) window,
keeps the counts above a threshold and writes them to another stream. A second statement over the same source writes
the groups that burst together to a stream of their own. Everything that may change comes from the application's
runtime properties:

    group               key                           needed  default
    consumer.config.0   aws.region                    yes
                        input.stream.name             yes
                        scan.stream.initpos           no      LATEST
                        aws.endpoint                  no      the region's own
                        getrecords.interval.millis    no      200
                        idle.timeout.seconds          no      0 (a shard without records holds the watermark)
    producer.config.0   aws.region                    yes
                        output.stream.name            yes
                        shard.count                   no      (named by the lab; shards are not set from here)
                        aws.endpoint                  no      the region's own
                        flush.buffer.millis           no      100
    producer.config.1   the same three                no      (without this group no groups are looked for)
    window.config.0     window.size.seconds           no      60
                        window.slide.seconds          no      30
                        threshold                     no      1 (keep movie_count > threshold)
                        watermark.delay.seconds       no      5
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyflink.table import EnvironmentSettings, StatementSet, TableEnvironment
from pyflink.util.exceptions import JavaException

HERE = Path(__file__).resolve().parent
# Managed Flink puts the runtime properties here; IS_LOCAL in the environment takes the file beside this script.
PROPERTIES_FILE = Path("/etc/flink/application_properties.json")
LOCAL_PROPERTIES_FILE = HERE / "application_properties.json"

# The one grammar of event_time: UTC without offset, a space for the T and up to nine decimals as one likes; days of the
# calendar (Flink takes 30 February for the 28th) of 1970 to 2099, so that no 9999-12-31 moves the watermark.
EVENT_TIME = (
    "^"
    "((19[7-9]|20[0-9])[0-9]-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))|(19([79][26]|8[048])|20([02468][048]|[13579][26]))-02-29)"
    "[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?$"
)

CONSUMER, PRODUCER, WINDOW = "consumer.config.0", "producer.config.0", "window.config.0"
GROUPS = "producer.config.1"

# The fields of a review that a query may name beside review_id, reviewer and event_time.
FIELDS = {
    "movie": "STRING", "rating": "STRING", "review_summary": "STRING", "review_date": "STRING", "spoiler_tag": "INT",
    "review_detail": "STRING", "helpful": "STRING",
}  # fmt: skip


class PropertyError(Exception):
    """Say that a runtime property is missing or cannot be used; the message names group and key."""


class SqlError(Exception):
    """Say that Flink does not take a statement: `what` names its function, `place` shows its line of SQL."""

    def __init__(self, what: str, place: str = "") -> None:
        self.what, self.place = what, place
        super().__init__(f"{what}, then package and upload it.{place}")


@dataclass(frozen=True)
class Sink:
    """Describe the stream of one output, and how to reach it."""

    stream: str
    region: str
    endpoint: str | None
    flush_millis: int


@dataclass(frozen=True)
class Settings:
    """Hold the checked runtime properties. Durations as their names say. `groups` is None where nobody wants them."""

    input_stream: str
    input_region: str
    input_endpoint: str | None
    initial_position: str
    poll_millis: int
    idle_timeout_seconds: int
    output: Sink
    groups: Sink | None
    window_seconds: int
    slide_seconds: int
    threshold: int
    watermark_delay_seconds: int


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """Read the property groups of an application_properties.json: group id -> key -> value."""
    try:
        groups = json.loads(path.read_text())
    except FileNotFoundError:
        raise PropertyError(
            f"There is no {path}: give the application its runtime properties, "
            "or set IS_LOCAL to use the file beside the script."
        ) from None
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}


def read_settings(groups: dict[str, dict[str, str]]) -> Settings:
    """Take what the job needs from the property groups; raises PropertyError for the first that is missing or wrong."""

    def text(group: str, key: str, default: str | None = None) -> str:
        value = groups.get(group, {}).get(key, default)
        if value is None:
            missing = f"property {key!r} is missing from group {group!r}"
            if group not in groups:
                missing = f"property group {group!r} (with {key!r}) is missing"
            raise PropertyError(f"The {missing}: add it to the application's runtime properties and start it again.")
        return value

    def number(group: str, key: str, default: int, least: int = 0) -> int:
        value = text(group, key, str(default))
        try:
            result = int(value)
        except ValueError:
            result = least - 1
        if result < least:
            raise PropertyError(
                f"The property {key!r} in group {group!r} is {value!r}: it must be a whole number of at least {least}."
            )
        return result

    def sink(group: str) -> Sink:
        return Sink(
            stream=text(group, "output.stream.name"),
            region=text(group, "aws.region"),
            endpoint=groups.get(group, {}).get("aws.endpoint"),
            flush_millis=number(group, "flush.buffer.millis", 100, least=1),
        )

    settings = Settings(
        input_stream=text(CONSUMER, "input.stream.name"),
        input_region=text(CONSUMER, "aws.region"),
        input_endpoint=groups.get(CONSUMER, {}).get("aws.endpoint"),
        initial_position=text(CONSUMER, "scan.stream.initpos", "LATEST"),
        poll_millis=number(CONSUMER, "getrecords.interval.millis", 200, least=1),
        idle_timeout_seconds=number(CONSUMER, "idle.timeout.seconds", 0),
        output=sink(PRODUCER),
        groups=sink(GROUPS) if GROUPS in groups else None,
        window_seconds=number(WINDOW, "window.size.seconds", 60, least=1),
        slide_seconds=number(WINDOW, "window.slide.seconds", 30, least=1),
        threshold=number(WINDOW, "threshold", 1),
        watermark_delay_seconds=number(WINDOW, "watermark.delay.seconds", 5),
    )
    if settings.window_seconds % settings.slide_seconds:
        raise PropertyError(
            f"The property 'window.size.seconds' in group {WINDOW!r} is {settings.window_seconds}: "
            f"it must be a multiple of 'window.slide.seconds' ({settings.slide_seconds})."
        )
    return settings


def options(**given: object) -> str:
    """Write the WITH clause of a table: the caller has put dots and dashes into the names."""
    quoted = (
        f"  '{key}' = '{str(value).replace(chr(39), chr(39) * 2)}'" for key, value in given.items() if value is not None
    )
    return ",\n".join(quoted)


def sql_of(function: Callable[[Settings], str], settings: Settings) -> str:
    """Return the SQL that a function writes; raises SqlError where it returns something else, such as None."""
    sql = function(settings)
    if not isinstance(sql, str) or not sql.strip():
        raise SqlError(f"`{function.__name__}` returned {sql!r}: return the SQL, as a text, in {Path(__file__).name}")
    return sql


def watermark(settings: Settings) -> str:
    """Write the WATERMARK clause of the table reviews: how far event time `ts` is when an event is seen.

    It stays `settings.watermark_delay_seconds` behind the newest event. (`digits` gives SECOND its precision.)
    """
    ### BEGIN SOLUTION
    delay = settings.watermark_delay_seconds
    return f"WATERMARK FOR ts AS ts - INTERVAL '{delay}' SECOND({digits(delay)})"
    ### END SOLUTION


def event_time_of(column: str) -> str:
    """Write a text column as TIMESTAMP(3) in SQL; 1970-01-01 for a text that is not of EVENT_TIME."""
    return f"""COALESCE(
    CASE WHEN REGEXP({column}, '{EVENT_TIME}') THEN TRY_CAST(REPLACE({column}, 'T', ' ') AS TIMESTAMP(3)) END,
    TIMESTAMP '1970-01-01 00:00:00.000')"""


def source_table(settings: Settings, time_attribute: str, queries: str = "") -> str:
    """Write CREATE TABLE reviews, a row a review. `time_attribute` is the watermark's clause, `queries` will read it.

    Declared are the fields the queries name; the JSON format skips the others, which makes the job a fifth faster.

    ``event_time`` stays a string and the time attribute is computed from it, so that one record that does not keep to
    EVENT_TIME neither kills the job for ever nor moves the watermark. Such a row gets the year 1970 and is filtered
    out; notebook 04 counts every record of the stream and shows those it could not read.

    The ``uniform`` shard assigner gives each subtask its own shards. With as many subtasks as shards, the watermark is
    taken shard by shard and nothing is late that was in order.
    """
    named = "".join(f"  {field} {kind},\n" for field, kind in FIELDS.items() if re.search(rf"\b{field}\b", queries))
    return f"""
CREATE TABLE reviews (
  review_id STRING,
  reviewer STRING,
{named}  event_time STRING,
  ts AS {event_time_of("event_time")}{"," if time_attribute else ""}
  {time_attribute}
) WITH (
{
        options(
            **{
                "connector": "kinesis",
                "stream": settings.input_stream,
                "scan.stream.initpos": settings.initial_position,
                "scan.shard-assigner": "uniform",
                "scan.shard.getrecords.intervalmillis": settings.poll_millis,
                "scan.shard.getrecords.maxrecordcount": 10_000,
                "aws.region": settings.input_region,
                "aws.endpoint": settings.input_endpoint,
                "format": "json",
                "json.ignore-parse-errors": "true",
            }
        )
    }
)"""


def sink_table(name: str, sink: Sink) -> str:
    """Write CREATE TABLE of an output: suspicious_activity by reviewer and window, suspicious_groups by movie.

    The partition key is a hash of the reviewer or movie, so that its rows stay on one shard, in order. It is not the
    name: the connector writes a key beyond ASCII into a snapshot in a way that it cannot read when it is restored.
    """
    counted = {"suspicious_activity": ("reviewer", "movie_count"), "suspicious_groups": ("movie", "reviewers")}
    who, count = counted[name]
    return f"""
CREATE TABLE {name} (
  {who} STRING,
  {count} BIGINT,
  event_time STRING,
  window_start STRING,
  partition_key STRING
) PARTITIONED BY (partition_key) WITH (
{
        options(
            **{
                "connector": "kinesis",
                "stream": sink.stream,
                "aws.region": sink.region,
                "aws.endpoint": sink.endpoint,
                "sink.flush-buffer.timeout": sink.flush_millis,
                "format": "json",
            }
        )
    }
)"""


def digits(number: int) -> int:
    """Return the precision that an interval literal of so many seconds needs in SQL (2 where none is given)."""
    return max(2, len(str(number)))


def window(settings: Settings) -> str:
    """Write the windows as a table function over reviews: `settings.window_seconds` long, one every `slide_seconds`.

    Its rows are those of reviews, once for each window they belong to, with window_start and window_end added.
    """
    ### BEGIN SOLUTION
    size, slide = settings.window_seconds, settings.slide_seconds
    return f"""TABLE(HOP(TABLE reviews, DESCRIPTOR(ts),
  INTERVAL '{slide}' SECOND({digits(slide)}), INTERVAL '{size}' SECOND({digits(size)})))"""
    ### END SOLUTION


def detection(settings: Settings) -> str:
    """Write INSERT of the count in each window. A review sent twice has one review_id and counts once."""
    return f"""
INSERT INTO suspicious_activity
SELECT reviewer, COUNT(DISTINCT review_id), CAST(window_end AS STRING), CAST(window_start AS STRING), MD5(reviewer)
FROM {sql_of(window, settings)}
WHERE reviewer IS NOT NULL AND review_id IS NOT NULL AND ts >= TIMESTAMP '1970-01-02 00:00:00.000'
GROUP BY reviewer, window_start, window_end
HAVING COUNT(DISTINCT review_id) > {settings.threshold}"""


def bursting_groups(settings: Settings) -> str:
    """Write SELECT of the groups: movie, reviewers (how many wrote in the window), window_start, window_end.

    A row of reviews has movie, rating and the other fields of a review; `window(settings)` puts it into its windows.
    """
    ### BEGIN SOLUTION
    return f"""
SELECT movie, COUNT(DISTINCT reviewer) AS reviewers, window_start, window_end
FROM {window(settings)}
WHERE movie IS NOT NULL AND ts >= TIMESTAMP '1970-01-02 00:00:00.000'
GROUP BY movie, window_start, window_end
HAVING COUNT(DISTINCT reviewer) >= 5 AND COUNT(DISTINCT COALESCE(rating, 'none')) = 1"""
    ### END SOLUTION


def group_detection(settings: Settings) -> str:
    """Write INSERT of the groups that `bursting_groups` selects, one row a movie and window."""
    return f"""
INSERT INTO suspicious_groups
SELECT movie, reviewers, CAST(window_end AS STRING), CAST(window_start AS STRING), MD5(movie)
FROM ({sql_of(bursting_groups, settings)}
)"""


# While an exercise of this file is blank, the job runs all the same: it reads everything and writes nothing.
NOTHING_YET = """
INSERT INTO suspicious_activity
SELECT reviewer, CAST(0 AS BIGINT), event_time, event_time, reviewer FROM reviews WHERE event_time = 'not attempted'"""


def deepest(said: str) -> str:
    """Return what the innermost of Java's exceptions says, in one line, without what a reader cannot use."""
    cause = re.split(r"(?:^|\n)(?:: |Caused by: )", said)[-1]
    cause = re.split(r"\n\t|\n\n|\nWas expecting", cause)[0].strip()
    kind, _, reason = cause.partition(": ") if re.match(r"[\w.$]+: ", cause) else (cause, "", "")
    reason = reason or f"Flink's planner fails with {kind.rpartition('.')[2]}"
    reason = re.sub(r" at line \d+, column \d+|default_catalog\.default_database\.", "", reason)
    return re.sub(r"(?<!\.)\n", ", ", re.sub(r"<RECORDTYPE\(.*?\)>", "<TABLE>", reason)).replace("\n", " ").strip(" .")


@contextmanager
def pointing_at(statement: Callable[..., str], sql: str, settings: Settings) -> Iterator[None]:
    """Raise SqlError for what Flink says of `sql`: the function to correct, and the line with a caret.

    Flink counts the lines of the whole statement, which nobody sees. What it finds behind the part that an exercise
    writes comes of that part as well: it goes on reading where something is missing.
    """
    try:
        yield
    except (Py4JJavaError, JavaException) as error:
        said = str(error)
        if re.search("Unable to create a s(ource|ink)|Failed to execute sql", said):
            raise  # of the connector or the cluster, not of the SQL
        part = {source_table: watermark, detection: window}.get(statement, bursting_groups)
        if not sql and "suspicious_groups" in said:
            part = bursting_groups
        name, reason, place = part.__name__, deepest(said), ""
        found = re.search(r"(?:From|[Aa]t) line ([1-9]\d*), column (\d+)", said)
        if found and sql:
            row, column = int(found[1]) - 1, int(found[2]) - 1
            lines = sql.split("\n")
            place = f"\n\n  {lines[row]}\n  {' ' * column}^"
            if sum(len(line) + 1 for line in lines[:row]) + column < sql.find(part(settings)):
                if part is bursting_groups:
                    reason += "; it must select the columns movie, reviewers, window_start and window_end"
                else:
                    name = statement.__name__
        what = f"The SQL of `{name}` is wrong ({reason}): correct that function in {Path(__file__).name}"
        raise SqlError(what, place) from error


def planned(statements: StatementSet, settings: Settings) -> str:
    """Return the plan Flink makes of the statements (EXPLAIN); raises SqlError where it can make none."""
    with pointing_at(detection, "", settings):
        return statements.explain()


def groups_wanted(settings: Settings) -> str:
    """Write the second statement; empty where no stream is named for it, or while exercise 8 is blank."""
    if settings.groups is None:
        return ""
    try:
        return group_detection(settings)
    except NotImplementedError:
        print("Exercise 8 in this file is not attempted yet, so no groups will be written.")
        return ""


def build(environment: TableEnvironment, settings: Settings) -> StatementSet:
    """Create the tables and return the statements that connect them: one job, which reads the source once."""
    # Distinct reviews cannot be added up: counting them before the shuffle too would send the same ids on, and cost a
    # sixth of the job's time. It is also simpler to look at: the window operator receives one row a review.
    environment.get_config().set("table.optimizer.agg-phase-strategy", "ONE_PHASE")
    if settings.idle_timeout_seconds:
        environment.get_config().set("table.exec.source.idle-timeout", f"{settings.idle_timeout_seconds} s")
    try:
        time_attribute, query = sql_of(watermark, settings), detection(settings)
        groups = groups_wanted(settings)
    except NotImplementedError:
        time_attribute, query, groups = "", NOTHING_YET, ""
        print("An exercise in this file is not attempted yet, so nothing will be written.")
    source = source_table(settings, time_attribute, query + groups)
    with pointing_at(source_table, source, settings):
        environment.execute_sql(source)
    statements = environment.create_statement_set()
    environment.execute_sql(sink_table("suspicious_activity", settings.output))
    with pointing_at(detection, query, settings):
        statements.add_insert_sql(query)
    if groups and settings.groups:
        environment.execute_sql(sink_table("suspicious_groups", settings.groups))
        with pointing_at(group_detection, groups, settings):
            statements.add_insert_sql(groups)
    return statements


def main() -> None:
    is_local = bool(os.environ.get("IS_LOCAL"))
    settings = read_settings(read_groups(LOCAL_PROPERTIES_FILE if is_local else PROPERTIES_FILE))
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    environment.get_config().set("pipeline.name", "SlidingWindows")
    if is_local:
        jars = ";".join(jar.as_uri() for jar in (HERE / "lib").glob("*.jar"))
        environment.get_config().set("pipeline.jars", jars)
    statements = build(environment, settings)
    with pointing_at(detection, "", settings):
        result = statements.execute()
    print(f"Counting reviews on {settings.input_stream!r}, writing to {settings.output.stream!r}.")
    if is_local:
        result.wait()


if __name__ == "__main__":
    main()
