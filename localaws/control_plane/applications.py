"""Create, describe, list, update, delete, start, stop, roll back applications; dashboard, maintenance, logging."""

import copy
import hashlib
from typing import Any

from localaws.control_plane import rules
from localaws.control_plane.descriptions import application_detail, application_summary, job_description, maintenance
from localaws.control_plane.errors import ApiError, in_use, invalid
from localaws.control_plane.lifecycle import Lifecycle, require_status
from localaws.control_plane.model import READY, RUNNING, Application, Operation, Version, now
from localaws.control_plane.paging import page
from localaws.control_plane.restarts import Restarts
from localaws.control_plane.restoring import CUSTOM, LATEST, restore_path
from localaws.control_plane.store import ApplicationStore
from localaws.job_description import ApplicationKey, JobDescription, Services

Data = dict[str, Any]


class ApplicationOperations:
    """Answer the operations on applications; each takes account, region and request, and returns the answer."""

    def __init__(self, store: ApplicationStore, lifecycle: Lifecycle, services: Services) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._restarts = Restarts(lifecycle)
        self._services = services

    def create_application(self, account: str, region: str, data: Data) -> Data:
        key = ApplicationKey(account, region, data["ApplicationName"])
        rules.check_mode(data.get("ApplicationMode"))
        configuration = copy.deepcopy(data.get("ApplicationConfiguration") or {})
        rules.check_configuration(configuration)
        tags = {tag["Key"]: tag.get("Value", "") for tag in data.get("Tags") or []}
        rules.check_tags(tags)
        options = data.get("CloudWatchLoggingOptions") or []
        if len(options) > 1:
            raise invalid("An application has at most one CloudWatch logging option.")
        version = Version(
            number=1,
            configuration=configuration,
            role=data["ServiceExecutionRole"],
            runtime=data["RuntimeEnvironment"],
            logging=[logging_option(option, "1.1") for option in options],
        )
        application = Application(
            account, region, key.name, [version], description=data.get("ApplicationDescription"), tags=tags
        )
        version.code = self._code(job_description(application))
        with self._store.lock:
            if self._store.get(key) is not None:
                raise in_use(f"Application '{key.name}' already exists.")
            self._store.save(application)
        return {"ApplicationDetail": application_detail(application)}

    def describe_application(self, account: str, region: str, data: Data) -> Data:
        return {"ApplicationDetail": application_detail(self._store.require(account, region, data))}

    def list_applications(self, account: str, region: str, data: Data) -> Data:
        return page(self._store.of(account, region), data, "ApplicationSummaries", application_summary)

    def update_application(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        with self._store.lock:
            version = self._candidate(application, data)
        job = job_description(application, version)
        version.code = self._code(job)
        if application.status == RUNNING:
            self._lifecycle.check(application, job)
        with self._store.lock:
            self._require_changeable(application, data)
            restore = self._run_update(application, data.get("RunConfigurationUpdate") or {})
            operation = self._take(application, version, "UpdateApplication", restore)
            return {"ApplicationDetail": application_detail(application), "OperationId": operation.id}

    def _candidate(self, application: Application, data: Data) -> Version:
        """Make the version that an UpdateApplication asks for and check it; the application is not changed yet."""
        self._require_changeable(application, data)
        if "RuntimeEnvironmentUpdate" in data:
            rules.check_runtime(data["RuntimeEnvironmentUpdate"])
        version = application.current.successor(application.current.number + 1)
        version.runtime = data.get("RuntimeEnvironmentUpdate", version.runtime)
        merge(version.configuration, without_suffix(data.get("ApplicationConfigurationUpdate") or {}))
        rules.check_configuration(version.configuration)
        version.role = data.get("ServiceExecutionRoleUpdate", version.role)
        for update in data.get("CloudWatchLoggingOptionUpdates") or []:
            wanted = update["CloudWatchLoggingOptionId"]
            option = next((one for one in version.logging if one["CloudWatchLoggingOptionId"] == wanted), None)
            if option is None:
                raise invalid(f"The application has no CloudWatch logging option {wanted}.")
            option["LogStreamARN"] = update.get("LogStreamARNUpdate", option["LogStreamARN"])
        return version

    def _require_changeable(self, application: Application, data: Data) -> None:
        require_status(application, (READY, RUNNING), "updated")
        rules.check_concurrency(application, data)

    def _run_update(self, application: Application, update: Data) -> str:
        """Apply a RunConfigurationUpdate; returns the restore type of the restart."""
        restore = update.get("ApplicationRestoreConfiguration") or {}
        kind = restore.get("ApplicationRestoreType", LATEST)
        if kind == CUSTOM:
            restore_path(application, restore)
        if update:
            application.run_configuration = {**application.run_configuration, **copy.deepcopy(update)}
        return kind

    def delete_application(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        rules.check_timestamp("application", data["CreateTimestamp"], application.created, "DescribeApplication")
        self._lifecycle.delete(application)
        return {}

    def start_application(self, account: str, region: str, data: Data) -> Data:
        run = copy.deepcopy(data.get("RunConfiguration") or {})
        if "SqlRunConfigurations" in run:
            raise invalid("SqlRunConfigurations are for SQL applications only; leave them out.")
        return {"OperationId": self._lifecycle.start(self._store.require(account, region, data), run).id}

    def stop_application(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        return {"OperationId": self._lifecycle.stop(application, bool(data.get("Force"))).id}

    def rollback_application(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        with self._store.lock:
            rules.check_concurrency(application, data)
            operation = self._restarts.roll_back(application)
            return {"ApplicationDetail": application_detail(application), "OperationId": operation.id}

    def create_application_presigned_url(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        if data["UrlType"] != "FLINK_DASHBOARD_URL":
            raise invalid(f"The UrlType of a Flink application is FLINK_DASHBOARD_URL, not {data['UrlType']}.")
        url = self._lifecycle.dataplane.dashboard(application.key) if application.status == RUNNING else None
        if url is None:
            raise in_use(f"The dashboard is there while the application is RUNNING; it is {application.status}.")
        return {"AuthorizedUrl": url}

    def update_application_maintenance_configuration(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        start = data["ApplicationMaintenanceConfigurationUpdate"]["ApplicationMaintenanceWindowStartTimeUpdate"]
        with self._store.lock:
            require_status(application, (READY, RUNNING), "updated")
            application.maintenance_start, application.updated = start, now()
            self._store.save(application)
        return {
            "ApplicationARN": application.arn,
            "ApplicationMaintenanceConfigurationDescription": maintenance(application),
        }

    def add_application_cloud_watch_logging_option(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        with self._store.lock:
            self._require_changeable(application, data)
            if application.current.logging:
                raise invalid("An application has at most one CloudWatch logging option; update the one it has.")
            version = application.current.successor(application.current.number + 1)
            version.logging = [logging_option(data["CloudWatchLoggingOption"], f"{version.number}.1")]
            return self._changed_logging(application, version, "AddApplicationCloudWatchLoggingOption")

    def delete_application_cloud_watch_logging_option(self, account: str, region: str, data: Data) -> Data:
        application = self._store.require(account, region, data)
        with self._store.lock:
            self._require_changeable(application, data)
            version = application.current.successor(application.current.number + 1)
            wanted = data["CloudWatchLoggingOptionId"]
            version.logging = [one for one in version.logging if one["CloudWatchLoggingOptionId"] != wanted]
            if len(version.logging) == len(application.current.logging):
                raise ApiError("ResourceNotFoundException", f"The application has no logging option {wanted}.")
            return self._changed_logging(application, version, "DeleteApplicationCloudWatchLoggingOption")

    def _changed_logging(self, application: Application, version: Version, name: str) -> Data:
        """Make a version with other logging the current one; like any update it restarts a running application."""
        operation = self._take(application, version, name, LATEST)
        return {
            "ApplicationARN": application.arn,
            "ApplicationVersionId": version.number,
            "CloudWatchLoggingOptionDescriptions": copy.deepcopy(version.logging),
            "OperationId": operation.id,
        }

    def _take(self, application: Application, version: Version, name: str, restore: str) -> Operation:
        """Make a version the current one. Hold the store's lock."""
        before = application.current.number
        application.add_version(version)
        operation = application.begin(name, from_version=before)
        if application.status == RUNNING:
            self._restarts.update(application, before, operation, restore)
        else:
            operation.finish()
            self._store.save(application)
        return operation

    def _code(self, job: JobDescription) -> Data:
        """Return CodeSize and CodeMD5 of the zip, as AWS reports them; empty where the bucket has no such object."""
        zipped = None
        if job.object_key:
            zipped = self._services.fetch_object(job.key, job.bucket, job.object_key, job.object_version)
        if zipped is None:
            return {}
        return {"CodeMD5": hashlib.md5(zipped, usedforsecurity=False).hexdigest(), "CodeSize": len(zipped)}


def logging_option(option: Data, option_id: str) -> dict[str, str]:
    return {"CloudWatchLoggingOptionId": option_id, "LogStreamARN": option["LogStreamARN"]}


def without_suffix(update: Any) -> Any:
    """Convert an ApplicationConfigurationUpdate, whose members end in Update, to an ApplicationConfiguration."""
    if not isinstance(update, dict):
        return copy.deepcopy(update)
    renamed: Data = {}
    for name, value in update.items():
        if name == "EnvironmentPropertyUpdates":  # replaces all groups, in the shape of EnvironmentProperties
            renamed["EnvironmentProperties"] = copy.deepcopy(value)
        else:
            renamed[name.removesuffix("Update")] = without_suffix(value)
    return renamed


def merge(base: Data, changes: Data) -> None:
    """Write ``changes`` into ``base``, member by member; property groups are replaced as a whole."""
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict) and name != "EnvironmentProperties":
            merge(base[name], value)
        else:
            base[name] = value
