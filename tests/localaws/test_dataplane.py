from pathlib import Path
from typing import Any

import pytest

from localaws.job_description import ApplicationKey
from localaws.managed_flink.dataplane import DataPlane

KEY = ApplicationKey("000000000000", "us-east-1", "student")


@pytest.mark.parametrize("keep_warm", [True, False])
def test_only_an_account_that_keeps_a_cluster_warm_starts_one_without_an_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_warm: bool
) -> None:
    """``--cold`` says False: deleting and stopping an application that never ran starts no Flink."""
    started: list[str] = []

    class Cluster:
        def __init__(self, *given: Any) -> None:
            started.append("cluster")

        def start(self) -> None:
            started.append("processes")

    monkeypatch.setattr("localaws.managed_flink.dataplane.FlinkCluster", Cluster)
    dataplane = DataPlane(tmp_path, "http://127.0.0.1:1", KEY.account, KEY.region, None, None, keep_warm=keep_warm)  # type: ignore[arg-type]
    dataplane.warm()
    dataplane.stop(KEY)
    dataplane.delete(KEY)
    assert started == (["cluster", "processes"] if keep_warm else [])
    assert dataplane.status()["warm_cluster"] is keep_warm
