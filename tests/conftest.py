"""The suite listens.

A warning, a logged error, a call to the outside or a misspelt template variable fails the test
that caused it.
"""

from __future__ import annotations

import datetime as dt
import gc
import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from django.template.base import FilterExpression
from django.utils import translation
from pytest_django.fixtures import Settings

pytest_plugins = ["tests.stripe.fixtures", "tests.confidentiality.report"]

# A property is true or false however busy the machine is.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

ROOT = Path(__file__).resolve().parent.parent
SLOW = frozenset({"browser", "office", "long"})
TIDY_UP = pytest.StashKey[Callable[[], None]]()
VARIABLES = {
    "ENVIRONMENT": "test",
    "SECRET_KEY": "a key for tests, and for nothing else but tests",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "STRIPE_API_KEY": "sk_test_discreet",
    "STRIPE_API_BASE": "http://127.0.0.1:9",  # nobody answers there: a test starts its own
    "STRIPE_WEBHOOK_SECRET": "whsec_discreet",
    "DJANGO_SETTINGS_MODULE": "agency.settings",
}
LEFT_AT_THEIR_DEFAULTS = (
    *(
        "BACKUP_KEY",
        "DEBUG",
        "EMAIL_URL",
        "ERASURES",
        "Q_WORKERS",
        "SITE_URL",
        "STRIPE_API_VERSION",
        "TODAY",
    ),
    "VIES_API_BASE",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="run on this database; with postgresql only the tests that use a database run",
    )
    parser.addoption(
        "--only",
        choices=sorted(SLOW),
        help="run the tests of this mark, instead of those without any of these marks",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set what the settings read, and have Django read it; workers inherit it."""
    if hasattr(config, "workerinput") or config.getoption("help"):
        return
    from tests.catalogue import compile_catalogues

    compile_catalogues()
    for name in LEFT_AT_THEIR_DEFAULTS:
        os.environ.pop(name, None)
    os.environ.update(VARIABLES | {"DATABASE_URL": _start_database(config)})
    django.setup()


def _start_database(config: pytest.Config) -> str:
    if config.getoption("--database") == "postgresql":
        from tests.postgres import start_server

        address, stop = start_server()
        config.stash[TIDY_UP] = stop
        return address
    directory = tempfile.mkdtemp(prefix="discreet-")
    config.stash[TIDY_UP] = lambda: shutil.rmtree(directory, ignore_errors=True)
    return f"sqlite:///{directory}/tests.sqlite3"


def pytest_unconfigure(config: pytest.Config) -> None:
    if TIDY_UP in config.stash:
        config.stash[TIDY_UP]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--only")
    wanted = {only} if only else set()
    on_postgresql = config.getoption("--database") == "postgresql"
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        slow = SLOW & {mark.name for mark in item.iter_markers()}
        runs = slow == wanted and (not on_postgresql or _asks_the_database(item))
        (chosen if runs else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def pytest_collection_finish() -> None:
    """Look seldom for garbage, and not among the modules: that took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 10)


def _asks_the_database(item: pytest.Item) -> bool:
    """Tell whether a second database could answer otherwise."""
    if item.get_closest_marker("one_database"):
        return False
    fixtures = {"db", "transactional_db", "live_server"}
    return bool(
        item.get_closest_marker("django_db") or fixtures & set(getattr(item, "fixturenames", ()))
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, worker_id: str) -> None:
    """Use a file for SQLite too: in memory it has no WAL and no second connection."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "sqlite3" in database["ENGINE"]:
        database["TEST"]["NAME"] = f"{database['NAME']}.{worker_id}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let the emptying of the database after a transactional test pass the guards."""
    from django.test import TransactionTestCase

    from agency.guards import retention_may_delete

    transactional: Any = TransactionTestCase
    empty = transactional._fixture_teardown

    def empty_guarded(self: TransactionTestCase) -> None:
        with retention_may_delete():
            empty(self)

    transactional._fixture_teardown = empty_guarded
    yield
    transactional._fixture_teardown = empty


@pytest.fixture(scope="session", autouse=True)
def convenient_settings() -> None:
    """Sign in without a second step, hash passwords fast, look for static files when asked."""
    from django.conf import settings

    settings.TWO_STEP_REQUIRED = False
    settings.WHITENOISE_AUTOREFRESH = True  # else each test client reads all of them
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def no_calls_to_the_outside() -> Iterator[None]:
    connect = socket.socket.connect

    def connect_here_only(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
            pytest.fail(f"The test calls {address[0]}; only this machine may be called.")
        connect(self, address)

    socket.socket.connect = connect_here_only  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


@pytest.fixture(autouse=True)
def no_logged_errors(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail a test that logs an error, unless that is what it wants: ``logs_errors``."""
    yield
    if not request.node.get_closest_marker("logs_errors"):
        records = [*caplog.get_records("setup"), *caplog.get_records("call")]
        errors = [record.getMessage() for record in records if record.levelno >= logging.ERROR]
        assert errors == []


@pytest.fixture(autouse=True)
def no_language_left_behind() -> Iterator[None]:
    """Begin each test in Dutch, the default; a page would leave its reader's language behind."""
    with translation.override("nl"):
        yield


@pytest.fixture
def on_8_april_2026(settings: Settings) -> None:
    settings.TODAY = dt.date(2026, 4, 8)


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def no_missing_template_variables() -> None:
    """Listen in each test anew: one that changes DEBUG has Django make its engines again."""
    from django.template import engines

    engines["django"].engine.string_if_invalid = MissingVariable()  # type: ignore[attr-defined]


class MissingVariable(str):
    """Stands in for a variable that a template does not find.

    Django asks whether it is true while it resolves the expression: a template of ours fails
    then, unless it gives a default; those of packages go on, as their authors rely on it.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        asker = sys._getframe(1).f_locals.get("self")
        if isinstance(asker, FilterExpression) and (template := _our_template()):
            filters = {function.__name__ for function, _ in asker.filters}
            if not filters & {"default", "default_if_none"}:
                pytest.fail(f"{template} has no variable {asker.var}")
        return False


def _our_template() -> str | None:
    frame = sys._getframe(2)
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_code.co_name == "render_annotated":
            name = str(frame.f_locals["self"].origin.name)
            return name if name.startswith(str(ROOT)) and "site-packages" not in name else None
    return None
