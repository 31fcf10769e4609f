"""The client's pages show what was published and agreed, to the own people, and nothing else."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agency.models import Organisation
from subscriptions.models import OF_A_YEAR, PriceBand, Subscription, TierChangeRequest
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

PAGES = ["", "statements/", "invoices/", "sessions/", "subscription/", "what-we-never-record/"]
NOWHERE = uuid.UUID(int=7)
LEDGER = re.compile("drafthours|monthhours|hoursadjustment|monthsubmission")


@pytest.fixture
def organisation() -> Organisation:
    """A client with a contract since January 2026 and hours in the ledger that nobody may see."""
    factories.price_book()
    organisation = factories.organisation("OWN", legal_name="Our Own B.V.")
    factories.headcount(organisation, 80)
    advisor = factories.advisor()
    factories.assignment(advisor, organisation)
    factories.month_hours(advisor, organisation, "2026-01", 77)
    factories.draft_hours(advisor, organisation, "2026-04", 77)
    return organisation


@pytest.fixture
def subscription(organisation: Organisation) -> Subscription:
    return factories.subscription(organisation, "2026-01", billing_interval=3)


@pytest.fixture
def other() -> Organisation:
    other = factories.organisation("OTHER", legal_name="Somebody Else B.V.")
    factories.contact(other)
    return other


@pytest.fixture
def client(organisation: Organisation) -> Client:
    client = Client()
    client.force_login(factories.contact(organisation).user)
    return client


def text_of(client: Client, organisation: Organisation, address: str = "") -> str:
    response = client.get(f"/portal/{organisation.pk}/{address}")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace(
        "\xa0", " "
    )


def test_the_overview_says_how_the_year_stands(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.statement(subscription, "2026-01", "2026-04", used_quarters=26)

    shown = text_of(client, organisation)

    assert "Up to and including March you are within your hours." in shown
    assert "6.5 of 20 hours used, as published up to and including March 2026." in shown
    assert "At this pace you will end the year at about 26 hours." in shown
    assert "follows in July" in shown


def test_extra_hours_are_named_first(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.statement(subscription, "2026-01", "2026-04", used_quarters=94, overage_quarters=14)

    shown = text_of(client, organisation)

    assert "Up to and including March you have 3.5 extra hours." in shown
    assert "23.5 hours" in shown


@pytest.mark.parametrize(
    ("display", "sentence"),
    [
        ("band", "Within the hours you have bought"),
        ("withheld", "For these months we report and charge no hours."),
        ("all_in", "All hours are included. Use is not reported."),
    ],
)
@pytest.mark.parametrize("address", ["", "statements/"])
def test_a_statement_without_figures_shows_none(
    client: Client,
    organisation: Organisation,
    subscription: Subscription,
    display: str,
    sentence: str,
    address: str,
) -> None:
    factories.statement(subscription, "2026-01", "2026-04", display=display)

    shown = text_of(client, organisation, address)

    assert sentence in shown
    assert " used" not in shown
    assert "At this pace" not in shown


def test_charged_hours_leave_the_allowance_as_it_is(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.statement(
        subscription,
        "2026-01",
        "2026-03",
        used_quarters=30,
        allowance_quarters=20,
        overage_quarters=10,
    )
    factories.statement(subscription, "2026-03", "2026-04", used_quarters=40, allowance_quarters=80)

    shown = text_of(client, organisation)

    assert "15 of 20 hours used" in shown
    assert "5 hours left" in shown
    assert "On top of that came 2.5 hours extra." in shown


def test_a_contract_without_hours_shows_no_bar(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.statement(subscription, used_quarters=6, allowance_quarters=0, overage_quarters=6)

    shown = text_of(client, organisation)

    assert "1.5 hours used, as published" in shown
    assert "Your contract includes no hours. Of these 1.5 hours are extra." in shown
    assert "of 0 hours" not in shown


def test_hours_of_cards_stand_apart(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.statement(subscription, used_quarters=96, allowance_quarters=80, overage_quarters=6)

    shown = text_of(client, organisation)

    assert "20 of 20 hours used" in shown
    assert "Of your cards 2.5 hours were used." in shown
    assert "On top of that came 1.5 hours extra." in shown


def test_a_cap_says_what_it_leaves_uncharged(client: Client, organisation: Organisation) -> None:
    subscription = factories.subscription(organisation, "2026-01", overage="cap")
    factories.statement(subscription, used_quarters=100, allowance_quarters=80, capped=True)

    shown = text_of(client, organisation)

    assert "Up to and including March we charge no extra hours." in shown
    assert "20 of 20 hours used" in shown
    assert "5 hours above the contract, not charged" in shown


def test_a_contract_that_has_ended_offers_no_other_subscription(
    client: Client, organisation: Organisation
) -> None:
    factories.subscription(organisation, "2025-01", until_month="2026-04")

    shown = text_of(client, organisation, "subscription/")

    assert "Your subscription ends with 31 March 2026." in shown
    assert "Another subscription" not in shown


def test_hours_that_a_former_system_reported_leave_no_sum(
    client: Client, organisation: Organisation
) -> None:
    subscription = factories.subscription(organisation, "2026-01", reported_until="2026-02")
    factories.statement(subscription, "2026-02", "2026-04", used_quarters=20)

    shown = text_of(client, organisation)

    assert "were reported to you before" in shown
    assert "of 20 hours used" not in shown


@pytest.mark.attack(31)
@pytest.mark.parametrize("address", PAGES)
def test_no_page_reads_the_ledger(
    client: Client, organisation: Organisation, subscription: Subscription, address: str
) -> None:
    factories.statement(subscription)

    with CaptureQueriesContext(connection) as queries:
        shown = text_of(client, organisation, address)

    assert not [query["sql"] for query in queries if LEDGER.search(query["sql"])]
    assert "19.25" not in shown


@pytest.mark.attack(45)
@pytest.mark.parametrize("address", [*PAGES, "workbook/2026-03/", f"invoices/{NOWHERE}/"])
def test_foreign_and_missing_are_the_same_page(
    client: Client, other: Organisation, address: str
) -> None:
    factories.publication("2026-03")

    foreign = client.get(f"/portal/{other.pk}/{address}")
    missing = client.get(f"/portal/{uuid.uuid4()}/{address}")

    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_the_workbook_of_a_published_month_is_a_download(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.agency()
    factories.statement(subscription, "2026-01", "2026-04")

    response = client.get(f"/portal/{organisation.pk}/workbook/2026-03/")

    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="utilisation_OWN_2026-03.xlsx"'
    assert response.content.startswith(b"PK")


@pytest.mark.parametrize("month", ["2026-02", "2026-04", "latest", "2026-13"])
def test_a_month_that_is_not_published_has_no_workbook(
    client: Client, organisation: Organisation, subscription: Subscription, month: str
) -> None:
    factories.statement(subscription, "2026-01", "2026-04")

    assert client.get(f"/portal/{organisation.pk}/workbook/{month}/").status_code == 404


def test_a_month_before_the_contract_has_no_workbook(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    factories.agency()
    factories.publication("2025-06")

    assert client.get(f"/portal/{organisation.pk}/workbook/2025-06/").status_code == 404


def test_an_invoice_of_another_organisation_is_not_found(
    client: Client, organisation: Organisation, other: Organisation
) -> None:
    invoice = factories.invoice(other, state="open")

    assert client.get(f"/portal/{organisation.pk}/invoices/{invoice.pk}/").status_code == 404


@pytest.mark.parametrize("state", ["draft", "approved"])
def test_an_invoice_shows_only_once_it_is_sent(
    client: Client, organisation: Organisation, subscription: Subscription, state: str
) -> None:
    factories.invoice(organisation, state="open", number="DIS-0007")
    hidden = factories.invoice(
        organisation, "2026-02", state=state, lines=[{"description": "Not yet to be seen"}]
    )

    for address in ("", "invoices/"):
        assert "DIS-0007" in text_of(client, organisation, address)
        assert "Not yet to be seen" not in text_of(client, organisation, address)
    assert client.get(f"/portal/{organisation.pk}/invoices/{hidden.pk}/").status_code == 404


def test_an_open_invoice_leads_to_its_payment_page(
    client: Client, organisation: Organisation
) -> None:
    factories.invoice(organisation, state="open", hosted_url="https://pay.example/abc")
    factories.invoice(
        organisation,
        "2026-02",
        state="paid",
        number="2",
        stripe_id="in_2",
        hosted_url="https://pay.example/no",
    )

    page = client.get(f"/portal/{organisation.pk}/invoices/").content.decode()

    assert 'href="https://pay.example/abc"' in page
    assert "https://pay.example/no" not in page


def test_who_paid_our_bank_a_part_is_asked_for_the_rest_and_not_for_all_of_it_at_stripe(
    client: Client, organisation: Organisation
) -> None:
    lines = [{"net_cents": 100_00, "vat_cents": 21_00}]
    where = {"state": "open", "hosted_url": "https://pay.example/abc"}
    invoice = factories.invoice(organisation, lines=lines, **where)
    one = f"invoices/{invoice.pk}/"
    assert "Pay € 121.00" in text_of(client, organisation, one)

    factories.receipt(invoice, 21_00)

    for address in ("", "invoices/", one):
        assert "https://pay.example/abc" not in text_of(client, organisation, address)
    told = text_of(client, organisation, one)
    assert "transfer the € 100.00 that is left" in told


def test_an_invoice_explains_its_amount(client: Client, organisation: Organisation) -> None:
    invoice = factories.invoice(
        organisation,
        state="open",
        lines=[
            {"description": "Extended, April to June"},
            {"description": "Extra hours", "net_cents": 45500, "vat_cents": 9555},
        ],
    )

    shown = text_of(client, organisation, f"invoices/{invoice.pk}/")

    assert "Extended, April to June" in shown
    assert "455.00" in shown
    assert "1,760.55" in shown


def test_a_tier_whose_prices_are_on_request_is_asked_for_in_person(
    client: Client, organisation: Organisation
) -> None:
    factories.subscription(organisation, "2026-01", tier="basic", billing_interval=12)
    PriceBand.objects.filter(tier="extended").update(**dict.fromkeys(OF_A_YEAR))
    wish = {"tier": "extended", "month": "2026-07"}

    for sent in (wish, wish | {"confirm": "yes"}):
        answer = client.post(f"/portal/{organisation.pk}/subscription/", sent)
        assert answer.status_code == 400
        assert "Our list has no price for it: please ask us." in answer.content.decode()
    assert not TierChangeRequest.objects.exists()


@pytest.mark.attack(32)
def test_a_tier_change_is_previewed_before_it_is_asked_for(
    client: Client, organisation: Organisation
) -> None:
    factories.subscription(organisation, "2026-01", tier="basic", billing_interval=12)
    address = f"/portal/{organisation.pk}/subscription/"
    wish = {"tier": "extended", "month": "2026-07"}

    preview = client.post(address, wish).content.decode()

    assert "Extended from July 2026" in preview
    assert "€\xa01,125.00" in preview  # (3,600 - 1,350) x 6/12
    assert not TierChangeRequest.objects.exists()

    client.post(address, wish | {"confirm": "yes"})

    request = TierChangeRequest.objects.get()
    assert (request.tier, str(request.from_month), request.state) == ("extended", "2026-07", "open")
    assert "Your request for extended from July 2026 is with us." in text_of(
        client, organisation, "subscription/"
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"tier": "extended", "month": "2026-04"},
        {"tier": "extended", "month": "2031-01"},
        {"tier": "extended", "month": "soon"},
        {"tier": "golden", "month": "2026-07"},
        {"tier": "extended"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    client: Client, organisation: Organisation, wish: dict[str, str]
) -> None:
    factories.subscription(organisation, "2026-01", tier="basic")

    response = client.post(f"/portal/{organisation.pk}/subscription/", wish | {"confirm": "yes"})

    assert response.status_code == 400
    assert '<p class="err"' in response.content.decode()
    assert not TierChangeRequest.objects.exists()


@pytest.mark.parametrize("wish", [{}, {"confirm": "yes"}])
def test_a_request_for_nothing_says_what_is_missing_at_each_field(
    client: Client, organisation: Organisation, wish: dict[str, str]
) -> None:
    factories.subscription(organisation, "2026-01", tier="basic")

    response = client.post(f"/portal/{organisation.pk}/subscription/", wish)

    assert response.status_code == 400
    assert response.content.decode().count("This field is required.") == len(("tier", "month"))


def test_a_contact_of_no_organisation_reads_one_sentence() -> None:
    client = Client()
    client.force_login(factories.user("contact", language="en"))

    response = client.get("/portal/")

    assert response.status_code == 403
    assert "Your account belongs to no organisation yet." in response.content.decode()


def test_only_an_owner_asks_for_another_tier(organisation: Organisation) -> None:
    factories.subscription(organisation, "2026-01", tier="basic")
    client = Client()
    client.force_login(factories.contact(organisation, role="reader").user)

    response = client.post(
        f"/portal/{organisation.pk}/subscription/",
        {"tier": "extended", "month": "2026-07", "confirm": "yes"},
    )

    assert response.status_code == 403
    assert not TierChangeRequest.objects.exists()


def test_who_has_several_organisations_can_switch(
    client: Client, organisation: Organisation, other: Organisation
) -> None:
    user = organisation.contacts.get().user
    assert "Another organisation" not in text_of(client, organisation)

    factories.contact(other, user)

    assert "Another organisation" in text_of(client, organisation)
    assert client.get(f"/portal/{other.pk}/").status_code == 200


@pytest.mark.parametrize("role", ["planner", "administrator", "advisor"])
def test_the_portal_is_for_contacts(organisation: Organisation, role: str) -> None:
    client = Client()
    client.force_login(factories.user(role))

    assert client.get("/portal/").status_code == 404
    assert client.get(f"/portal/{organisation.pk}/").status_code == 404


def test_who_is_not_signed_in_is_asked_to(organisation: Organisation) -> None:
    response = Client().get(f"/portal/{organisation.pk}/")

    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/code/")


def test_the_overview_takes_as_many_queries_for_much_as_for_little(
    client: Client, organisation: Organisation, subscription: Subscription
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(client, organisation)
        return len(captured)

    factories.statement(subscription, "2026-01", "2026-02")
    factories.session(organisation)
    factories.invoice(organisation, state="open")
    queries()
    few = queries()
    for month in (2, 3):
        factories.statement(subscription, f"2026-0{month}", f"2026-0{month + 1}")
        factories.session(organisation, f"S{month}")
        factories.invoice(
            organisation, "2026-02", state="open", number=f"{month}", stripe_id=f"in_{month}"
        )

    assert queries() == few
