"""The names of the notebooks, by the module each comes from; `lab/__init__.py` reads this file."""

from .account.application_changes import (
    bring_up_to_date as bring_up_to_date,
)
from .account.application_changes import (
    may_configure as may_configure,
)
from .account.application_changes import (
    may_start as may_start,
)
from .account.application_changes import (
    property_table as property_table,
)
from .account.application_changes import (
    require_parallelism as require_parallelism,
)
from .account.application_changes import (
    stopped as stopped,
)
from .account.cleanup import (
    lab_resources as lab_resources,
)
from .account.cost_meter import (
    cost_an_hour as cost_an_hour,
)
from .account.cost_meter import (
    cost_so_far as cost_so_far,
)
from .charts.demonstration import (
    count_from_here as count_from_here,
)
from .charts.demonstration import (
    send_burst as send_burst,
)
from .charts.demonstration import (
    send_late_review as send_late_review,
)
from .charts.detection_quality import (
    precision_and_recall as precision_and_recall,
)
from .charts.detection_quality import (
    recall_per_kind as recall_per_kind,
)
from .charts.hash_ring import (
    hash_ring as hash_ring,
)
from .charts.key_spread import (
    key_spread as key_spread,
)
from .charts.live_view import (
    live_view as live_view,
)
from .charts.pipeline import (
    draw_pipeline as draw_pipeline,
)
from .charts.run_film import (
    run_film as run_film,
)
from .charts.window_counts import (
    counts_over_time as counts_over_time,
)
from .charts.window_player import (
    window_player as window_player,
)
from .checks.check import (
    check as check,
)
from .checks.diagnosis import (
    Diagnosis as Diagnosis,
)
from .checks.diagnosis import (
    diagnose as diagnose,
)
from .checks.preflight import (
    check_account as check_account,
)
from .core.account import (
    require_function as require_function,
)
from .core.account import (
    require_stream as require_stream,
)
from .core.code_files import (
    code_file as code_file,
)
from .core.errors import (
    AccountRefused as AccountRefused,
)
from .core.errors import (
    AccountSilent as AccountSilent,
)
from .core.errors import (
    BadParameter as BadParameter,
)
from .core.errors import (
    CheckFailed as CheckFailed,
)
from .core.errors import (
    LabError as LabError,
)
from .core.errors import (
    StepMissing as StepMissing,
)
from .core.errors import (
    StreamGone as StreamGone,
)
from .core.paths import (
    project_path as project_path,
)
from .core.picture import (
    Picture as Picture,
)
from .core.session import (
    Session as Session,
)
from .core.session import (
    connect as connect,
)
from .deploy.buckets import (
    close_bucket as close_bucket,
)
from .deploy.buckets import (
    empty_bucket as empty_bucket,
)
from .deploy.buckets import (
    make_bucket as make_bucket,
)
from .deploy.connector import (
    connector_jar as connector_jar,
)
from .deploy.flink_zip import (
    JAR_IN_ZIP as JAR_IN_ZIP,
)
from .deploy.flink_zip import (
    build_flink_zip as build_flink_zip,
)
from .deploy.invocation import (
    ProducerFailed as ProducerFailed,
)
from .deploy.invocation import (
    invoke_until_done as invoke_until_done,
)
from .deploy.invocation import (
    records_per_shard as records_per_shard,
)
from .deploy.invocation import (
    written_in_words as written_in_words,
)
from .deploy.log_groups import (
    log_group as log_group,
)
from .deploy.paced_sending import (
    PacedSending as PacedSending,
)
from .deploy.paced_sending import (
    send_paced as send_paced,
)
from .deploy.producer_zip import (
    build_producer_zip as build_producer_zip,
)
from .deploy.show import (
    list_zip as list_zip,
)
from .deploy.show import (
    log_lines as log_lines,
)
from .deploy.show import (
    show_source as show_source,
)
from .exercises.attempts import (
    dropped_by_parallelism as dropped_by_parallelism,
)
from .exercises.attempts import (
    hand_in_shard as hand_in_shard,
)
from .exercises.attempts import (
    hand_in_threshold as hand_in_threshold,
)
from .exercises.attempts import (
    read_with_own as read_with_own,
)
from .exercises.attempts import (
    send_batch as send_batch,
)
from .exercises.attempts import (
    send_keyed as send_keyed,
)
from .exercises.catalog import (
    EXERCISES as EXERCISES,
)
from .exercises.try_sql import (
    try_sql as try_sql,
)
from .flink.auto_stop import (
    keep_to_hours as keep_to_hours,
)
from .flink.auto_stop import (
    stop_after as stop_after,
)
from .flink.dashboard_tables import (
    dashboard_link as dashboard_link,
)
from .flink.dashboard_tables import (
    jobs_table as jobs_table,
)
from .flink.dashboard_tables import (
    late_rows_dropped as late_rows_dropped,
)
from .flink.rest import (
    Dashboard as Dashboard,
)
from .flink.waiters import (
    application_status as application_status,
)
from .flink.waiters import (
    function_active as function_active,
)
from .flink.waiters import (
    stream_active as stream_active,
)
from .flink.waiters import (
    stream_encrypted as stream_encrypted,
)
from .streams.data_viewer import (
    DataViewer as DataViewer,
)
from .streams.reading import (
    Position as Position,
)
from .streams.reading import (
    load_position as load_position,
)
from .streams.reading import (
    read_stream as read_stream,
)
from .streams.reading import (
    save_position as save_position,
)
from .streams.reading import (
    stream_batches as stream_batches,
)
from .streams.reading import (
    tip as tip,
)
from .streams.records import (
    Events as Events,
)
from .streams.records import (
    Output as Output,
)
from .streams.records import (
    read_reviews as read_reviews,
)
from .streams.records import (
    read_windows as read_windows,
)
from .streams.shards import (
    first_shard_with_records as first_shard_with_records,
)
from .validation.comparison import (
    Comparison as Comparison,
)
from .validation.comparison import (
    compare_windows as compare_windows,
)
from .validation.completion import (
    wait_for_groups as wait_for_groups,
)
from .validation.completion import (
    wait_for_windows as wait_for_windows,
)
from .validation.input_files import (
    first_reviews as first_reviews,
)
from .validation.input_files import (
    labels_of as labels_of,
)
from .validation.reference import (
    Reference as Reference,
)
from .validation.reference import (
    windows as windows,
)
from .validation.scores import (
    Scores as Scores,
)
from .validation.scores import (
    read_labels as read_labels,
)
from .validation.scores import (
    score as score,
)
