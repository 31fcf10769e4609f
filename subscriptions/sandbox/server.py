"""The HTTP server: reads a request, has it answered, writes the answer."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, urlsplit

from subscriptions.sandbox import api, control, hosted
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.state import State
from subscriptions.sandbox.webhooks import Courier

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 4_000_000
JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


class Sandbox(ThreadingHTTPServer):
    """A sandbox on loopback; ``port`` 0 takes a free one, ``path`` names the state's file.

    Its courier starts at once. ``serve_forever`` has to have ended before ``close``.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0, path: str = ":memory:") -> None:
        self.state = State(path)
        try:
            super().__init__((LOOPBACK, port), Handler)
        except BaseException:
            self.state.close()
            raise
        self.courier = Courier(self.state)
        self.courier.start()

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def close(self) -> None:
        self.server_close()
        self.courier.stop()
        self.state.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_DELETE(self) -> None:
        self.respond()

    def respond(self) -> None:
        sandbox = cast("Sandbox", self.server)
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.write(api.Answer(413, "{}"))
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        try:
            answer = self.route(sandbox, address.path, body or address.query)
        except ApiError as error:
            answer = api.Answer(error.status, json.dumps(error.body()))
        sandbox.courier.wake()
        self.write(answer)

    def route(self, sandbox: Sandbox, path: str, form: str) -> api.Answer:
        if path.startswith("/v1/"):
            headers = {name.lower(): value for name, value in self.headers.items()}
            return api.answer(
                sandbox.state,
                api.Request(self.command, path, form, headers, sandbox.base_url),
            )
        if path.startswith("/_sandbox/") and self.command == "POST":
            done = control.answer(sandbox.state, path, form, sandbox.base_url)
            return api.Answer(200, json.dumps(done))
        return self.show(sandbox, path, form)

    def show(self, sandbox: Sandbox, path: str, form: str) -> api.Answer:
        parts = path.strip("/").split("/")
        html = {"Content-Type": HTML_TYPE}
        with sandbox.state.transaction():
            match self.command, parts:
                case "GET", [""]:
                    return api.Answer(200, hosted.index(sandbox.state), html)
                case "GET", ["i", token]:
                    return api.Answer(200, hosted.invoice_page(sandbox.state, token), html)
                case "POST", ["i", token]:
                    outcome = parse_qs(form).get("outcome", [""])[0]
                    hosted.press(sandbox.state, token, outcome, sandbox.base_url)
                    return api.Answer(303, "", {"Location": path})
                case "GET", ["i", token, "pdf"]:
                    body = hosted.invoice_pdf(sandbox.state, token)
                    return api.Answer(200, body, {"Content-Type": "application/pdf"})
                case "GET", ["c", session]:
                    return api.Answer(200, hosted.checkout_page(sandbox.state, session), html)
                case "POST", ["c", session]:
                    outcome = parse_qs(form).get("outcome", [""])[0]
                    to = hosted.press_checkout(sandbox.state, session, outcome, sandbox.base_url)
                    return api.Answer(303, "", {"Location": to})
        raise ApiError(404, f"Unrecognized request URL ({self.command}: {path}).")

    def write(self, answer: api.Answer) -> None:
        time.sleep(answer.delay_seconds)
        if answer.dropped:
            self.close_connection = True
            return
        headers = {"Content-Type": JSON_TYPE} | answer.headers
        body = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
        self.send_response(answer.status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Stay silent: what was asked stands in the events."""
