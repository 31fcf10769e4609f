"""The demo's processes: web, queue and Stripe's stand-in, started and stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.utils.translation import gettext as _

from agency.commands import BAD_NEWS

STARTS_WITHIN_SECONDS = 30
STOPS_WITHIN_SECONDS = 10


class StartError(Exception):
    """A process that does not come up; the message names its log."""


def free_port(wanted: int) -> int:
    """Give the wanted port, or another one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartError(_("No port is free on this machine."))


class Processes:
    """Children that end with this object, each with a log in ``folder``."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, *arguments: str) -> None:
        """Start ``python ARGUMENTS`` in a group of its own, so that Ctrl-C reaches us first."""
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def wait_for(self, name: str, address: str) -> None:
        """Wait until a process answers at an address, with whatever status."""
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < until and self.running[name].poll() is None:
            try:
                with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - loopback
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise StartError(
            _("%(name)s did not start; see %(log)s.") % {"name": name, "log": self.log(name)}
        )

    def run(self, *arguments: str, **environment: str) -> None:
        """Run one of our commands to its end; raises CalledProcessError.

        Documents that are blocked are bad news of `bill`, and part of what the demo shows.
        """
        done = subprocess.run(  # noqa: S603 - our own programs
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env={**self.environment, **environment},
            check=False,
        )
        if not (arguments[0] == "bill" and done.returncode == BAD_NEWS):
            done.check_returncode()

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + STOPS_WITHIN_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.running.clear()
