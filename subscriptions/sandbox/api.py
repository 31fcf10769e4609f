"""One request to /v1: key, version, fault, idempotency key, parameters, operation, answer."""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from subscriptions.sandbox import faults
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, UnmodelledError
from subscriptions.sandbox.idempotency import Remembered, recall, remember
from subscriptions.sandbox.objects import API_VERSION
from subscriptions.sandbox.operations import OPERATIONS
from subscriptions.sandbox.parameters import decode
from subscriptions.sandbox.shapes import SHAPES
from subscriptions.sandbox.state import State, new_id

# Stripe keeps its answer, so that trying again with the same key is of no use.
NO_RETRY = {"Stripe-Should-Retry": "false"}
PATTERNS = {
    operation: re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation)) for operation in SHAPES
}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    form: str  # the body of a POST, else the query
    headers: dict[str, str]  # names in lower case
    base_url: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: str | bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    dropped: bool = False


def answer(state: State, request: Request) -> Answer:
    """Carry out a request in one transaction, or refuse it without a trace."""
    headers = {"Request-Id": new_id("req"), "Stripe-Version": API_VERSION}
    try:
        return serve(state, request, headers)
    except ApiError as error:
        no_retry = NO_RETRY if error.status == UnmodelledError.STATUS else {}
        return Answer(error.status, json.dumps(error.body()), headers | no_retry)


def serve(state: State, request: Request, headers: dict[str, str]) -> Answer:
    authenticate(request.headers.get("authorization", ""))
    check_version(request.headers.get("stripe-version", ""))
    operation, ids = find_operation(request)
    with state.transaction():
        limited = faults.take(state, operation, ("429",))
    if limited:
        raise ApiError(429, "Request rate limit exceeded. (ordered)", code="rate_limit")
    call = Call(
        state,
        ids,
        decode(request.form),
        request.base_url,
        headers["Request-Id"],
        request.headers.get("idempotency-key", "") if request.method == "POST" else "",
    )
    with state.transaction():
        return carry_out(operation, request.path, call, headers)


def carry_out(operation: str, path: str, call: Call, headers: dict[str, str]) -> Answer:
    """Answer from memory, or do it and remember; a refused parameter is not remembered."""
    key, state = call.idempotency_key, call.state
    known = recall(state, key, path, call.given) if key else None
    if known:
        headers |= {"Idempotent-Replayed": "true", "Original-Request": known.request_id}
        fault = faults.take(state, operation, ("drop_response", "slow"))
    else:
        read = SHAPES[operation].read(call.given)
        fault = faults.take(state, operation)
        known = perform(operation, replace(call, given=read), fault)
        if key:
            remember(state, key, path, call.given, known)
    if key:
        headers["Idempotency-Key"] = key
    return Answer(
        known.status,
        known.body,
        headers | (NO_RETRY if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}),
        delay_seconds=fault.seconds if fault and fault.name == "slow" else 0,
        dropped=fault is not None and fault.name == "drop_response",
    )


def perform(operation: str, call: Call, fault: faults.Fault | None) -> Remembered:
    """Do it, or leave no trace of it, and return what Stripe would remember of it."""
    try:
        if fault and fault.name == "500_before":
            raise ordered_500()
        with call.state.savepoint():
            result = OPERATIONS[operation](call)
        if fault and fault.name == "500_after":
            raise ordered_500()
    except UnmodelledError:
        raise
    except ApiError as error:
        return Remembered(error.status, json.dumps(error.body()), call.request_id)
    return Remembered(200, json.dumps(result), call.request_id)


def ordered_500() -> ApiError:
    return ApiError(500, "An unknown error occurred. (ordered)", kind="api_error")


def authenticate(header: str) -> None:
    """Accept any test key, by Bearer or by Basic; a live key has no business here."""
    scheme, _, value = header.partition(" ")
    key = value.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key:
        raise ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if re.match(r"[sr]k_live_", key):
        raise ApiError(401, "A live key was sent to the sandbox. It takes test keys only.")
    if not re.fullmatch(r"[sr]k_test_\w{8,}", key):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}****{key[-4:]}")


def check_version(version: str) -> None:
    if not version or version == API_VERSION:
        return
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(\.[a-z]+)?", version):
        raise ApiError(400, f"Invalid Stripe API version: {version}")
    raise UnmodelledError(f"API version {version}, only {API_VERSION}")


def find_operation(request: Request) -> tuple[str, dict[str, str]]:
    for operation, pattern in PATTERNS.items():
        if found := pattern.fullmatch(f"{request.method} {request.path}"):
            return operation, found.groupdict()
    raise UnmodelledError(f"{request.method} {request.path}")
