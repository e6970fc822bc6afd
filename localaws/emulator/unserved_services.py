"""Answer requests to services that the account does not have: one error, in the client's protocol."""

import json
from typing import Any
from xml.sax.saxutils import escape

import cbor2

from localaws.emulator.ministack_adapter import SERVICES
from localaws.emulator.request_guard import Asgi, Scope, read_to_end, send_answer, signed_service

_CODE = "UnsupportedOperationException"
_OTHER_SIGNING_NAMES = {"kinesisanalyticsv2": "kinesisanalytics"}
_SERVED = {_OTHER_SIGNING_NAMES.get(name, name) for name in SERVICES.split(",")}
_REST_XML = ("cloudfront", "route53")  # besides S3 and its control, of all services that botocore knows


def refusing_unserved(inner: Asgi) -> Asgi:
    """Wrap the emulator's ASGI application; a request's service is the one its signature is for."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        service = signed_service(headers)
        if scope["type"] != "http" or service is None or service in _SERVED:
            await inner(scope, receive, send)
            return
        await read_to_end(receive)
        kind, body = refusal(service, headers)
        more = [(b"x-amzn-errortype", _CODE.encode()), (b"smithy-protocol", b"rpc-v2-cbor")][: 1 + ("cbor" in kind)]
        await send_answer(send, 400, body, kind, *more)

    return application


def refusal(service: str, headers: dict[bytes, str]) -> tuple[str, bytes]:
    """Return content type and body of the error, as the request's protocol has them."""
    message = f"The embedded account has no {service}; it has {', '.join(sorted(SERVICES.split(',')))}. Call it on AWS."
    said = {"__type": _CODE, "message": message}
    if headers.get(b"smithy-protocol") == "rpc-v2-cbor":
        return "application/cbor", cbor2.dumps(said)
    query = headers.get(b"content-type", "").startswith("application/x-www-form-urlencoded")
    if not query and service not in _REST_XML:
        return headers.get(b"content-type") or "application/json", json.dumps(said).encode()
    error = f"<Error><Type>Sender</Type><Code>{_CODE}</Code><Message>{escape(message)}</Message></Error>"
    if service == "ec2":
        return "text/xml", f"<Response><Errors>{error}</Errors><RequestID>local</RequestID></Response>".encode()
    return "text/xml", f"<ErrorResponse>{error}<RequestId>local</RequestId></ErrorResponse>".encode()
