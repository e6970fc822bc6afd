"""Connect to the gateway JVM, load the planner, and run one application's main file, as the driver process.

Started as ``python driver_main.py PORT_FILE STATUS_FD``. It imports nothing of this project, so that the
application finds exactly what it would find in Managed Flink: PyFlink and what it brought itself.
"""

import builtins
import io
import json
import os
import runpy
import struct
import sys
import time
import traceback

PROPERTIES = "/etc/flink/application_properties.json"


def main() -> None:
    port_file, status = sys.argv[1], os.fdopen(int(sys.argv[2]), "w", buffering=1)

    def say(event: str, **details: object) -> None:
        status.write(json.dumps({"event": event, **details}) + "\n")

    os.environ["PYFLINK_GATEWAY_PORT"] = str(gateway_port(port_file))
    from pyflink.java_gateway import get_gateway

    gateway = get_gateway()
    warm_up()
    say("ready")
    line = sys.stdin.readline()
    if not line:
        return
    task = json.loads(line)
    prepare(gateway, task)
    try:
        runpy.run_path(task["main"], run_name="__main__")
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            say("failed", type="SystemExit", message=str(leaving.code), trace=traceback.format_exc(), line=None)
            raise
    except BaseException as error:
        traceback.print_exc()
        say("failed", **describe(error, task["main"]))
        sys.exit(1)
    say("finished")


def gateway_port(port_file: str) -> int:
    """Wait for the file with the gateway's port, for as long as the account lives, and read it."""
    account = os.getppid()
    while not os.path.isfile(port_file):
        if os.getppid() != account:
            sys.exit("The account has ended.")
        time.sleep(0.02)
    with open(port_file, "rb") as info:
        return struct.unpack("!I", info.read(4))[0]


def warm_up() -> None:
    """Plan one small windowed query, so that the planner's classes are loaded before the application asks."""
    from pyflink.table import EnvironmentSettings, TableEnvironment

    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    environment.execute_sql(
        "CREATE TEMPORARY TABLE warm (k STRING, t TIMESTAMP(3), WATERMARK FOR t AS t - INTERVAL '1' SECOND)"
        " WITH ('connector' = 'datagen')"
    )
    environment.explain_sql(
        "SELECT k, COUNT(DISTINCT t) FROM TABLE(HOP(TABLE warm, DESCRIPTOR(t), INTERVAL '1' SECOND,"
        " INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end HAVING COUNT(*) > 1"
    )


def prepare(gateway: object, task: dict) -> None:
    """Set up this process and its JVM for the task, as ``flink run -py`` does."""
    os.environ.update(task["environment"])
    os.chdir(task["folder"])
    sys.argv = [task["main"]]
    sys.path[0] = os.path.dirname(task["main"])
    for path in reversed(task["python_files"]):
        sys.path.insert(1, os.path.dirname(path) if path.endswith(".py") else path)
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[1 : 1 + len(task["python_files"])])
    redirect_properties(task["properties_file"])

    jvm = gateway.jvm  # type: ignore[attr-defined]
    configuration = jvm.org.apache.flink.configuration.GlobalConfiguration.loadConfiguration()
    for key, value in task["configuration"].items():
        configuration.setString(key, value)
    if "FLINK_PLUGINS_DIR" in os.environ:
        plugins = jvm.org.apache.flink.core.plugin.PluginUtils.createPluginManagerFromRootFolder(configuration)
        jvm.org.apache.flink.core.fs.FileSystem.initialize(configuration, plugins)
    urls = [jvm.java.io.File(jar).toURI().toURL() for jar in task["jars"]]
    thread = jvm.java.lang.Thread.currentThread()
    loader = jvm.org.apache.flink.client.ClientUtils.buildUserCodeClassLoader(
        urls, jvm.java.util.ArrayList(), thread.getContextClassLoader(), configuration
    )
    thread.setContextClassLoader(loader)
    services = jvm.org.apache.flink.core.execution.DefaultExecutorServiceLoader()
    for context in (
        jvm.org.apache.flink.client.program.StreamContextEnvironment,
        jvm.org.apache.flink.client.program.ContextEnvironment,
    ):
        context.setAsContext(services, configuration, loader, False, False)


def redirect_properties(target: str) -> None:
    """Open ``target`` where the application opens the properties file of Managed Flink in /etc."""
    real_open, real_stat = builtins.open, os.stat

    def is_properties(path: object) -> bool:
        try:
            return os.fspath(path) == PROPERTIES  # type: ignore[call-overload]
        except TypeError:
            return False

    def redirected_open(file, *args, **kwargs):  # noqa: ANN001, ANN002, ANN003, ANN202
        return real_open(target if is_properties(file) else file, *args, **kwargs)

    def redirected_stat(path, *args, **kwargs):  # noqa: ANN001, ANN002, ANN003, ANN202
        return real_stat(target if is_properties(path) else path, *args, **kwargs)

    builtins.open = io.open = redirected_open
    os.stat = redirected_stat


def describe(error: BaseException, main_file: str) -> dict:
    """Describe an error: type, message, the whole trace and the line of the application's own file."""
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if os.path.basename(frame.filename) == os.path.basename(main_file):
            line = frame.lineno
    if isinstance(error, SyntaxError):
        line = error.lineno
    return {"type": type(error).__name__, "message": str(error), "trace": traceback.format_exc(), "line": line}


if __name__ == "__main__":
    main()
