"""The command: loopback only, no live place, and what it was told outlives a kill."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError

ROOT = Path(__file__).parents[3]
HEADERS = {"Authorization": "Bearer sk_test_12345678"}


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command in a process of its own; yields the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "stripe_sandbox", "--port", "0", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert found
        yield process, found[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_was_told_outlives_a_kill(tmp_path: Path) -> None:
    file = ("--state", str(tmp_path / "stripe.sqlite3"))
    with running(*file) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        form = {"name": "Someone"}
        headers = HEADERS | {"Idempotency-Key": "key"}
        first = requests.post(f"{address}/v1/customers", form, headers=headers, timeout=60).json()
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(*file) as (process, address):
        again = requests.post(f"{address}/v1/customers", form, headers=headers, timeout=60)
        assert again.json() == first
        assert again.headers["Idempotent-Replayed"] == "true"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_it_does_not_start_in_a_live_place(settings: Any) -> None:
    settings.ENVIRONMENT = "live"

    with pytest.raises(CommandError, match="live"):
        call_command("stripe_sandbox", "--port", "0")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--webhook", "http://127.0.0.1:9/"], "--webhook-secret"),
        (["--webhook", "https://example.com/", "--webhook-secret", "s"], "this machine only"),
        (["--port", "99999"], "0-65535"),
        (["--state", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_wrong_use_ends_with_a_sentence(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as refused:
        call_command("stripe_sandbox", "--port", "0", *arguments)

    assert refused.value.returncode == 2


def test_a_port_that_is_taken_is_said() -> None:
    with running() as (_process, address):
        port = address.rpartition(":")[2]

        with pytest.raises(CommandError, match="in use"):
            call_command("stripe_sandbox", "--port", port)
