"""Answers of the API that are errors."""

from localaws.errors import LocalAwsError


class ApiError(LocalAwsError):
    """An error of ``kinesisanalyticsv2``: ``code`` is the exception boto3 raises, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def not_found(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", what)


def in_use(message: str) -> ApiError:
    return ApiError("ResourceInUseException", message)


def invalid(message: str) -> ApiError:
    return ApiError("InvalidArgumentException", message)


def unsupported(message: str) -> ApiError:
    return ApiError("UnsupportedOperationException", message)
