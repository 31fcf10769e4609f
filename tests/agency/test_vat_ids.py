"""VAT ids of clients elsewhere in the EU: asked at VIES, kept as evidence, and asked again."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from agency import vat_ids, vies
from agency.models import Organisation, VatAnswer, VatConsultation
from agency.templatetags.figures import day
from agency.vies_sandbox import ViesSandbox
from subscriptions.models import Invoice
from tests import factories as make
from tests.browsers import as_
from tests.clients import client, close

BELGIAN, GERMAN = "BE0123456749", "DE136695976"
ON = dt.date(2026, 4, 8)
VALID, INVALID, UNAVAILABLE = VatAnswer


@pytest.fixture
def at_vies(settings: Settings) -> Iterator[ViesSandbox]:
    server = ViesSandbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.VIES_API_BASE = server.base_url
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def abroad(code: str = "ABROAD", vat_id: str = BELGIAN, **fields: Any) -> Organisation:
    country = vat_id[:2]
    return make.organisation(code, country=country, vat_id=vat_id, **fields)


def kept(organisation: Organisation) -> tuple[list[str], bool]:
    """Give what VIES answered, in order, and whether the VAT id counts as checked."""
    organisation.refresh_from_db()
    rows = organisation.vat_consultations.order_by("number")
    return list(rows.values_list("answer", flat=True)), organisation.vat_id_checked


SAID = {"countryCode": "BE", "vatNumber": "0123456749", "valid": True, "requestIdentifier": "WA1"}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (SAID, vies.Answer(VALID, "WA1")),
        (SAID | {"valid": False, "requestIdentifier": ""}, vies.Answer(INVALID)),
        (SAID | {"userError": "INVALID", "valid": False}, vies.Answer(INVALID, "WA1")),
        # Valid or not, where it names a fault it has not looked.
        (SAID | {"userError": "MS_UNAVAILABLE", "valid": False}, vies.Answer(UNAVAILABLE)),
        (SAID | {"valid": None}, vies.Answer(UNAVAILABLE)),
        (SAID | {"valid": "false"}, vies.Answer(UNAVAILABLE)),
        (SAID | {"vatNumber": "0123456750"}, vies.Answer(UNAVAILABLE)),  # about another one
        *(
            ({"errorWrappers": [{"error": error}]}, vies.Answer(UNAVAILABLE, is_down=is_down))
            for error, is_down in [
                ("MS_UNAVAILABLE", False),
                ("MS_MAX_CONCURRENT_REQ", False),
                ("TIMEOUT", False),
                ("INVALID_INPUT", False),
                ("SERVICE_UNAVAILABLE", True),
                ("GLOBAL_MAX_CONCURRENT_REQ", True),
            ]
        ),
        ([], vies.Answer(UNAVAILABLE, is_down=True)),
        (None, vies.Answer(UNAVAILABLE, is_down=True)),
    ],
)
def test_only_a_definite_answer_about_this_id_is_valid_or_not(
    said: Any, answer: vies.Answer
) -> None:
    assert vies.read(said, BELGIAN) == answer


@pytest.mark.django_db
class TestAnswers:
    @pytest.fixture(autouse=True)
    def agency(self) -> None:
        make.agency()

    @pytest.mark.parametrize(
        ("ordered", "answer", "checked"),
        [
            ("VALID", VALID, True),
            ("INVALID", INVALID, False),
            ("MS_UNAVAILABLE", UNAVAILABLE, False),
            ("HTTP_500", UNAVAILABLE, False),
            ("DROP", UNAVAILABLE, False),
        ],
    )
    def test_an_answer_is_kept_and_taken_over(
        self, at_vies: ViesSandbox, ordered: str, answer: VatAnswer, *, checked: bool
    ) -> None:
        at_vies.answers = {BELGIAN: ordered}
        organisation = abroad()

        vat_ids.consult(organisation, on=ON)

        assert kept(organisation) == ([answer], checked)
        row = VatConsultation.objects.get()
        assert (row.vat_id, row.on) == (BELGIAN, ON)
        assert bool(row.reference) == (answer != UNAVAILABLE)
        assert at_vies.asked == [
            {
                "countryCode": "BE",
                "vatNumber": "0123456749",
                "requesterMemberStateCode": "NL",
                "requesterNumber": make.VAT_ID[2:],
            }
        ]

    def test_nobody_there_is_no_answer_and_keeps_the_last_one(self, settings: Settings) -> None:
        settings.VIES_API_BASE = "http://127.0.0.1:9"
        organisation = abroad(vat_id_checked=True)

        assert vat_ids.consult(organisation, on=ON).is_down

        assert kept(organisation) == ([UNAVAILABLE], True)

    @pytest.mark.usefixtures("at_vies")
    @pytest.mark.parametrize(
        "fields", [{"country": "NL"}, {"country": "US"}, {"vat_id": ""}, {"vat_id": make.VAT_ID}]
    )
    def test_only_clients_elsewhere_in_the_eu_are_asked_about(self, fields: dict[str, str]) -> None:
        organisation = abroad()
        Organisation.objects.update(**fields)

        with pytest.raises(vat_ids.VatIdError, match="EU"):
            vat_ids.consult(organisation, on=ON)

        assert not vat_ids.pending().exists()

    def test_an_answer_about_an_id_that_was_changed_meanwhile_is_not_taken_over(self) -> None:
        organisation = abroad()
        vat_ids._keep(organisation.pk, GERMAN, vies.Answer(VALID, "WA1"), on=ON)
        assert kept(organisation) == ([VALID], False)


@pytest.mark.django_db
class TestBeforeARun:
    @pytest.fixture(autouse=True)
    def agency(self) -> None:
        make.agency()

    def test_unchecked_and_old_ones_are_asked_again(self, at_vies: ViesSandbox) -> None:
        fresh = abroad("FRESH", vat_id_checked=True)
        make.vat_consultation(fresh, on="2026-03-14")
        make.vat_consultation(abroad("OLD", vat_id_checked=True), on="2026-03-13")
        abroad("BROUGHT", vat_id_checked=True)
        abroad("NEW", GERMAN)
        at_vies.answers = {GERMAN: "INVALID"}

        done = vat_ids.recheck(on=ON)

        assert done.answers == {VALID: 2, INVALID: 1}
        assert [asked["countryCode"] for asked in at_vies.asked] == ["BE", "DE", "BE"]
        assert [row.code for row in vat_ids.pending()] == ["NEW"]

    @pytest.mark.parametrize(("last", "checked"), [("2026-02-07", True), ("2026-02-06", False)])
    def test_no_answer_keeps_the_last_valid_one_for_so_long(
        self, at_vies: ViesSandbox, last: str, *, checked: bool
    ) -> None:
        at_vies.answers = {"*": "TIMEOUT"}
        organisation = abroad(vat_id_checked=True)
        make.vat_consultation(organisation, on=last)
        brought = abroad("BROUGHT", vat_id_checked=True)

        done = vat_ids.recheck(on=ON)

        assert kept(organisation) == ([VALID, UNAVAILABLE], checked)
        assert kept(brought) == ([UNAVAILABLE], True)
        assert done.lapsed == ([] if checked else ["ABROAD"])
        assert ("ABROAD" in str(done)) is not checked

    def test_once_vies_itself_is_down_no_more_are_asked(self, at_vies: ViesSandbox) -> None:
        at_vies.answers = {"*": "SERVICE_UNAVAILABLE"}
        for number in range(3):
            abroad(f"CLIENT{number}")
        assert vat_ids.recheck(on=ON).answers == {UNAVAILABLE: 1}

    def test_without_vies_nothing_is_asked_and_nothing_changes(self) -> None:
        organisation = abroad(vat_id_checked=True)
        make.vat_consultation(organisation, on="2020-01-01")
        assert str(vat_ids.recheck(on=ON)) == ""
        assert kept(organisation) == ([VALID], True)


@pytest.mark.django_db
class TestGuards:
    def test_a_changed_id_is_unchecked(self) -> None:
        abroad(vat_id_checked=True)
        with pytest.raises(IntegrityError, match="not checked yet"), transaction.atomic():
            Organisation.objects.update(vat_id=GERMAN)
        Organisation.objects.update(vat_id=GERMAN, vat_id_checked=False)
        Organisation.objects.update(vat_id_checked=True)

    def test_what_vies_refused_is_checked_again_only_once_it_is_found_valid(self) -> None:
        organisation = abroad()
        make.vat_consultation(organisation, "invalid")
        make.vat_consultation(organisation, "unavailable", number=2)
        with pytest.raises(IntegrityError, match="is not valid"), transaction.atomic():
            Organisation.objects.update(vat_id_checked=True)
        make.vat_consultation(organisation, "valid", number=3)
        Organisation.objects.update(vat_id_checked=True)

    def test_an_answer_is_never_changed(self) -> None:
        make.vat_consultation(abroad())
        with pytest.raises(IntegrityError, match="stays as it was"):
            VatConsultation.objects.update(answer="invalid")


@pytest.mark.django_db
@pytest.mark.usefixtures("on_8_april_2026", "english")
class TestPages:
    def test_staff_check_an_id_and_read_the_answer(self, at_vies: ViesSandbox) -> None:
        make.agency()
        organisation = abroad()
        pages = "/admin/agency/organisation/"
        planner = as_("planner")
        chosen = {"action": "check_at_vies", "_selected_action": str(organisation.pk)}

        waiting = planner.get(f"{pages}?needs=vat_check").content.decode()
        assert organisation.legal_name in waiting
        said = planner.post(pages, chosen, follow=True).content.decode()

        assert "VIES: 1 valid, 0 not valid, 0 without an answer" in said
        assert (
            organisation.legal_name not in planner.get(f"{pages}?needs=vat_check").content.decode()
        )
        page = planner.get(f"{pages}{organisation.pk}/change/").content.decode()
        assert f"valid, {day(ON)} (WAPIDEMO00000001)" in page

    def test_a_run_asks_first_and_drafts_what_the_answers_allow(self, at_vies: ViesSandbox) -> None:
        at_vies.answers = {GERMAN: "MS_UNAVAILABLE"}
        checked = {"country": "BE", "vat_id": BELGIAN}
        client("BELGIAN", "2026-04", organisation=checked)
        client("GERMAN", "2026-04", organisation={"country": "DE", "vat_id": GERMAN})
        close("2026-03")

        with pytest.raises(SystemExit):
            call_command("bill", "2026-03", "--dry-run")
        assert at_vies.asked == []  # a rehearsal asks nobody
        with pytest.raises(SystemExit):
            call_command("bill", "2026-03")

        rows = Invoice.objects.order_by("organisation__code")
        assert list(rows.values_list("organisation__code", "blocked_reason")) == [
            ("BELGIAN", ""),
            ("GERMAN", "vat_id_pending"),
        ]
        assert set(rows[0].lines.values_list("vat_category", flat=True)) == {"AE"}

        at_vies.answers = {}
        chosen = {"action": "draft_anew", "_selected_action": str(rows[1].pk)}
        as_("controller").post("/admin/subscriptions/invoice/", chosen)
        assert [row.blocked_reason for row in rows.all()] == ["", ""]
