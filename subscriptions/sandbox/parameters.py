"""Decode a request's form and hold it to the shape of its operation.

A shape names the parameters that the sandbox models and those that Stripe also accepts but the
sandbox does not. Anything else is refused as Stripe refuses it, nested objects included.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from subscriptions.sandbox.errors import (
    ApiError,
    UnmodelledError,
    missing_parameter,
    unknown_parameters,
)

MAX_METADATA_KEYS = 50
MAX_METADATA_NAME = 40
MAX_METADATA_VALUE = 500


def decode(form: str) -> dict[str, Any]:
    """Turn ``lines[0][amount]=5`` into ``{"lines": {"0": {"amount": "5"}}}``; values stay text."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        steps = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name) or [name]
        branch = tree
        for step in steps[:-1]:
            branch = branch.setdefault(step, {})
            if not isinstance(branch, dict):
                raise ApiError(400, f"Invalid object: {name}", param=name)
        # "expand[]" carries no index: each of its values gets the next one.
        branch[steps[-1] or str(len(branch))] = value
    return tree


class Shape(ABC):
    """What one parameter may hold."""

    @abstractmethod
    def read(self, value: Any, name: str) -> Any:
        """Return the value as Stripe would store it; raise ApiError in Stripe's words."""


@dataclass(frozen=True)
class Text(Shape):
    max_length: int = 5000

    def read(self, value: Any, name: str) -> str | None:
        if not isinstance(value, str):
            raise ApiError(400, f"Invalid string: {value}", param=name)
        if len(value) > self.max_length:
            raise ApiError(
                400,
                f"Invalid string: {value[:4]}…{value[-4:]}; must be at most "
                f"{self.max_length} characters",
                param=name,
            )
        return value or None  # an empty string unsets


@dataclass(frozen=True)
class Integer(Shape):
    def read(self, value: Any, name: str) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
            raise ApiError(
                400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
            )
        return int(value)


@dataclass(frozen=True)
class Number(Shape):
    """A decimal, kept as the text that was sent."""

    def read(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d{1,12})?", value):
            raise ApiError(400, f"Invalid decimal: {value}", param=name)
        return value


@dataclass(frozen=True)
class Flag(Shape):
    def read(self, value: Any, name: str) -> bool:
        if value not in {"true", "false"}:
            raise ApiError(400, f"Invalid boolean: {value}", param=name)
        return bool(value == "true")


@dataclass(frozen=True)
class OneOf(Shape):
    values: tuple[str, ...]
    unmodelled: tuple[str, ...] = ()

    def read(self, value: Any, name: str) -> str:
        if value in self.unmodelled:
            raise UnmodelledError(f"the value {value} of {name}", param=name)
        if value not in self.values:
            either = " or ".join((*self.values, *self.unmodelled))
            raise ApiError(400, f"Invalid {name}: must be one of {either}", param=name)
        return str(value)


@dataclass(frozen=True)
class Metadata(Shape):
    def read(self, value: Any, name: str) -> dict[str, str]:
        if value == "":
            return {}
        if not isinstance(value, dict) or len(value) > MAX_METADATA_KEYS:
            raise ApiError(400, "Invalid metadata: at most 50 keys", param=name)
        for key, text in value.items():
            if len(key) > MAX_METADATA_NAME or not isinstance(text, str):
                raise ApiError(400, f"Invalid metadata key: {key}", param=name)
            if len(text) > MAX_METADATA_VALUE:
                raise ApiError(
                    400,
                    f"Metadata values can have up to {MAX_METADATA_VALUE} characters, but you "
                    f"passed in a value that is {len(text)} characters. Invalid value: {text[:20]}",
                    param=name,
                )
        return {key: text for key, text in value.items() if text}


@dataclass(frozen=True)
class ListOf(Shape):
    item: Shape
    max_length: int = 250

    def read(self, value: Any, name: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, dict) or not all(index.isdigit() for index in value):
            raise ApiError(400, f"Invalid array: {name}", param=name)
        if len(value) > self.max_length:
            raise ApiError(
                400,
                f"Array {name} exceeded maximum {self.max_length} allowed elements.",
                param=name,
            )
        return [
            self.item.read(value[index], f"{name}[{index}]") for index in sorted(value, key=int)
        ]


@dataclass(frozen=True)
class Nested(Shape):
    """An object with known fields; ``unmodelled`` are names of Stripe's that answer 501."""

    fields: dict[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    unmodelled: frozenset[str] = frozenset()

    def read(self, value: Any, name: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ApiError(400, f"Invalid object: {name}", param=name)
        full = {key: f"{name}[{key}]" if name else key for key in (*value, *self.required)}
        if unknown := value.keys() - self.fields.keys() - self.unmodelled:
            raise unknown_parameters(full[key] for key in unknown)
        for key in self.required:
            if key not in value:
                raise missing_parameter(full[key])
        for key in value:
            if key in self.unmodelled:
                raise UnmodelledError(f"the parameter {full[key]}", param=full[key])
        return {key: self.fields[key].read(item, full[key]) for key, item in value.items()}
