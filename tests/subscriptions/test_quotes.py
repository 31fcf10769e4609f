"""A contract is offered, looked at, signed or withdrawn; only what is signed is billed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.html import strip_tags

from agency.models import AuditEvent, Organisation
from subscriptions import billing, quote_document, quotes
from subscriptions.audit import audit
from subscriptions.models import (
    Invoice,
    Quote,
    QuoteState,
    Subscription,
    Terms,
    TermsReason,
    YearPrice,
)
from subscriptions.retention import contract_ends
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import bill, client, close, open_agency
from tests.subscriptions.test_admin_contracts import FORM, kept
from tests.subscriptions.test_previews import RUNS, rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MARCH_12 = dt.date(2026, 3, 12)
LIST = "/admin/subscriptions/quote/"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture
def prospect() -> Organisation:
    """An organisation of 100 people that is no client yet; February is closed."""
    open_agency()
    row = make.organisation("NEW", language="nl")
    make.headcount(row, 100, "2020-01")
    close("2026-02")
    return row


@pytest.fixture
def offered(prospect: Organisation) -> Quote:
    """The extended tier from April on, 3,600.00 by the quarter, offered on 2 March."""
    row = make.quote(prospect, "2026-04", billing_interval=3, valid_until=day("2026-03-31"))
    quotes.offer(row, on=day("2026-03-02"))
    row.refresh_from_db()
    return row


def signed(quote: Quote) -> Subscription:
    return quotes.sign(quote, signed_on=MARCH_12, on=day("2026-03-16"))


def billed(document: Invoice) -> list[tuple[str, str, int]]:
    found = document.lines.order_by("position")
    return [(row.kind, str(row.months), row.net_cents) for row in found]


def test_a_client_signs_on_12_march_and_is_billed_before_the_first_close(offered: Quote) -> None:
    """Offered, signed, its start drafted ahead while March is open; April is its first month."""
    contract = signed(offered)

    run = billing.draft_run(M("2026-03"), [offered.organisation_id], ahead=True)

    assert not run.failures
    (document,) = Invoice.objects.all()
    assert billed(document) == [
        ("fee", "2026-04/2026-07", 900_00),
        ("setup", "2026-04/2026-05", 450_00),
    ]
    assert (contract.signed_on, str(contract.first_run)) == (MARCH_12, "2026-03")
    assert audit().violations == []
    close("2026-03")
    bill("2026-03")
    assert Invoice.objects.count() == 1


def test_what_was_offered_is_what_is_billed_whatever_the_price_list_says_later(
    offered: Quote,
) -> None:
    book = make.price_book("2026-04", bands=False)
    make.price_band(book, "basic", annual_fee_cents=1)
    make.price_band(book, "extended", annual_fee_cents=9_999_00)

    contract = signed(offered)

    (frozen,) = YearPrice.objects.filter(subscription=contract)
    assert (str(frozen.year_month), frozen.annual_fee_cents) == ("2026-04", 3_600_00)
    billing.draft_run(M("2026-03"), [offered.organisation_id], ahead=True)
    assert billed(Invoice.objects.get())[0] == ("fee", "2026-04/2026-07", 900_00)
    assert audit().violations == []


@pytest.mark.parametrize(
    ("fields", "on", "state"),
    [
        ({}, "2026-03-12", QuoteState.DRAFT),
        ({"offered_on": MARCH_12}, "2026-05-31", QuoteState.OFFERED),
        ({"offered_on": MARCH_12}, "2026-06-01", QuoteState.LAPSED),
        ({"offered_on": MARCH_12, "withdrawn_on": MARCH_12}, "2026-06-01", QuoteState.WITHDRAWN),
    ],
)
def test_where_a_quote_stands_follows_from_its_days(
    prospect: Organisation, fields: dict[str, Any], on: str, state: str
) -> None:
    quote = make.quote(prospect, **fields)
    found = [each for each in QuoteState if quotes.in_state(each, on=day(on)).exists()]
    assert (quotes.state_of(quote, on=day(on)), found) == (state, [state])


@pytest.mark.parametrize(
    ("signed_on", "on", "said"),
    [
        ("2026-03-13", "2026-03-12", "today or earlier"),
        ("2026-03-01", "2026-03-12", "It was offered on 2 March 2026: nobody signed it before."),
        ("2026-04-01", "2026-04-02", "The quote held until 31 March 2026"),
    ],
)
def test_a_signature_lies_between_the_offer_and_its_last_day(
    offered: Quote, signed_on: str, on: str, said: str
) -> None:
    with pytest.raises(quotes.QuoteRefusedError, match=said):
        quotes.sign(offered, signed_on=day(signed_on), on=day(on))
    assert not Subscription.objects.exists()


def test_a_paper_that_comes_back_late_is_signed_as_long_as_its_first_month_is_open(
    offered: Quote,
) -> None:
    late = day("2026-05-20")
    quotes.sign(offered, signed_on=day("2026-03-31"), on=late)
    assert Subscription.objects.get().signed_on == day("2026-03-31")

    other = make.quote(offered.organisation, "2026-05", offered_on=MARCH_12)
    make.closed_month("2026-05")
    with pytest.raises(quotes.QuoteRefusedError, match="This month is closed"):
        quotes.sign(other, signed_on=late, on=late)


def change_headcount(quote: Quote) -> None:
    make.headcount(quote.organisation, 240, "2026-04")


def sign_another(quote: Quote) -> None:
    make.subscription(quote.organisation, "2026-06", until_month=M("2027-06"))


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (change_headcount, "another headcount"),
        (sign_another, "Contracts of one organisation never overlap."),
        (lambda quote: quotes.withdraw(quote, on=MARCH_12), "Only what is offered is signed."),
        (signed, "Only what is offered is signed."),
    ],
)
def test_what_changed_since_the_offer_is_not_signed(
    offered: Quote, meanwhile: Callable[[Quote], Any], said: str
) -> None:
    meanwhile(offered)
    before = Subscription.objects.count()
    with pytest.raises(ValidationError, match=said):
        signed(offered)
    assert Subscription.objects.count() == before


def test_the_file_of_one_who_never_signed_is_kept_as_long_as_that_of_a_client(
    offered: Quote,
) -> None:
    assert contract_ends() == {offered.organisation_id: day("2026-04-01")}


class TestTheDatabase:
    """Each on both databases, whatever the code asks for."""

    @pytest.mark.parametrize(
        "change",
        [
            {"own_annual_fee_cents": 1},
            {"annual_fee_cents": 1},
            {"valid_until": day("2026-12-31")},
            {"start_month": M("2026-09")},
            {"offered_on": None},
        ],
    )
    def test_what_was_offered_stays(self, offered: Quote, change: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Quote.objects.filter(pk=offered.pk).update(**change)

    def test_it_is_not_deleted(self, offered: Quote) -> None:
        with pytest.raises(IntegrityError, match="stays as it was offered"), transaction.atomic():
            offered.delete()

    def test_the_day_of_a_signature_stays(self, offered: Quote) -> None:
        contract = signed(offered)
        for signed_on in (None, day("2026-03-13")):
            with pytest.raises(IntegrityError, match="was signed stays"), transaction.atomic():
                Subscription.objects.filter(pk=contract.pk).update(signed_on=signed_on)

    def test_a_contract_keeps_what_its_prices_were_frozen_for(self, offered: Quote) -> None:
        contract = signed(offered)
        for change in ({"start_month": M("2026-05")}, {"year_starts_in": 1}):
            with pytest.raises(IntegrityError, match="frozen for"), transaction.atomic():
                Subscription.objects.filter(pk=contract.pk).update(**change)

    def test_a_draft_is_no_contract(self, prospect: Organisation) -> None:
        draft, contract = make.quote(prospect), make.subscription(prospect, "2027-01")
        with pytest.raises(IntegrityError), transaction.atomic():
            Quote.objects.filter(pk=draft.pk).update(contract=contract)

    def test_nothing_is_billed_or_published_by_a_quote(self, offered: Quote) -> None:
        with transaction.atomic():
            make.billed_occurrence(offered.organisation, offered.pk, "2026-04")
            assert "what_was_signed_is_what_was_offered" in {
                violation.invariant for violation in audit().violations
            }
            transaction.set_rollback(True)
        stated = make.statement(make.subscription(offered.organisation, "2026-01"), "2026-01")
        stated.pk, stated.subscription_id, stated.version = uuid4(), offered.pk, 2
        with transaction.atomic():
            stated.save(force_insert=True)
            with pytest.raises(IntegrityError):
                connection.check_constraints()
            transaction.set_rollback(True)


class TestTakingBack:
    def test_a_signature_noted_by_mistake_is_undone_before_the_start(self, offered: Quote) -> None:
        signed(offered)
        quotes.take_back(offered, on=day("2026-03-20"))

        assert not Subscription.objects.exists()
        assert not Terms.objects.exists()
        assert not YearPrice.objects.exists()
        signed(offered)
        assert Subscription.objects.get().signed_on == MARCH_12

    @pytest.mark.parametrize(
        ("use", "on"),
        [
            pytest.param(str, "2026-04-01", id="begun"),
            pytest.param(
                lambda row: make.pause(row, "2026-07", "2026-10"), "2026-03-20", id="paused"
            ),
            pytest.param(
                lambda row: make.terms(row, "2026-07", "basic"), "2026-03-20", id="a tier change"
            ),
            pytest.param(
                lambda row: make.billed_occurrence(row.organisation, row.pk, "2026-04"),
                "2026-03-20",
                id="billed",
            ),
        ],
    )
    def test_a_contract_that_is_leant_on_stays(
        self, offered: Quote, use: Callable[[Subscription], Any], on: str
    ) -> None:
        use(signed(offered))
        with pytest.raises(quotes.QuoteRefusedError, match="let it end"):
            quotes.take_back(offered, on=day(on))
        assert Subscription.objects.exists()


def outcome() -> list[str]:
    """Close, bill, attack and audit, and read the client's pages; all of it is taken back."""
    told = []
    with transaction.atomic():
        commands = ("close_month 2026-03", "bill 2026-03 --dry-run", "bill 2026-03", "attack")
        told += [*(_said(*command.split()) for command in commands), str(audit().violations)]
        portal = f"/portal/{Organisation.objects.get(code='ORG1').pk}/"
        browser = as_("contact")
        told += [
            browser.get(f"{portal}{page}").content.decode()
            for page in ("", "statements/", "invoices/", "subscription/")
        ]
        told += [browser.get(f"/api/v1/{rows}/").content.decode() for rows in ("organisations",)]
        transaction.set_rollback(True)
    return [
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|csrf\S+ value=\"\w+\"|nonce=\S+", "", t) for t in told
    ]


def _said(*command: str) -> str:
    out = StringIO()
    call_command(*command, "--json", stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("on_8_april_2026")
def test_quotes_change_nothing_that_is_closed_billed_attacked_or_shown() -> None:
    """Draft, offered, lapsed and withdrawn, of a client that ends and of one that is none yet."""
    row = client(hours={"2026-02": 9, "2026-03": 4.25}, until_month=M("2027-01"))
    make.contact(row.organisation, make.user("contact", email="contact@staff.example"))
    other = make.organisation("NEW")
    make.headcount(other, 30, "2020-01")
    close("2025-12", "2026-01", "2026-02")
    before = outcome()

    for start, organisation in (("2027-01", row.organisation), ("2026-03", other)):
        make.quote(organisation, start)
        make.quote(organisation, start, offered_on=MARCH_12)
        make.quote(organisation, start, offered_on=MARCH_12, valid_until=day("2026-03-31"))
        make.quote(organisation, start, offered_on=MARCH_12, withdrawn_on=MARCH_12)

    assert outcome() == before
    assert '"organisation": "ORG1"' in before[0]


class TestPages:
    @pytest.fixture(autouse=True)
    def today(self, on_8_april_2026: None) -> None: ...

    @pytest.fixture
    def draft(self, prospect: Organisation) -> Quote:
        return make.quote(prospect, "2026-06", tier="basic", billing_interval=3)

    def act(self, browser: Client, deed: str, *those: Quote, **more: str) -> str:
        data = {"action": deed, "_selected_action": [str(row.pk) for row in those], **more}
        return browser.post(LIST, data, follow=True).content.decode()

    def test_what_is_offered_is_shown_first_with_the_runs_that_would_bill_it(
        self, draft: Quote
    ) -> None:
        planner = as_("planner")

        page = self.act(planner, "offer", draft)
        assert "quote waits" not in planner.get("/admin/").content.decode()

        shown = rows(page)
        assert shown[shown.index(RUNS) + 1 :] == [
            "May 2026 | Abonnement basis, jun t/m aug 2026 | 0.00 | 337.50 | 337.50",
            "May 2026 | Opstartkosten van het abonnement | 0.00 | 250.00 | 250.00",
            "Aug 2026 | Abonnement basis, sep t/m nov 2026 | 0.00 | 337.50 | 337.50",
            "Nov 2026 | Abonnement basis, dec 2026 t/m feb 2027 | 0.00 | 337.50 | 337.50",
            "Feb 2027 | Abonnement basis, mrt t/m mei 2027 | 0.00 | 337.50 | 337.50",
        ]
        draft.refresh_from_db()
        assert not draft.offered_on
        assert not AuditEvent.objects.exists()

        self.act(planner, "offer", draft, confirmed="1")
        draft.refresh_from_db()
        assert (draft.offered_on, draft.annual_fee_cents) == (day("2026-04-08"), 1_350_00)
        assert AuditEvent.objects.get().action == "offered"
        assert "quote waits for a signature" in planner.get("/admin/").content.decode()
        offered = planner.get(f"{LIST}?stands=offered").content.decode()
        assert ("NEW B.V." in offered, "1 quote" in offered) == (True, True)

    def test_a_planner_prepares_and_a_controller_signs(self, draft: Quote) -> None:
        planner, controller = as_("planner"), as_("controller")
        self.act(planner, "offer", draft, confirmed="1")
        page = f"{LIST}{draft.pk}/sign/"
        assert planner.get(page).status_code == 403

        seen = controller.post(page, {"signed_on": "2026-04-08"}).content.decode()
        assert "Abonnement basis, jun t/m aug 2026" in seen
        assert not Subscription.objects.exists()
        controller.post(page, {"signed_on": "2026-04-08", "confirmed": "1"})

        contract = Subscription.objects.get()
        assert contract.signed_on == day("2026-04-08")
        assert contract.terms.get().reason == TermsReason.START
        for browser in (planner, controller):
            assert "signed" in browser.get(f"{LIST}{draft.pk}/change/").content.decode()

        assert "Take the signature back" in controller.get(page).content.decode()
        assert planner.post(page, {"take_back": "1"}).status_code == 403
        controller.post(page, {"take_back": "1"})
        assert not Subscription.objects.exists()

    def test_a_contract_entered_without_a_quote_says_when_it_was_signed(
        self, prospect: Organisation
    ) -> None:
        """One that was brought in has no day; it is filled in once."""
        row = make.subscription(prospect, "2026-06")
        form = FORM | kept(row) | {"organisation": str(prospect.pk)}
        page, browser = "/admin/subscriptions/subscription/", as_("controller")
        for signed_on, said in (
            ("", "This field is required"),
            ("2026-04-09", "signed today or earlier"),
        ):
            sent = form | {"signed_on": signed_on}
            assert said in browser.post(f"{page}add/", sent).content.decode()
        for signed_on in ("", "2026-04-08", "2026-04-07"):
            browser.post(f"{page}{row.pk}/change/", form | {"signed_on": signed_on})
        row.refresh_from_db()
        assert row.signed_on == day("2026-04-08")

    def test_a_day_that_is_refused_says_so_at_the_field(self, draft: Quote) -> None:
        controller = as_("controller")
        self.act(controller, "offer", draft, confirmed="1")
        page = f"{LIST}{draft.pk}/sign/"
        for signed_on, said in (
            ("2026-04-09", "A contract is signed today or earlier."),
            ("2026-04-07", "It was offered on 8 April 2026: nobody signed it before."),
            ("", "This field is required."),
        ):
            assert said in controller.post(page, {"signed_on": signed_on}).content.decode()
        self.act(controller, "withdraw", draft)
        assert "Only what is offered is signed." in unescape(
            controller.post(page, {"signed_on": "2026-04-08"}).content.decode()
        )

    def test_a_quote_that_could_be_no_contract_is_not_entered(self, draft: Quote) -> None:
        """The sentence stands at its field; a client with a contract gives that an end first."""
        running = client("RUNS").organisation
        form = {
            "start_month": "2026-06", "valid_until": "2026-05-01", "term_months": "12",
            "renewal_months": "12", "notice_months": "1", "billing_interval": "12",
            "collection": "invoice", "payment_days": "30", "tier": "basic", "overage": "bill",
            "carry_over_basis_points": "0", "carry_over_cap_quarters": "0",
        }  # fmt: skip
        for organisation, fields, said in (
            (running, {}, "This organisation has a contract without an end"),
            (draft.organisation, {"start_month": "2026-01"}, "This month is closed"),
            (draft.organisation, {"notice_months": "13"}, "notice is not longer than the term"),
            (make.organisation("NOBODY"), {}, "No headcount is known for 2026-06"),
            (draft.organisation, {"own_annual_fee_cents": "9" * 20}, "Give an amount in euros"),
            (draft.organisation, {"own_included_sessions": "9" * 20}, "value is less than"),
        ):
            data = form | {"organisation": str(organisation.pk)} | fields
            page = as_("planner").post(f"{LIST}add/", data).content.decode()
            assert said in unescape(strip_tags(page))
        assert Quote.objects.count() == 1

        as_("planner").post(f"{LIST}add/", form | {"organisation": str(draft.organisation.pk)})
        assert Quote.objects.count() == 2

    def test_what_was_offered_is_read_only_and_printed(self, draft: Quote) -> None:
        planner = as_("planner")
        assert b"%PDF" in planner.get(f"{LIST}{draft.pk}/document/").content
        self.act(planner, "offer", draft, confirmed="1")

        page = planner.get(f"{LIST}{draft.pk}/change/").content.decode()
        assert 'name="start_month"' not in page
        answer = planner.get(f"{LIST}{draft.pk}/document/")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")


def printed(quote: Quote, on: str) -> tuple[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(quote_document.write(quote, on=day(on))))
    text = " ".join(page.extract_text() for page in reader.pages)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()), reader


def test_the_document_says_what_was_offered_in_the_clients_language(offered: Quote) -> None:
    draft, _ = printed(make.quote(offered.organisation, "2026-04"), "2026-03-12")
    assert "Offerte Een concept: deze offerte is nog niet uitgebracht." in draft
    assert "3.600,00" in draft

    said, reader = printed(offered, "2026-03-12")

    assert quote_document.write(offered, on=MARCH_12) == quote_document.write(offered, on=MARCH_12)
    assert "Offerte Uitgebracht op 2 maart 2026, geldig tot en met 31 maart 2026." in said
    for text in ("3.600,00", "450,00", "20 uur", "Naam, datum en handtekening", "31 maart 2026"):
        assert text in said
    assert reader.trailer["/Root"]["/Lang"] == "nl"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in reader.trailer["/Root"]["/Metadata"].get_data()

    Organisation.objects.update(language="en", legal_name="#evil[Ltd] *&*")
    signed(offered)
    said, _ = printed(Quote.objects.get(contract__isnull=False), "2026-03-16")
    assert "Contract Signed on 12 March 2026, as offered on 2 March 2026." in said
    assert "#evil[Ltd] *&*" in said
    assert "Name, date and signature" not in said
