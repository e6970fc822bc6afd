"""Make the API's answers that are errors."""

from localaws.errors import ApiError


def not_found(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", what)


def in_use(message: str) -> ApiError:
    return ApiError("ResourceInUseException", message)


def invalid(message: str) -> ApiError:
    return ApiError("InvalidArgumentException", message)


def unsupported(message: str) -> ApiError:
    return ApiError("UnsupportedOperationException", message)
