"""A local stand-in for VIES, over HTTP on loopback: for tests and the demo.

It finds every id valid whose check digits fit. ``POST /_sandbox/answers`` with
``{"BE0123456749": "INVALID"}`` orders otherwise, until it is ordered anew: ``VALID``, ``INVALID``,
any error of VIES (``MS_UNAVAILABLE``, ``TIMEOUT``), ``HTTP_500`` or ``DROP``; ``"*"`` is for all.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import stdnum.eu.vat

LOOPBACK = "127.0.0.1"


class ViesSandbox(ThreadingHTTPServer):
    """The stand-in; ``port`` 0 takes a free one. ``asked`` holds every question it was asked."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.answers: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast("ViesSandbox", self.server)
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path == "/_sandbox/answers":
            server.answers = said
            self.write(200, {})
        elif self.path == "/check-vat-number":
            server.asked.append(said)
            self.check(server, said)
        else:
            self.write(404, {})

    def check(self, server: ViesSandbox, asked: dict[str, str]) -> None:
        vat_id = asked["countryCode"] + asked["vatNumber"]
        by_digits = "VALID" if stdnum.eu.vat.is_valid(vat_id) else "INVALID"
        answer = server.answers.get(vat_id) or server.answers.get("*") or by_digits
        if answer in {"VALID", "INVALID"}:
            reference = f"WAPIDEMO{len(server.asked):08d}" if asked.get("requesterNumber") else ""
            self.write(
                200,
                {
                    "countryCode": asked["countryCode"],
                    "vatNumber": asked["vatNumber"],
                    "requestDate": self.date_time_string(),
                    "valid": answer == "VALID",
                    "requestIdentifier": reference,
                    "name": "---",
                    "address": "---",
                },
            )
        elif answer == "HTTP_500":
            self.write(500, "no object")
        elif answer != "DROP":
            self.write(200, {"actionSucceed": False, "errorWrappers": [{"error": answer}]})

    def write(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Stay silent."""
