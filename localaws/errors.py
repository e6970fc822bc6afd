"""Define the exceptions of the embedded account; each message is one sentence with the next step."""


class LocalAwsError(Exception):
    """Be the root of all errors that the embedded account raises on purpose."""


class PortTaken(LocalAwsError):
    """Say that another process listens on the port the account was told to use."""

    def __init__(self, port: int, holder: str) -> None:
        super().__init__(
            f"Port {port} on 127.0.0.1 is taken by {holder}; stop that process or choose another port with "
            f"--port (or LOCALAWS_PORT)."
        )


class AccountNotUp(LocalAwsError):
    """Say that a command needs the account and it is not running."""

    def __init__(self, home: str) -> None:
        super().__init__(f"No embedded account is running for {home}; start it with 'python -m localaws up'.")


class AccountSilent(LocalAwsError):
    """Say that the account's process runs and does not answer.

    It is never ended for that, since its streams would be gone.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(
            f"The embedded account runs (process {pid}) and did not answer within a minute; try again in a moment, or "
            "end it with 'python -m localaws down', which empties its streams, and start it again."
        )


class ApiError(LocalAwsError):
    """Hold what an API of the account answers: ``code`` is the exception boto3 raises, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class AccountDiffers(LocalAwsError):
    """Say that the account runs, but not as it was asked for."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"The embedded account is already up without {' '.join(missing)}; stop it with 'python -m localaws down' "
            "and start it again."
        )


class AccountDidNotStart(LocalAwsError):
    """Say that the background process died or did not answer in time."""


class ApplicationRefused(LocalAwsError):
    """Say that the application's zip or configuration cannot run; Managed Flink answers InvalidArgumentException."""


class ApplicationFailed(LocalAwsError):
    """Say that the application was started and failed; ``cause`` is the raw text of the first failure."""

    def __init__(self, sentence: str, cause: str = "") -> None:
        super().__init__(sentence)
        self.cause = cause


class ClusterFailed(LocalAwsError):
    """Say that a Flink process did not come up or died."""


class FlinkNotUsable(LocalAwsError):
    """Say that the Flink cluster the account was given is not one its applications can run on."""


class MiniStackChanged(LocalAwsError):
    """Say that the installed MiniStack is not the version ``ministack_adapter`` was made for."""
