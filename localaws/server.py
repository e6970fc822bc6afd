"""Run the background process: MiniStack with our data plane, on one loopback port.

Started by ``python -m localaws up``.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from localaws.account import REGION, client_environment, own_environment
from localaws.emulator.ministack_adapter import SERVICES
from localaws.machine.account_folder import PACKAGE_FOLDER, AccountFolder, AccountState
from localaws.machine.processes import ChildRegister, clean_environment, stop_processes
from localaws.options import AccountOptions

log = logging.getLogger("localaws")


def serve(port: int, home: AccountFolder, options: AccountOptions) -> None:
    """Run the account until SIGTERM or SIGINT."""
    endpoint = f"http://127.0.0.1:{port}"
    _prepare_environment(port, home, endpoint)
    stop_processes(ChildRegister.survivors(home.children_file))
    # MiniStack reads its environment when it is imported.
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    from localaws.assembly import assemble

    application, dataplane = assemble(home, endpoint, options)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 1
    config.accesslog = None

    async def run() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        threading.Thread(target=_settle_and_warm, args=(port, dataplane), daemon=True).start()
        await hypercorn_serve(application, config, shutdown_trigger=ended.wait)  # type: ignore[arg-type]

    watch = _watch(home)
    home.write_state(AccountState(os.getpid(), psutil.Process().create_time(), port))
    try:
        asyncio.run(run())
    finally:
        dataplane.close()
        os.close(watch)
        stop_processes(psutil.Process().children(recursive=True))
        home.clear_scratch()
        home.state_file.unlink(missing_ok=True)


def _watch(home: AccountFolder) -> int:
    """Start what ends our children after us; it waits for the pipe to break whose end is returned."""
    reading, writing = os.pipe()
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "localaws.machine.watch", str(home.children_file), str(os.getpid())],
        env=clean_environment(PYTHONPATH=str(PACKAGE_FOLDER)),
        stdin=reading,
        start_new_session=True,
    )
    os.close(reading)
    return writing


def _prepare_environment(port: int, home: AccountFolder, endpoint: str) -> None:
    own_environment()
    home.clear_scratch()
    scratch = home.folder("tmp")
    os.environ.update(
        client_environment(endpoint),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        MINISTACK_REGION=REGION,
        SERVICES=SERVICES,
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        LOG_LEVEL="WARNING",
        DOCKER_HOST=f"unix://{home.root}/no-docker",  # never touch a Docker engine that may be there
        TMPDIR=str(scratch),
    )
    tempfile.tempdir = str(scratch)
    os.chdir(home.root)


def _settle_and_warm(port: int, dataplane: Any) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    # Modules and API models stay for good: without this each full collection walks them all, and every request waits
    # for 31 ms meanwhile instead of 4.
    gc.collect()
    gc.freeze()
    dataplane.warm()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    AccountOptions.add_to(parser)
    arguments = parser.parse_args()
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    serve(arguments.port, AccountFolder(arguments.home), AccountOptions.of(arguments))


if __name__ == "__main__":
    main()
