"""What is asked of Flink's REST API, answered as a job with two statements answers it."""

from typing import Any

import pytest

from grader.hidden_run.application_proof import counts_in_sliding_windows
from lab.flink.dashboard_tables import jobs_table
from lab.flink.rest import Dashboard, DashboardSilent

SOURCE, BY_REVIEWER, BY_MOVIE = "e3df", "0461", "2ba6"
INPUT = [{"num": 0, "id": SOURCE, "ship_strategy": "HASH"}]
HOP = (
    "WindowAggregate(groupBy=[{}], window=[HOP(time_col=[ts], size=[1 min], slide=[30 s])])<br/>+- {}[15]: Writer<br/>"
)
PLAN = [
    {"id": SOURCE, "description": "[8]:TableSourceScan(table=[[default_catalog, default_database, reviews]])<br/>"},
    {"id": BY_REVIEWER, "inputs": INPUT, "description": HOP.format("reviewer", "suspicious_activity")},
    {"id": BY_MOVIE, "inputs": INPUT, "description": HOP.format("movie", "suspicious_groups")},
]
# vertex -> metric -> sum over its subtasks
METRICS = {
    SOURCE: {"numRecordsOut": 10_000},
    BY_REVIEWER: {
        "WindowAggregate[13].numLateRecordsDropped": 1180,
        "WindowAggregate[13].numRecordsOut": 718,
        "suspicious_activity[15]__Writer.numRecordsIn": 718,
        "suspicious_activity[15]__Writer.numRecordsInPerSecond": 3,
    },
    BY_MOVIE: {
        "WindowAggregate[20].numLateRecordsDropped": 1175,
        "WindowAggregate[20].numRecordsOut": 4200,
        "suspicious_groups[22]__Writer.numRecordsIn": 10,
        "suspicious_groups[22]__Writer.numRecordsSendErrors": 4,
    },
}


class Answered(Dashboard):
    """A dashboard whose REST API gives the answers above."""

    def __init__(self, plan: list[dict[str, Any]] = PLAN) -> None:
        super().__init__("http://127.0.0.1:1")
        self._plan = plan

    def get(self, path: str) -> Any:
        if path == "/jobs/j":
            return {"vertices": [{"id": node["id"]} for node in self._plan]}
        if path == "/jobs/j/plan":
            return {"plan": {"nodes": self._plan}}
        vertex, _, query = path.removeprefix("/jobs/j/vertices/").partition("/subtasks/metrics")
        if not query:
            return [{"id": name} for name in METRICS[vertex]]
        names = query.removeprefix("?get=").removesuffix("&agg=sum").split(",")
        return [{"id": name, "sum": float(METRICS[vertex][name])} for name in names]


def test_a_late_row_that_both_statements_drop_is_one_row() -> None:
    assert Answered().late_rows_of("j") == 1180
    assert Answered(PLAN[:1]).late_rows_of("j") == 0


def test_each_sink_counts_what_it_took_itself() -> None:
    assert Answered().records_taken("j", "suspicious_activity") == 718
    assert Answered().records_taken("j", "suspicious_groups") == 10
    assert Answered().records_taken("j", "suspicious_groups", "numRecordsSendErrors") == 4
    assert Answered(PLAN[:2]).records_taken("j", "suspicious_groups") is None


@pytest.mark.parametrize(
    ("table", "by_movie", "found"),
    [
        ("suspicious_groups", PLAN[2]["description"], True),
        ("suspicious_groups", "GroupAggregate(groupBy=[movie])<br/>+- suspicious_groups[15]: Writer<br/>", False),
        ("suspicious_activity", "GroupAggregate(groupBy=[movie])<br/>+- suspicious_groups[15]: Writer<br/>", True),
        ("another", PLAN[2]["description"], False),
    ],
    ids=["windows", "no windows", "the other statement", "no such sink"],
)
def test_the_windows_that_count_are_those_that_lead_to_the_sink(table: str, by_movie: str, found: bool) -> None:
    plan = [*PLAN[:2], {**PLAN[2], "description": by_movie}]
    assert counts_in_sliding_windows(Answered(plan), "j", table) is found


def test_the_address_of_an_earlier_start_says_which_cell_to_run() -> None:
    with pytest.raises(DashboardSilent) as raised:
        jobs_table("http://127.0.0.1:9/?token=secret")
    assert str(raised.value) == (
        "The Flink dashboard at http://127.0.0.1:9/ does not answer as Flink's REST API ([Errno 111] Connection "
        "refused): run the cell that creates the URL again, because the address is another after each start (on AWS "
        "only a browser gets an answer)."
    )
