"""Answer the operations on snapshots, versions, operations and tags of an application."""

from typing import Any

from localaws.control_plane import rules
from localaws.control_plane.descriptions import (
    application_detail,
    operation_details,
    operation_info,
    snapshot_details,
)
from localaws.control_plane.errors import ApiError, in_use, not_found
from localaws.control_plane.lifecycle import Lifecycle
from localaws.control_plane.model import RUNNING, Application, Snapshot
from localaws.control_plane.paging import page
from localaws.control_plane.store import ApplicationStore

Data = dict[str, Any]


class HistoryOperations:
    """Answer the operations on snapshots, versions, operations and tags; each takes account, region and request."""

    def __init__(self, store: ApplicationStore, lifecycle: Lifecycle) -> None:
        self._store = store
        self._lifecycle = lifecycle

    # -- snapshots ----------------------------------------------------------------------------------------------

    def create_application_snapshot(self, account: str, region: str, data: Data) -> Data:
        application, name = self._store.require(account, region, data), data["SnapshotName"]
        with self._store.lock:
            if application.status != RUNNING:
                raise ApiError(
                    "InvalidRequestException",
                    f"Application {application.name} is in {application.status} status. Snapshot creation is only "
                    "allowed when application is in RUNNING status",
                )
            if application.snapshot(name) is not None:
                raise in_use(f"Provided Snapshot name {name} already exists for application {application.name}")
            if len(application.snapshots) >= rules.MAX_SNAPSHOTS:
                limit = f"An application has at most {rules.MAX_SNAPSHOTS} snapshots; delete some."
                raise ApiError("LimitExceededException", limit)
            self._lifecycle.take_snapshot(application, name)
        return {}

    def list_application_snapshots(self, account: str, region: str, data: Data) -> Data:
        snapshots = self._store.require(account, region, data).snapshots
        return page(snapshots, data, "SnapshotSummaries", snapshot_details)

    def describe_application_snapshot(self, account: str, region: str, data: Data) -> Data:
        return {"SnapshotDetails": snapshot_details(self._snapshot(self._store.require(account, region, data), data))}

    def delete_application_snapshot(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        snapshot = self._snapshot(application, data)
        rules.check_timestamp(
            "snapshot", data["SnapshotCreationTimestamp"], snapshot.created, "DescribeApplicationSnapshot"
        )
        if snapshot.status == "CREATING":
            raise in_use(f"The snapshot {snapshot.name} is CREATING and cannot be deleted.")
        self._lifecycle.delete_snapshot(application, snapshot)
        return {}

    def _snapshot(self, application: Application, data: Data) -> Snapshot:
        snapshot = application.snapshot(data["SnapshotName"])
        if snapshot is None:
            raise not_found(f"Snapshot '{data['SnapshotName']}' does not exist for application {application.name}.")
        return snapshot

    # -- versions and operations --------------------------------------------------------------------------------

    def list_application_versions(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        return page(
            application.versions[::-1],
            data,
            "ApplicationVersionSummaries",
            lambda one: {"ApplicationVersionId": one.number, "ApplicationStatus": one.status},
        )

    def describe_application_version(self, account: str, region: str, data: Data) -> Data:
        application, number = self._store.require(account, region, data), data["ApplicationVersionId"]
        version = application.version(number)
        if version is None:
            raise not_found(f"Application {application.name} has no version {number}.")
        return {"ApplicationVersionDetail": application_detail(application, version)}

    def list_application_operations(self, account: str, region: str, data: Data) -> Data:
        wanted = {"name": data.get("Operation"), "status": data.get("OperationStatus")}
        operations = [
            one
            for one in self._store.require(account, region, data).operations[::-1]
            if all(value in (None, getattr(one, member)) for member, value in wanted.items())
        ]
        return page(operations, data, "ApplicationOperationInfoList", operation_info)

    def describe_application_operation(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        operation = next((one for one in application.operations if one.id == data["OperationId"]), None)
        if operation is None:
            raise not_found(f"Application {application.name} has no operation {data['OperationId']}.")
        return {"ApplicationOperationInfoDetails": operation_details(operation)}

    # -- tags ---------------------------------------------------------------------------------------------------

    def tag_resource(self, account: str, region: str, data: Data) -> Data:
        application = self._of_arn(account, region, data["ResourceARN"])
        with self._store.lock:
            tags = application.tags | {tag["Key"]: tag.get("Value", "") for tag in data["Tags"]}
            rules.check_tags(tags)
            application.tags = tags
            self._store.save(application)
        return {}

    def untag_resource(self, account: str, region: str, data: Data) -> Data:
        application = self._of_arn(account, region, data["ResourceARN"])
        with self._store.lock:
            application.tags = {key: one for key, one in application.tags.items() if key not in data["TagKeys"]}
            self._store.save(application)
        return {}

    def list_tags_for_resource(self, account: str, region: str, data: Data) -> Data:
        tags = self._of_arn(account, region, data["ResourceARN"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _of_arn(self, account: str, region: str, arn: str) -> Application:
        found = [one for one in self._store.of(account, region) if one.arn == arn]
        if not found:
            raise not_found(f"Resource {arn} is not found.")
        return found[0]
