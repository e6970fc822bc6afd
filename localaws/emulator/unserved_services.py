"""Answer requests to services that the account does not have: one error, in the client's protocol."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape

import cbor2

from localaws.emulator.ministack_adapter import SERVICES
from localaws.emulator.request_guard import Asgi, Scope

_CODE = "UnsupportedOperationException"
_SIGNED = re.compile(r"Credential=[^/,\s]+/\d{8}/[\w-]*/([\w-]+)/aws4_request")
_OTHER_SIGNING_NAMES = {"kinesisanalyticsv2": "kinesisanalytics"}
_SERVED = {_OTHER_SIGNING_NAMES.get(name, name) for name in SERVICES.split(",")}
_REST_XML = ("cloudfront", "route53")  # besides S3 and its control, of all services that botocore knows


def refusing_unserved(inner: Asgi) -> Asgi:
    """Wrap the emulator's ASGI application; a request's service is the one its signature is for."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        signed = _SIGNED.search(headers.get(b"authorization", ""))
        if scope["type"] != "http" or signed is None or signed[1] in _SERVED:
            await inner(scope, receive, send)
            return
        while (await receive()).get("more_body", False):
            pass  # a client hears no answer before it has sent everything
        kind, body = refusal(signed[1], headers)
        answer = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        answer += [(b"x-amzn-errortype", _CODE.encode()), (b"smithy-protocol", b"rpc-v2-cbor")][: 1 + ("cbor" in kind)]
        await send({"type": "http.response.start", "status": 400, "headers": answer})
        await send({"type": "http.response.body", "body": body})

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
