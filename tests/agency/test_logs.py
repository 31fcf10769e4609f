"""Nothing that a person typed reaches a log."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from agency.logs import LineFormatter


def line(logger: str, message: str, *args: object, **fields: Any) -> dict[str, Any]:
    error = fields.pop("error", None)
    record = logging.getLogger(logger).makeRecord(
        logger, logging.WARNING, __file__, 1, message, args, error, "place", fields
    )
    return dict(json.loads(LineFormatter().format(record)))


def test_our_own_message_is_kept_without_what_is_filled_in() -> None:
    found = line("subscriptions.push", "Invoice %s waits", "Acme B.V.", status=409)
    assert (found["event"], found["status"]) == ("Invoice %s waits", 409)
    assert "Acme" not in json.dumps(found)


@pytest.mark.attack(21)
def test_fields_that_are_not_on_the_list_are_dropped() -> None:
    assert "body" not in line("agency.middleware", "request", body="secret", role="planner")


def test_of_other_packages_only_the_place_is_kept() -> None:
    found = line("django.request", "Bad Request: /portal/?q=secret")
    assert found["event"] == "django.request test_logs.place:1"


@pytest.mark.attack(21, 22, 24)
def test_of_an_exception_the_kinds_and_places_are_kept_but_not_its_text() -> None:
    try:
        try:
            message = "Key (email)=(ann@client.example) already exists"
            raise ValueError(message)
        except ValueError as error:
            raise RuntimeError(str(error)) from error
    except RuntimeError:
        found = line("agency.x", "failed", error=sys.exc_info())
    assert [place for place in found["exception"] if place.isalpha()] == [
        "ValueError",
        "RuntimeError",
    ]
    assert "test_logs.py" in found["exception"][1]
    assert "ann@" not in json.dumps(found)
