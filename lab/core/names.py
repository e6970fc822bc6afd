"""Name what the lab makes in an account and in its data folder: each name stands here once."""

INPUT_STREAM, OUTPUT_STREAM = "reviews", "suspicious_activity"
EXERCISE_STREAM, GROUP_STREAM = "exercises", "suspicious_groups"  # of exercises 1 and 3; the second output
STREAMS = (INPUT_STREAM, OUTPUT_STREAM, EXERCISE_STREAM, GROUP_STREAM)
MADE_LATER = {GROUP_STREAM: "03_flink_job"}  # the notebook that creates a stream, where it is not 01_streams
FUNCTION = "reviewProducer"
APPLICATION = "student"
RUNTIME = "FLINK-1_20"
ROLE = "LabRole"  # the one role of a Learner Lab
LOG_GROUPS = (f"/aws/lambda/{FUNCTION}", f"/aws/kinesis-analytics/{APPLICATION}")

# A bucket's name is the account's number and one of these.
LANDING_ZONE_SUFFIX, FLINK_BUCKET_SUFFIX = "-landing-zone", "-flink"

REVIEWS_FILE, LABELS_FILE = "sample.json", "labels.csv"  # in data/; the first is a key of the landing zone too
APPLICATION_FOLDER = "SlidingWindows"  # in flink_app/, and the first part of every path in the zip
APPLICATION_ZIP = f"{APPLICATION_FOLDER}.zip"
APPLICATION_SCRIPT = f"{APPLICATION_FOLDER}/sliding-windows.py"

# The property groups of the application.
RUN_OPTIONS_GROUP = "kinesis.analytics.flink.run.options"
CONSUMER_GROUP, PRODUCER_GROUP, WINDOW_GROUP = "consumer.config.0", "producer.config.0", "window.config.0"
GROUPS_GROUP = "producer.config.1"  # of the second output, GROUP_STREAM
