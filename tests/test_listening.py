"""The suite itself: what it listens for is heard (conftest.py)."""

from __future__ import annotations

import logging
import socket
import warnings

import pytest
from django.template import Context, Engine, Origin, Template, engines

from tests.conftest import ROOT

OURS = Origin(str(ROOT / "subscriptions/templates/portal/overview.html"))
ANOTHERS = Origin(str(ROOT / ".venv/lib/site-packages/admin/index.html"))


def engine() -> Engine:
    found: Engine = engines["django"].engine  # type: ignore[attr-defined]
    return found


def render(text: str, origin: Origin) -> str:
    return Template(text, origin=origin, engine=engine()).render(Context({"known": None}))


def test_a_variable_that_is_not_there_fails_in_a_template_of_ours() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"overview\.html has no variable unknown"):
        render("{% if known is None %}{{ unknown }}{% endif %}", OURS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{ unknown|default:"–" }}', "–"),
        ("{% if unknown %}yes{% else %}no{% endif %}", "no"),
        ("{{ known }}", "None"),
    ],
)
def test_a_default_and_a_question_may_name_what_is_not_there(text: str, expected: str) -> None:
    assert render(text, OURS) == expected


def test_templates_of_packages_go_on_as_their_authors_rely_on_it() -> None:
    assert render('({{ unknown }}{{ unknown|default:"x" }})', ANOTHERS) == "(x)"


@pytest.mark.parametrize("host", ["192.0.2.1", "stripe.example"])
def test_a_call_to_the_outside_fails(host: str) -> None:
    with socket.socket() as plug, pytest.raises(pytest.fail.Exception, match=f"calls {host}"):
        plug.connect((host, 443))


def test_this_machine_may_be_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as plug:
        plug.connect(server.getsockname())


def test_a_warning_fails() -> None:
    with pytest.raises(UserWarning):
        warnings.warn("odd", stacklevel=1)


@pytest.mark.logs_errors
def test_an_error_may_be_logged_where_the_test_wants_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("agency").error("wanted")
    assert [record.message for record in caplog.records] == ["wanted"]
