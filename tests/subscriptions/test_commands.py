"""close_month and bill as commands: statuses, words, JSON, and the sample agency to the cent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import serializers
from django.core.management import CommandError, call_command, load_command_class

from advisors.models import ClosedMonth
from subscriptions.models import BilledOccurrence, Invoice, Publication, Statement
from tests import factories as make
from tests.agency_workbook import DATA, SAMPLE
from tests.agreed import M
from tests.clients import bill, client, close, counsellor, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MONTHS = ("2026-01", "2026-02", "2026-03")
WITH_BLOCKED = 1  # the exit status of a run that has blocked documents


def run(*command: str, status: int = 0) -> tuple[str, str]:
    """Run a command that ends with a status; give what it printed for machines and for people."""
    out, err = StringIO(), StringIO()
    ended = 0
    try:
        call_command(*command, stdout=out, stderr=err)
    except SystemExit as bad_news:
        ended = int(bad_news.code or 0)
    except CommandError as wrong_use:
        ended = wrong_use.returncode
        err.write(str(wrong_use))
    assert ended == status, err.getvalue()
    return out.getvalue(), err.getvalue()


def answer(*command: str, status: int = 0) -> dict[str, Any]:
    """Give the one JSON object that a command prints."""
    out, _ = run(*command, "--json", status=status)
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def comparable(rows: list[dict[str, Any]], like: list[dict[str, Any]]) -> list[str]:
    """Give rows as texts, with the fields that the expected ones hold, lines in a fixed order."""
    fields = like[0].keys()
    line_fields = like[0]["lines"][0].keys() if "lines" in like[0] else ()
    texts = []
    for row in rows:
        kept = {name: row[name] for name in fields if name != "lines"}
        lines = [{name: line[name] for name in line_fields} for line in row.get("lines", ())]
        texts.append(json.dumps([kept, sorted(json.dumps(line) for line in lines)]))
    return texts


def expected(month: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"expected-{month}.json").read_text())
    return found


class TestSampleAgency:
    """The sample's first three months, worked out independently from the design's section 5."""

    def test_statements_and_invoices_equal_the_expected_ones_to_the_cent_and_stay_so(self) -> None:
        run("import_agency", str(SAMPLE))
        for month in MONTHS:
            closed = answer("close_month", month)
            billed = answer("bill", month, status=WITH_BLOCKED)
            wanted = expected(month)
            assert closed["month"] == billed["month"] == month
            for found, like in (
                (closed["statements"], wanted["statements"]),
                (billed["invoices"], wanted["invoices"]),
            ):
                assert comparable(found, like) == comparable(like, like)

        self.again_changes_nothing()
        self.the_audit_finds_nothing()

    def again_changes_nothing(self) -> None:
        before = self.everything()
        for month in MONTHS:
            _, said = run("close_month", month)
            assert "closed before; nothing changed" in said
            _, said = run("bill", month, status=WITH_BLOCKED)
            assert "nothing is left to draft; nothing changed" in said
        assert self.everything() == before

    def the_audit_finds_nothing(self) -> None:
        found = answer("audit")
        assert found["violations"] == []
        assert found["checked"] > 4_000

    def everything(self) -> str:
        tables = (Statement, Publication, ClosedMonth, Invoice, BilledOccurrence)
        rows = [row for table in tables for row in table._default_manager.order_by("pk")]
        return str(serializers.serialize("json", rows))


@pytest.mark.parametrize("name", ["close_month", "bill"])
@pytest.mark.parametrize("month", ["2026-13", "January", "2026", "2026-01-31"])
def test_what_is_no_month_is_wrong_use(
    name: str, month: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = load_command_class("subscriptions", name)
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["manage.py", name, month])
    assert ended.value.code == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence == f"CommandError: {month} is no month: give it as YYYY-MM."


class TestCloseMonth:
    def test_it_says_what_it_published(self) -> None:
        client(headcount=300, hours={"2026-01": 9.25})
        assert answer("close_month", "2026-01") == {
            "month": "2026-01",
            "statements": [
                {
                    "organisation": "ORG1",
                    "period": ["2026-01", "2026-02"],
                    "version": 1,
                    "display": "exact",
                    "used_hours": "9.5",
                    "allowance_hours": "8",
                    "overage_hours": "1.5",
                }
            ],
        }

    def test_statements_are_sorted_by_organisation(self) -> None:
        for code in ("B", "C", "A"):
            client(code, headcount=300)
        found = answer("close_month", "2026-01")["statements"]
        assert [row["organisation"] for row in found] == ["A", "B", "C"]

    def test_words_go_beside_the_json(self) -> None:
        client()
        out, said = run("close_month", "2026-01")
        assert (out, "2026-01 is closed; 0 statements are published." in said) == ("", True)

    def test_closing_again_says_that_nothing_changed_and_gives_the_same_answer(self) -> None:
        client(headcount=300, hours={"2026-01": 9.25})
        first = answer("close_month", "2026-01")
        out, said = run("close_month", "2026-01", "--json")
        assert json.loads(out) == first
        assert "closed before; nothing changed" in said

    @pytest.mark.parametrize(
        ("month", "sentence"),
        [
            pytest.param("2099-01", "not over", id="a month to come"),
            pytest.param("2026-03", "comes before", id="not the next one"),
            pytest.param("2025-12", "before the first", id="before the first"),
        ],
    )
    def test_wrong_use_is_one_sentence_and_status_2(self, month: str, sentence: str) -> None:
        client()
        close("2026-01")
        out, said = run("close_month", month, status=2)
        assert (out, sentence in said, len(said.splitlines())) == ("", True, 1)
        assert ClosedMonth.objects.count() == 1

    def test_a_dry_run_shows_counts_no_figures_and_writes_nothing(self) -> None:
        subscription = client(headcount=300, hours={"2026-01": 7.75})
        found = answer("close_month", "2026-01", "--dry-run")
        assert found == {
            "month": "2026-01",
            "dry_run": True,
            "closes": True,
            "statements": 1,
            "missing_submissions": 1,
        }
        _, said = run("close_month", "2026-01", "--dry-run")
        assert "1 statements" in said
        assert "7.75" not in said
        assert "8" not in said.replace("2026-01", "")
        assert (ClosedMonth.objects.count(), Statement.objects.count()) == (0, 0)
        make.month_submission(counsellor(subscription.organisation), "2026-01")
        assert answer("close_month", "2026-01", "--dry-run")["missing_submissions"] == 0

    def test_a_dry_run_of_a_closed_month_says_so(self) -> None:
        client()
        close("2026-01")
        _, said = run("close_month", "2026-01", "--dry-run")
        assert "closed before" in said


class TestBill:
    def test_it_drafts_the_run_and_says_what(self) -> None:
        client("B")
        client("A", po_required=True)
        make.closed_month("2025-12")
        out, said = run("bill", "2025-12", "--json", status=WITH_BLOCKED)
        found = json.loads(out)
        assert found["month"] == "2025-12"
        assert [(i["organisation"], i["blocked"], i["total_cents"]) for i in found["invoices"]] == [
            ("A", "po_missing", 1_936_00),
            ("B", None, 1_936_00),
        ]
        assert "2 drafted, 0 approved, 1 blocked" in said

    def test_approving_makes_drafts_ready_to_be_sent(self) -> None:
        client("B")
        client("A", po_required=True)
        make.closed_month("2025-12")
        run("bill", "2025-12", "--approve", status=WITH_BLOCKED)
        states = Invoice.objects.order_by("organisation__code").values_list("state", flat=True)
        assert list(states) == ["blocked", "approved"]

    def test_drafting_again_says_that_nothing_changed_and_gives_the_same_answer(self) -> None:
        client()
        make.closed_month("2025-12")
        first = answer("bill", "2025-12")
        out, said = run("bill", "2025-12", "--json")
        assert json.loads(out) == first
        assert "nothing is left to draft; nothing changed" in said

    def test_what_comes_to_nothing_is_said_to_be_settled(self) -> None:
        client(
            "ORG1", "2025-01", first_run=M("2025-12"), billing_interval=1, own_annual_fee_cents=0
        )
        make.closed_month("2025-12")
        _, said = run("bill", "2025-12")
        assert "0 drafted" in said
        assert "Settled without a document, all lines being 0: 1." in said
        assert "nothing changed" in run("bill", "2025-12")[1]

    def test_blocked_documents_that_are_drafted_anew_are_said_to_be(self) -> None:
        organisation = client(po_required=True).organisation
        make.closed_month("2025-12")
        run("bill", "2025-12", status=WITH_BLOCKED)
        make.purchase_order(organisation)
        _, said = run("bill", "2025-12")
        assert "1 drafted, 0 approved, 0 blocked" in said
        assert "Blocked before and worked out anew: 1." in said

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            pytest.param(["2026-02"], "not closed yet", id="an open month"),
            pytest.param(["2026-01", "--ahead"], "go together", id="ahead of nobody"),
            pytest.param(
                ["2026-01", "--organisation", "ORG1"], "go together", id="one client, not ahead"
            ),
            pytest.param(
                ["2026-01", "--ahead", "--organisation", "NOBODY"],
                "no organisation NOBODY",
                id="a client that is not there",
            ),
        ],
    )
    def test_wrong_use_is_one_sentence_and_status_2(
        self, options: list[str], sentence: str
    ) -> None:
        client()
        close("2026-01")
        out, said = run("bill", *options, status=2)
        assert (out, sentence in said, len(said.splitlines())) == ("", True, 1)
        assert Invoice.objects.count() == 0

    def test_a_dry_run_gives_the_documents_and_writes_nothing(self) -> None:
        client()
        make.closed_month("2025-12")
        would = answer("bill", "2025-12", "--dry-run")
        assert Invoice.objects.count() == 0
        assert would["invoices"] == answer("bill", "2025-12")["invoices"]

    def test_a_dry_run_foresees_what_is_unblocked_approved_and_drafted(self) -> None:
        blocked = client("A", po_required=True)
        client("B")
        close("2025-12")
        bill("2025-12")
        client("C", "2026-02")
        close("2026-01")
        make.purchase_order(blocked.organisation, "PO-1", "2025-12", "2027-01")
        before = list(Invoice.objects.order_by("pk").values())

        out, said = run("bill", "2026-01", "--dry-run", "--approve", "--json")

        assert "Blocked before and worked out anew: 1." in said
        assert list(Invoice.objects.order_by("pk").values()) == before
        answered, told = run("bill", "2026-01", "--approve", "--json")
        assert {"dry_run": True, **json.loads(answered)} == json.loads(out)
        assert said.splitlines() == ["A dry run: nothing of this is kept.", *told.splitlines()]

    def test_a_dry_run_of_an_open_month_says_that_overage_is_not_in_yet(self) -> None:
        client()
        _, said = run("bill", "2025-12", "--dry-run")
        assert "not closed" in said
        assert "Drafted together: €" in said

    def test_ahead_bills_one_new_client_before_the_month_is_closed(self) -> None:
        client("NEW", "2026-03")
        client("OTHER", "2026-03")
        found = answer("bill", "2026-02", "--ahead", "--organisation", "NEW", "--approve")
        assert [row["organisation"] for row in found["invoices"]] == ["NEW"]
        assert Invoice.objects.get().state == "approved"

    def test_approving_ahead_approves_that_client_only(self) -> None:
        client("NEW", "2026-03")
        client("OTHER", "2026-03")
        run("bill", "2026-02", "--ahead", "--organisation", "OTHER")
        run("bill", "2026-02", "--ahead", "--organisation", "NEW", "--approve")
        states = Invoice.objects.order_by("organisation__code").values_list("state", flat=True)
        assert list(states) == ["approved", "draft"]

    def test_clients_that_cannot_be_billed_are_named_and_bad_news(self) -> None:
        client("ORG1")
        broken = client("ORG2", "2019-01")
        worked(broken.organisation, {})
        make.closed_month("2025-12")
        _, said = run("bill", "2025-12", status=1)
        assert "ORG2: There is no price for 2019-01" in said
        assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["audit"], "holds no agency yet"),
        (["bill", "2025-12"], "close the month first"),
        (["bill", "2025-12", "--dry-run"], "holds no agency yet"),
        (["close_month", "2025-12"], "nothing to close"),
    ],
)
def test_an_empty_database_takes_one_sentence(command: list[str], sentence: str) -> None:
    out, said = run(*command, status=2)
    assert (out, sentence in said) == ("", True)
    assert not Publication.objects.exists()


def test_a_database_that_is_not_set_up_takes_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "audit"],
        env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "step"), [(["audit"], "Checking"), (["import_agency", str(SAMPLE)], "Reading")]
)
def test_a_long_command_shows_its_progress_on_a_terminal_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    step: str,
) -> None:
    make.agency()
    bad = {"audit": 0, "import_agency": 1}[command[0]]  # there is another agency
    run(*command, status=bad)
    assert step not in capsys.readouterr().err

    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for what draws on it
    out, _ = run(*command, status=bad)

    drawn = capsys.readouterr()
    assert step in drawn.err
    assert "100%" in drawn.err
    assert step not in out + drawn.out


def test_a_preview_with_blocked_documents_is_bad_news_as_the_run_is() -> None:
    client("ORG1", po_required=True)
    make.closed_month("2025-12")
    run("bill", "2025-12", "--dry-run", status=1)
    assert not Invoice.objects.exists()


def test_an_agency_that_has_not_begun_is_in_order() -> None:
    make.agency()
    assert answer("audit") == {"checked": 0, "violations": []}
