"""Put the account together: data plane, control plane and Kinesis behind MiniStack's server, and the guard."""

import time
from functools import partial
from typing import Any

from localaws.account import ACCOUNT, REGION, CloudWatchSink
from localaws.control_plane.service import ControlPlane
from localaws.emulator.ministack_adapter import (
    MiniStackAccount,
    MiniStackKinesis,
    emulator_kinesis,
    install,
    request_account,
)
from localaws.emulator.request_guard import Asgi, guarded
from localaws.emulator.unserved_services import refusing_unserved
from localaws.kinesis.faults import FaultInjector
from localaws.kinesis.limits import StrictLimits
from localaws.kinesis.service import KinesisService
from localaws.machine.account_folder import AccountFolder
from localaws.managed_flink.dataplane import DataPlane
from localaws.managed_flink.sources import caller_of
from localaws.options import AccountOptions


def assemble(home: AccountFolder, endpoint: str, options: AccountOptions) -> tuple[Asgi, DataPlane]:
    """Return the account's ASGI application and its data plane, which the caller closes.

    MiniStack reads its environment when it is imported, which is now.
    """
    began = time.time()
    services = MiniStackAccount()
    sink_of = partial(CloudWatchSink, endpoint)
    dataplane = DataPlane(
        home.root, endpoint, ACCOUNT, REGION, services, sink_of, options.flink_rest, keep_warm=not options.cold
    )
    control_plane = ControlPlane(home.root, dataplane, services, request_account)
    plan = options.plan()
    limits = StrictLimits() if options.strict else None
    faults = FaultInjector(plan) if plan else None
    backend = MiniStackKinesis()
    kinesis = KinesisService(backend, emulator_kinesis(), dataplane.tracker, caller_of, limits, faults)

    def status() -> dict[str, Any]:
        return {
            "up": True,
            "endpoint": endpoint,
            "home": str(home.root),
            "account": ACCOUNT,
            "since": began,
            "strict": {"refused": limits.refused} if limits else None,
            "faults": faults.status() if faults else None,
            "damaged": control_plane.store.damaged,
            "records_mb": backend.stored() >> 20,
            **dataplane.status(),
        }

    emulator = refusing_unserved(install(control_plane.handle_request, kinesis.handle_request))
    return guarded(emulator, status), dataplane
