"""A small agency in Chromium: six people with their first jobs, on 8 April 2026.

Every page that a test opens is listened to: a message of the Content-Security-Policy, an error in
the console or a request to another host fails the test.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.fixtures import Settings

if TYPE_CHECKING:
    from tests.browser.scene import Sample

DESK = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def an_event_loop_beside_ours() -> None:
    """Let the driver of the browser keep one in this thread; nothing of ours is asynchronous."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Start the Chromium of the machine, and have it call nobody of its own accord."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    quiet = ["no-first-run", "background-networking", "component-update", "sync", "gpu", "quic"]
    switches = [f"--disable-{name}" if name != "no-first-run" else f"--{name}" for name in quiet]
    return {"executable_path": found, "args": ["--no-sandbox", *switches]}


@pytest.fixture
def sample(transactional_db: None, settings: Settings) -> Sample:
    from tests.browser.scene import make_sample

    settings.TODAY = dt.date(2026, 4, 8)
    return make_sample()


@pytest.fixture
def address(live_server: Any, sample: Sample) -> str:
    return str(live_server.url)


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open pages of a window of its own, and listen to them until the test is over."""
    heard: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(**options: Any) -> Page:
        context = browser.new_context(
            **{"base_url": address, "viewport": DESK, "locale": "nl-NL"} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: heard.append(said.text) if _counts(said) else None)
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda sent: heard.append(sent.url) if _foreign(sent.url) else None)
        return page

    def _counts(said: ConsoleMessage) -> bool:
        """Leave out that a page itself answered 404 or 409: the tests look at that."""
        is_answer = said.text.startswith("Failed to load resource")
        return said.type == "error" and not (is_answer and "/static/" not in said.location["url"])

    def _foreign(url: str) -> bool:
        return not url.startswith((address, "data:", "about:", "blob:"))

    yield open_
    for context in contexts:
        context.close()
    assert heard == []
