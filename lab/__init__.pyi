"""The names of the notebooks, by the module each comes from; `lab/__init__.py` reads this file."""

from .account.application_changes import (
    bring_up_to_date as bring_up_to_date,
    may_configure as may_configure,
    may_start as may_start,
    property_table as property_table,
    require_parallelism as require_parallelism,
    stopped as stopped,
)
from .account.cleanup import lab_resources as lab_resources
from .account.cost_meter import (
    cost_an_hour as cost_an_hour,
    cost_so_far as cost_so_far,
)
from .charts.demonstration import (
    count_from_here as count_from_here,
    send_burst as send_burst,
    send_late_review as send_late_review,
)
from .charts.detection_quality import (
    precision_and_recall as precision_and_recall,
    recall_per_kind as recall_per_kind,
)
from .charts.hash_ring import hash_ring as hash_ring
from .charts.key_spread import key_spread as key_spread
from .charts.live_view import live_view as live_view
from .charts.pipeline import draw_pipeline as draw_pipeline
from .charts.run_film import run_film as run_film
from .charts.window_counts import counts_over_time as counts_over_time
from .charts.window_player import window_player as window_player
from .checks.check import check as check
from .checks.diagnosis import (
    Diagnosis as Diagnosis,
    diagnose as diagnose,
)
from .checks.preflight import check_account as check_account
from .core.account import (
    require_function as require_function,
    require_stream as require_stream,
)
from .core.code_files import code_file as code_file
from .core.errors import (
    AccountRefused as AccountRefused,
    AccountSilent as AccountSilent,
    BadParameter as BadParameter,
    CheckFailed as CheckFailed,
    LabError as LabError,
    StepMissing as StepMissing,
    StreamGone as StreamGone,
)
from .core.paths import project_path as project_path
from .core.picture import Picture as Picture
from .core.session import (
    Session as Session,
    connect as connect,
)
from .deploy.buckets import (
    close_bucket as close_bucket,
    empty_bucket as empty_bucket,
    make_bucket as make_bucket,
)
from .deploy.connector import connector_jar as connector_jar
from .deploy.flink_zip import (
    JAR_IN_ZIP as JAR_IN_ZIP,
    build_flink_zip as build_flink_zip,
)
from .deploy.invocation import (
    ProducerFailed as ProducerFailed,
    invoke_until_done as invoke_until_done,
    records_per_shard as records_per_shard,
    written_in_words as written_in_words,
)
from .deploy.log_groups import log_group as log_group
from .deploy.paced_sending import (
    PacedSending as PacedSending,
    send_paced as send_paced,
)
from .deploy.producer_zip import build_producer_zip as build_producer_zip
from .deploy.show import (
    list_zip as list_zip,
    log_lines as log_lines,
    show_source as show_source,
)
from .exercises.attempts import (
    dropped_by_parallelism as dropped_by_parallelism,
    hand_in_shard as hand_in_shard,
    hand_in_threshold as hand_in_threshold,
    read_with_own as read_with_own,
    send_batch as send_batch,
    send_keyed as send_keyed,
)
from .exercises.catalog import EXERCISES as EXERCISES
from .exercises.try_sql import try_sql as try_sql
from .flink.auto_stop import (
    keep_to_hours as keep_to_hours,
    stop_after as stop_after,
)
from .flink.dashboard_tables import (
    dashboard_link as dashboard_link,
    jobs_table as jobs_table,
    late_rows_dropped as late_rows_dropped,
)
from .flink.rest import Dashboard as Dashboard
from .flink.waiters import (
    application_status as application_status,
    function_active as function_active,
    stream_active as stream_active,
    stream_encrypted as stream_encrypted,
)
from .streams.data_viewer import DataViewer as DataViewer
from .streams.reading import (
    Position as Position,
    load_position as load_position,
    read_stream as read_stream,
    save_position as save_position,
    stream_batches as stream_batches,
    tip as tip,
)
from .streams.records import (
    Events as Events,
    Output as Output,
    read_reviews as read_reviews,
    read_windows as read_windows,
)
from .streams.shards import first_shard_with_records as first_shard_with_records
from .validation.comparison import (
    Comparison as Comparison,
    compare_windows as compare_windows,
)
from .validation.completion import (
    wait_for_groups as wait_for_groups,
    wait_for_windows as wait_for_windows,
)
from .validation.input_files import (
    first_reviews as first_reviews,
    labels_of as labels_of,
)
from .validation.reference import (
    Reference as Reference,
    windows as windows,
)
from .validation.scores import (
    Scores as Scores,
    read_labels as read_labels,
    score as score,
)
