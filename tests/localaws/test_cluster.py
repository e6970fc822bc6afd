"""The processes of one Flink cluster, started as the account starts them."""

import socket
import time
from pathlib import Path

import pytest

from localaws.flink_cluster import cluster as module
from localaws.flink_cluster.cluster import FlinkCluster, choose_ports
from localaws.flink_cluster.configuration import ClusterPorts
from localaws.machine.processes import ChildRegister


def test_no_port_is_one_that_the_system_hands_out_by_itself() -> None:
    ports = [choose_ports() for _ in range(50)]
    assert all(10_000 <= port < 20_000 for pair in ports for port in (pair.rpc, pair.rest))
    assert len({pair.rest for pair in ports}) > 40


def test_a_port_drawn_twice_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The JobManager could listen on it for one of the two only, and would end again and again."""
    drawn = iter([11_111, 11_111, 11_111, 12_222])
    monkeypatch.setattr(module, "free_port", lambda: next(drawn))
    assert choose_ports() == ClusterPorts(rpc=11_111, rest=12_222)


@pytest.mark.slow  # about 10 s each
@pytest.mark.parametrize("which", ["rpc", "rest"])
def test_a_port_taken_before_the_jobmanager_listens_means_another(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        free = choose_ports()
        first = {"rpc": free.rpc, "rest": free.rest, which: holder.getsockname()[1]}
        choices = iter([ClusterPorts(**first)])
        monkeypatch.setattr(module, "choose_ports", lambda: next(choices, None) or choose_ports())
        cluster = FlinkCluster(tmp_path, ChildRegister(tmp_path / "children.json"), {})
        cluster.start()
        try:
            deadline = time.monotonic() + 60
            while cluster.ports == ClusterPorts(**first):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            while cluster.missing_slots():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert cluster.rest.jobs() == []
            assert cluster.driver is not None and all(one.poll() is None for one in cluster.driver.processes())
        finally:
            cluster.stop()
