"""Hold requests and answers against Stripe's own specification (its reduced form beside this file).

The judge reads what was really sent: the form is decoded and its texts are given the types that
the specification names, so a wrong type or a misspelt name counts at any depth.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Json = dict[str, Any]

SPECIFICATION = Path(__file__).parent / "openapi-2026-08-26.dahlia.json"
SDK_VERSION = "2026-10-28.endive"


NUMBERS: dict[Any, tuple[re.Pattern[str], Any]] = {
    "integer": (re.compile(r"-?\d+"), int),
    "number": (re.compile(r"-?\d+(\.\d+)?"), float),
}


@dataclass(frozen=True)
class Difference:
    """Something that the SDK's API version has and the specification, one version older, not."""

    why: str
    where: tuple[str, ...]
    name: str
    schema: Json


KNOWN_DIFFERENCES = (
    Difference(
        "endive shows on an invoice why it is uncollectible",
        ("schemas", "invoice", "properties"),
        "status_details",
        {"type": ["object", "null"]},
    ),
    Difference(
        "dahlia lists the versions up to its own",
        ("operations", "POST /v1/webhook_endpoints", "request", "properties"),
        "api_version",
        {"enum": [SDK_VERSION], "type": "string"},
    ),
)


def load(differences: tuple[Difference, ...] = KNOWN_DIFFERENCES) -> Json:
    """Return the specification with the known differences allowed."""
    spec: Json = json.loads(SPECIFICATION.read_text())
    for difference in differences:
        place = spec
        for step in difference.where:
            place = place[step]
        place[difference.name] = difference.schema
    return spec


@cache
def specification() -> Json:
    return load()


def judge_request(method: str, url: str, form: str) -> list[str]:
    """Return what Stripe's specification has against a request; ``form`` is its body."""
    address = urlsplit(url)
    operation = operation_of(method, address.path)
    if operation is None:
        return [f"{method} {address.path}: no operation of the reduced specification"]
    schema = specification()["operations"][operation]["request"]
    sent = typed(decoded(form or address.query), schema)
    return [f"{operation}: {problem}" for problem in problems(sent, schema)]


def judge_answer(method: str, url: str, status: int, body: str) -> list[str]:
    """Return what Stripe's specification has against an answer."""
    path = urlsplit(url).path
    operation = operation_of(method, path)
    if operation is None:
        return [f"{method} {path}: no operation of the reduced specification"]
    try:
        given = json.loads(body)
    except ValueError:
        return [f"{operation}: answer {status} is not JSON"]
    schema = (
        specification()["operations"][operation]["answer"]
        if status == 200
        else specification()["schemas"]["error"]
    )
    found = [*problems(given, schema), *event_problems(given)]
    return [f"{operation} {status}: {problem}" for problem in found]


def judge_object(given: Json) -> list[str]:
    """Return what is wrong with an object, by the kind that it says it is."""
    schema = specification()["schemas"].get(given.get("object", ""))
    if schema is None:
        return [f"no schema for an object of kind {given.get('object')}"]
    return [*problems(given, schema), *event_problems(given)]


def event_problems(given: Any) -> Iterator[str]:
    """Look into events: the specification says of their object only that it is one."""
    if not isinstance(given, dict):
        return
    events = given["data"] if given.get("object") == "list" else [given]
    for event in events:
        if event.get("object") == "event":
            yield from judge_object(event["data"]["object"])


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    return {
        operation: re.compile(re.sub(r"\{\w+\}", "[^/]+", operation))
        for operation in specification()["operations"]
    }


def operation_of(method: str, path: str) -> str | None:
    wanted = f"{method.upper()} {path}"
    return next((name for name, known in patterns().items() if known.fullmatch(wanted)), None)


def problems(given: Any, schema: Json) -> list[str]:
    """Return the one problem that explains most; none when the object fits."""
    validator = Draft202012Validator(schema | {"schemas": specification()["schemas"]})
    error = best_match(validator.iter_errors(given))
    if error is None:
        return []
    return [f"{'/'.join(map(str, error.absolute_path)) or '(whole)'}: {error.message[:300]}"]


def decoded(form: str) -> Json:
    """Turn ``a[0][b]=c`` into nested objects of texts."""
    whole: Json = {}
    for name, text in parse_qsl(form, keep_blank_values=True):
        steps = name.replace("]", "").split("[")
        place = whole
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1] or str(len(place))] = text
    return whole


def typed(value: Any, schema: Json) -> Any:
    """Give texts of a form the types that the schema wants, where they can have them."""
    if "$ref" in schema:
        return typed(value, specification()["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        readings = [typed(value, alternative) for alternative in schema["anyOf"]]
        fitting = (
            reading
            for reading, alternative in zip(readings, schema["anyOf"], strict=True)
            if not problems(reading, alternative)
        )
        return next(fitting, readings[0])
    if isinstance(value, dict):
        return typed_tree(value, schema)
    kind = schema.get("type")
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    number = NUMBERS.get(kind)
    return number[1](value) if number and number[0].fullmatch(value) else value


def typed_tree(value: Json, schema: Json) -> Any:
    if schema.get("type") == "array" and all(name.isdigit() for name in value):
        return [typed(value[name], schema["items"]) for name in sorted(value, key=int)]
    fields = schema.get("properties", {})
    return {name: typed(item, fields.get(name, {})) for name, item in value.items()}
