"""What the notebooks import: the things that would distract from the lesson.

Waiting, the Data viewer, reading streams into pandas, the reference the Flink output is compared with, charts, checks
and the runner live here; the AWS calls that are the lesson stay in the notebooks. The package knows the account only by
its endpoint. `import lab` loads nothing: a name such as `lab.read_stream` imports its module when it is first used.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "errors": "LabError StepMissing StreamGone BadParameter CheckFailed AccountSilent AccountRefused",
    "session": "connect Session project_path",
    "steps": "require_stream require_function require_application",
    "inputs": "first_reviews labels_of",
    "show": "show_source list_zip log_lines dashboard_link jobs_table late_rows_dropped first_shard_with_records",
    "producing": "invoke_until_done records_per_shard ProducerFailed",
    "settle": "wait_for_windows",
    "flink": "Dashboard",
    "cleanup": "lab_resources",
    "buckets": "close_bucket empty_bucket",
    "preflight": "check_account",
    "meter": "cost_an_hour cost_so_far",
    "guard": "stop_after keep_to_hours",
    "wait": "stream_active stream_encrypted function_active application_status",
    "viewer": "DataViewer",
    "streams": "read_stream stream_batches tip Position save_position load_position",
    "records": "Events Output read_reviews read_windows",
    "reference": "windows Reference",
    "compare": "compare_windows Comparison",
    "scores": "read_labels score Scores",
    "charts": "counts_over_time precision_and_recall recall_per_kind records_per_second",
    "chart_producer": "sending_per_second",
    "pacing": "send_paced PacedSending",
    "live": "live_view",
    "chart_pipeline": "draw_pipeline",
    "diagnosis": "diagnose Diagnosis",
    "picture": "Picture",
    "tables": "show_table",
    "checks": "check",
    "exercises": "EXERCISES code_file",
    "exercise_steps": "send_keyed send_batch hand_in_shard hand_in_threshold send_groups dropped_by_parallelism",
    "packaging": "build_flink_zip same_application JAR_IN_ZIP",
    "packaging_producer": "build_producer_zip",
    "connector": "connector_jar",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}
_MODULES = {*_HOME, "reviews", "runner"}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Import what is asked for, once (PEP 562)."""
    if name in _MODULE_OF:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *_MODULES})
