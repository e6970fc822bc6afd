"""The lab's application with its count in Python: packed beside ``sliding-windows.py`` and run in its place.

Source, watermark and sink are those of the lab. Flink runs Python aggregates only in its older GROUP BY HOP, not in
the window table functions; the windows are the same ones.
"""

import importlib.util
from pathlib import Path
from typing import Any

from pyflink.table import AggregateFunction, DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udaf

HERE = Path(__file__).resolve().parent
_spec = importlib.util.spec_from_file_location("sliding_windows", HERE / "sliding-windows.py")
lab: Any = importlib.util.module_from_spec(_spec)  # type: ignore[arg-type]
_spec.loader.exec_module(lab)  # type: ignore[union-attr]


class DistinctReviews(AggregateFunction):  # type: ignore[misc]
    """How many distinct review_ids; the accumulator is the list of them, which is short in any window."""

    def create_accumulator(self) -> list[list[str]]:
        return [[]]

    def accumulate(self, accumulator: list[list[str]], review_id: str) -> None:
        if review_id not in accumulator[0]:
            accumulator[0].append(review_id)

    def merge(self, accumulator: list[list[str]], others: Any) -> None:
        for other in others:
            for review_id in other[0]:
                self.accumulate(accumulator, review_id)

    def get_value(self, accumulator: list[list[str]]) -> int:
        return len(accumulator[0])


def detection(settings: Any) -> str:
    hop = f"ts, INTERVAL '{settings.slide_seconds}' SECOND, INTERVAL '{settings.window_seconds}' SECOND"
    return f"""
INSERT INTO suspicious_activity
SELECT reviewer, distinct_reviews(review_id), CAST(HOP_END({hop}) AS STRING), CAST(HOP_START({hop}) AS STRING),
  MD5(reviewer)
FROM reviews
WHERE reviewer IS NOT NULL AND review_id IS NOT NULL AND ts >= TIMESTAMP '1970-01-02 00:00:00.000'
GROUP BY reviewer, HOP({hop})
HAVING distinct_reviews(review_id) > {settings.threshold}"""


def main() -> None:
    settings = lab.read_settings(lab.read_groups(lab.PROPERTIES_FILE))
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    function = udaf(
        DistinctReviews(),
        input_types=[DataTypes.STRING()],
        result_type=DataTypes.BIGINT(),
        accumulator_type=DataTypes.ROW([DataTypes.FIELD("ids", DataTypes.ARRAY(DataTypes.STRING()))]),
        name="distinct_reviews",
    )
    environment.create_temporary_function("distinct_reviews", function)
    lab.detection = detection
    lab.build(environment, settings).execute()


if __name__ == "__main__":
    main()
