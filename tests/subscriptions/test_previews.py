"""A change of a contract is shown, with what the next runs make of it, before it is kept."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils.html import strip_tags

from agency.models import AuditEvent
from subscriptions.models import Subscription, Terms, TierChangeRequest
from tests import factories as make
from tests.browsers import as_
from tests.clients import bill, client, close
from tests.subscriptions.test_admin_contracts import FORM, kept, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.fixture
def contract() -> Subscription:
    """A client of 100 people, basic tier: 1,350.00 a year, 337.50 a quarter; three are billed."""
    row = client(billing_interval=3)
    close("2025-12", "2026-01", "2026-02", "2026-03")
    bill("2026-03")
    return row


def rows(page: str) -> list[str]:
    """Give the rows of the tables on a page, cells parted by bars."""
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in page.split("<tr>")[1:]]
    texts = [" | ".join(unescape(strip_tags(cell)) for cell in row) for row in cells]
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts]


def send(browser: Client, contract: Subscription, **fields: str) -> str:
    data = FORM | kept(contract) | {"organisation": str(contract.organisation.pk)} | fields
    data |= {"billing_interval": "3"}
    page = browser.post(f"/admin/subscriptions/subscription/{contract.pk}/change/", data)
    contract.refresh_from_db()
    return page.content.decode()


PAUSED = {
    "pauses-TOTAL_FORMS": "1",
    "pauses-0-from_month": "2026-07",
    "pauses-0-until_month": "2026-10",
}


AGREED, RUNS = "Agreed | now | then", "Run | Line | now | then | difference"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param(
            PAUSED,
            [
                "Pauses | – | Jul to Sep 2026",
                RUNS,
                "Jun 2026 | Subscription basic, Jul to Sep 2026 | 337.50 | 0.00 | −337.50",
            ],
            id="a pause",
        ),
        pytest.param(
            {"until_month": "2027-04"},
            [
                "First month after the end | – | Apr 2027",
                RUNS,
                "Jun 2026 | Subscription basic, Jul to Sep 2026 | 337.50 | 337.50 | 0.00",
                "Mar 2027 | Subscription basic, Apr to Jun 2027 | 337.50 | 0.00 | −337.50",
            ],
            id="an end",
        ),
        pytest.param(
            version("2027-01", "own_price") | {"terms-0-own_annual_fee_cents": "1000.00"},
            [
                "Annual fee | € 1,350.00 | € 1,000.00",
                RUNS,
                "Jun 2026 | Subscription basic, Jul to Sep 2026 | 337.50 | 337.50 | 0.00",
                "Dec 2026 | Subscription basic, Jan to Mar 2027 | 337.50 | 250.00 | −87.50",
                "Mar 2027 | Subscription basic, Apr to Jun 2027 | 337.50 | 250.00 | −87.50",
            ],
            id="own prices",
        ),
    ],
)
def test_a_change_is_shown_with_what_the_runs_to_come_make_of_it(
    contract: Subscription, fields: dict[str, str], shown: list[str]
) -> None:
    browser = as_("controller")

    page = send(browser, contract, **fields, confirmed="")

    assert rows(page) == [AGREED, *shown]
    assert not contract.pauses.exists()
    assert contract.until_month is None
    assert not AuditEvent.objects.exists()
    assert Terms.objects.count() == 1


def test_an_end_says_until_when_notice_is_given_and_what_is_paid() -> None:
    row = client(notice_months=2)
    close("2025-12")
    bill("2025-12")

    page = send(as_("controller"), row, until_month="2026-07", notice_months="2", confirmed="")

    said = unescape(strip_tags(page)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Notice for this end is given on 30 Apr 2026 at the latest." in said
    assert "The fee was billed until Jan 2027: nothing is paid back unless you credit it." in said


@pytest.mark.parametrize(
    ("until", "shown", "sentence"),
    [
        (None, "Overage | billed | capped: not charged", "count from January 2027, where a"),
        ("2027-01", "First month", "The contract ends before these choices and prices count."),
    ],
)
def test_a_choice_is_shown_with_the_contract_year_from_which_it_counts(
    contract: Subscription, until: str | None, shown: str, sentence: str
) -> None:
    fields = version("2026-06") | {"terms-0-overage": "cap", "until_month": until or ""}

    page = send(as_("controller"), contract, **fields, confirmed="")

    assert rows(page)[1].startswith(shown)
    assert sentence in page


def test_what_was_shown_is_written_once_it_is_sent_again(contract: Subscription) -> None:
    browser = as_("controller")
    page = send(browser, contract, **PAUSED, confirmed="")

    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    change = f"/admin/subscriptions/subscription/{contract.pk}/change/"
    said = browser.post(change, sent | {"confirmed": "1"}, follow=True)

    assert [str(row.months) for row in contract.pauses.all()] == ["2026-07/2026-10"]
    assert AuditEvent.objects.get().action == "changed"
    assert said.redirect_chain


def test_what_changes_nothing_that_is_billed_is_not_shown(contract: Subscription) -> None:
    assert send(as_("controller"), contract, payment_days="14", confirmed="") == ""
    assert contract.payment_days == 14


def test_a_new_contract_shows_its_first_bills() -> None:
    organisation = client().organisation
    Subscription.objects.update(until_month="2027-01")
    months = {"start_month": "2027-01", "first_run": "2026-12", "reported_until": "2027-01"}
    new = FORM | months | version("2027-01", "start") | {"organisation": str(organisation.pk)}

    page = as_("controller").post("/admin/subscriptions/subscription/add/", new | {"confirmed": ""})

    fee, setup, _ = rows(page.content.decode())[-3:]
    assert fee == "Dec 2026 | Subscription basic, Jan to Dec 2027 | 0.00 | 1,350.00 | 1,350.00"
    assert setup.startswith("Dec 2026 | Set-up of the subscription | 0.00 | ")
    assert Subscription.objects.count() == 1


def test_a_tier_change_is_shown_before_it_is_confirmed(contract: Subscription) -> None:
    contact = make.contact(contract.organisation).user
    asked = make.tier_change_request(contract, "2026-05", contact)
    browser, page = as_("controller"), "/admin/subscriptions/tierchangerequest/"
    form = {"action": "confirm", "_selected_action": str(asked.pk)}

    said = browser.post(page, form).content.decode()

    assert rows(said)[-6:-3] == [
        RUNS,
        "Apr 2026 | Change to extended, May to Jun 2026 | 0.00 | 375.00 | 375.00",
        "Jun 2026 | Subscription extended, Jul to Sep 2026 | 337.50 | 900.00 | 562.50",
    ]
    assert Terms.objects.count() == 1
    browser.post(page, form | {"confirmed": "1"})
    assert TierChangeRequest.objects.get().state == "confirmed"
    assert Terms.objects.count() == 2


CARD = {
    "bought_quarters": "10", "remaining_quarters": "10", "price_cents": "1100",
    "expires_month": "2027-05",
}  # fmt: skip


@pytest.mark.parametrize(
    ("bought", "shown"),
    [
        ("2026-05", "Apr 2026 | Top-up card, May 2026 to Apr 2027 | 0.00 | 1,100.00 | 1,100.00"),
        ("2025-11", "valid | "),
    ],
)
def test_a_card_shows_what_it_costs_and_when_before_it_is_bought(
    contract: Subscription, bought: str, shown: str
) -> None:
    browser, address = as_("controller"), "/admin/subscriptions/topupcard/add/"
    card = CARD | {"organisation": str(contract.organisation.pk), "bought_month": bought}

    page = browser.post(address, card).content.decode()

    assert rows(page)[-1].casefold().startswith(shown.casefold())
    assert ("due before the first run" in page) == (bought == "2025-11")
    assert not contract.organisation.top_up_cards.exists()
    assert not AuditEvent.objects.exists()

    browser.post(address, card | {"confirmed": "1"})
    assert contract.organisation.top_up_cards.get().price_cents == 1_100_00
