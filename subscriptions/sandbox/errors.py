"""Refusals in Stripe's wording, as far as Stripe publishes it."""

from collections.abc import Iterable
from typing import Any


class ApiError(Exception):
    """An answer other than 200, with the fields of Stripe's error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        error = {"message": str(self), "type": self.kind, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in error.items() if value}}


class UnmodelledError(ApiError):
    """What Stripe may well accept but the sandbox does not know: never a rule of Stripe's."""

    STATUS = 501

    def __init__(self, what: str, *, param: str = "") -> None:
        super().__init__(
            self.STATUS,
            f"The sandbox does not model {what}. This is a gap of the sandbox, not Stripe's rule.",
            kind="api_error",
            code="sandbox_unmodelled",
            param=param,
        )


def unknown_parameters(names: Iterable[str]) -> ApiError:
    names = sorted(names)
    plural = "s" if len(names) > 1 else ""
    return ApiError(
        400,
        f"Received unknown parameter{plural}: {', '.join(names)}",
        code="parameter_unknown",
        param=names[0],
    )


def missing_parameter(name: str) -> ApiError:
    return ApiError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def no_such(noun: str, identity: str, *, param: str, status: int = 404) -> ApiError:
    """``status`` is 404 for an id in the address, 400 for one in a parameter."""
    return ApiError(status, f"No such {noun}: '{identity}'", code="resource_missing", param=param)
