"""What was published and billed by a contract is not written anew in the admin."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.utils.html import strip_tags

from agency.month import Month
from subscriptions.models import Subscription, Terms
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

FORM = {
    "signed_on": "2026-04-01", "term_months": "12", "renewal_months": "12", "notice_months": "1",
    "billing_interval": "12",
    "collection": "invoice", "payment_days": "30", "carry_over_basis_points": "0",
    "carry_over_cap_quarters": "0", "terms-TOTAL_FORMS": "0", "terms-INITIAL_FORMS": "0",
    "pauses-TOTAL_FORMS": "0", "pauses-INITIAL_FORMS": "0", "confirmed": "1",
}  # fmt: skip
LOCKED = {
    "start_month": "2025-03",
    "year_starts_in": "3",
    "first_run": "2025-04",
    "reported_until": "2026-02",
}


@pytest.fixture
def contract() -> Subscription:
    """A contract from 2025-01 on, with its start in the terms; 2026-02 was closed last."""
    factories.closed_month("2026-02")
    return factories.subscription(factories.organisation(), "2025-01")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(factories.user("controller"))
    return client


def kept(contract: Subscription) -> dict[str, str]:
    names = ("start_month", "year_starts_in", "first_run", "reported_until", "until_month")
    values = {name: getattr(contract, name) for name in names}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def save(client: Client, contract: Subscription, **fields: str) -> str:
    data = FORM | kept(contract) | {"organisation": str(contract.organisation.pk)} | fields
    page = client.post(f"/admin/subscriptions/subscription/{contract.pk}/change/", data)
    contract.refresh_from_db()
    return page.content.decode()


def test_what_was_saved_is_said_in_words(contract: Subscription) -> None:
    """Dutch has two articles, and a key tells nobody which contract it was."""
    client = Client()
    client.force_login(factories.user("controller", language="nl"))
    data = FORM | kept(contract) | {"organisation": str(contract.organisation.pk)}

    page = f"/admin/subscriptions/subscription/{contract.pk}/change/"
    said = unescape(strip_tags(client.post(page, data, follow=True).content.decode()))

    assert "Gewijzigd: contract ‘ORG1 B.V. 2025-01’." in said


def version(from_month: str, reason: str = "correction") -> dict[str, str]:
    row = {"from_month": from_month, "reason": reason, "tier": "basic", "overage": "bill"}
    return {"terms-TOTAL_FORMS": "1"} | {f"terms-0-{name}": text for name, text in row.items()}


@pytest.mark.parametrize("by", ["statement", "invoice"])
def test_what_figures_follow_from_is_locked_once_there_are_any(
    client: Client, contract: Subscription, by: str
) -> None:
    if by == "statement":
        factories.statement(contract, "2025-01", "2026-01")
    else:
        factories.billed_occurrence(contract.organisation, contract.pk, "2025-01")
    before = kept(contract)
    another = factories.organisation("OTHER")

    save(client, contract, **LOCKED, payment_days="14", organisation=str(another.pk))

    assert kept(contract) == before
    assert contract.organisation != another
    assert contract.payment_days == 14  # what may change did


def test_a_contract_without_figures_can_be_put_right(
    client: Client, contract: Subscription
) -> None:
    save(client, contract, **LOCKED)

    assert kept(contract) == LOCKED | {"until_month": ""}


def test_terms_are_added_from_the_first_open_month_on(
    client: Client, contract: Subscription
) -> None:
    factories.statement(contract, "2025-01", "2026-01")

    for closed in ("2026-02", "2025-06", "2024-01"):
        assert "This month is closed." in save(client, contract, **version(closed))
    assert Terms.objects.count() == 1

    save(client, contract, **version("2026-03"))
    assert Terms.objects.filter(reason="correction").count() == 1


def test_a_contract_that_is_entered_late_begins_in_its_own_month(client: Client) -> None:
    factories.closed_month("2026-02")
    organisation = factories.organisation()
    months = {"start_month": "2026-01", "first_run": "2026-03", "reported_until": "2026-01"}
    new = FORM | months | {"organisation": str(organisation.pk)}

    client.post("/admin/subscriptions/subscription/add/", new | version("2026-01"))
    assert not Subscription.objects.exists()
    client.post("/admin/subscriptions/subscription/add/", new | version("2026-01", "start"))
    assert Terms.objects.get().subscription.organisation == organisation


@pytest.mark.parametrize(
    ("before", "after"), [("", "2026-03"), ("2026-03", ""), ("2026-02", "2027-01")]
)
def test_an_end_in_a_closed_month_is_neither_given_nor_withdrawn(
    client: Client, contract: Subscription, before: str, after: str
) -> None:
    if before:
        Subscription.objects.update(until_month=before)
        contract.refresh_from_db()
    factories.statement(contract, "2025-01", "2026-01")

    said = save(client, contract, until_month=after)

    assert "The last month of a contract is one that is still open." in said
    assert kept(contract)["until_month"] == before


def test_a_contract_may_end_with_an_open_month(client: Client, contract: Subscription) -> None:
    factories.statement(contract, "2025-01", "2026-01")

    save(client, contract, until_month="2026-04")
    assert kept(contract)["until_month"] == "2026-04"
    save(client, contract, until_month="")
    assert kept(contract)["until_month"] == ""


def test_an_end_that_withholds_figures_says_so_before_it_is_agreed(
    client: Client, contract: Subscription
) -> None:
    """A quarter of 40 people of which a former system reported the first month is too short."""
    factories.headcount(contract.organisation, 40)
    factories.price_book()
    Subscription.objects.update(reported_until="2026-02")
    contract.refresh_from_db()

    said = save(client, contract, until_month="2026-04")
    assert "use in Feb to Mar 2026 is neither shown nor charged" in said
    assert contract.until_month is None

    save(client, contract, until_month="2026-04", client_knows="on")
    assert str(contract.until_month) == "2026-04"


@pytest.mark.parametrize(
    ("people", "until", "said"),
    [
        (26, "2026-06", "a quarter of its contract year. Nearest: 2026-04, 2026-07."),
        (25, "2026-07", "with its contract year. Nearest: 2027-01."),
        (25, "2027-03", "with its contract year. Nearest: 2027-01, 2028-01."),
        (8, "2026-10", "with its contract year. Nearest: 2027-01."),
    ],
)
def test_an_end_is_one_of_the_contract_year_or_for_many_people_of_its_quarters(
    client: Client, contract: Subscription, people: int, until: str, said: str
) -> None:
    """Months that are closed are not named: 2026-01 would be one of them."""
    factories.headcount(contract.organisation, people)
    factories.price_book()
    factories.statement(contract, "2025-01", "2026-01")

    assert said in save(client, contract, until_month=until, client_knows="on")
    assert contract.until_month is None
    for end in said.split("Nearest: ")[1].strip(".").split(", "):
        save(client, contract, until_month=end, client_knows="on")
        assert str(contract.until_month) == end
        Subscription.objects.update(until_month=None)


def test_the_lowest_headcount_of_the_open_period_decides(
    client: Client, contract: Subscription
) -> None:
    factories.headcount(contract.organisation, 40)
    factories.headcount(contract.organisation, 20, "2026-03")
    factories.price_book()
    factories.statement(contract, "2025-01", "2026-01")

    assert "Nearest: 2027-01." in save(client, contract, until_month="2026-07")


def test_an_end_that_was_brought_in_with_the_contract_stays(
    client: Client, contract: Subscription
) -> None:
    factories.headcount(contract.organisation, 40)
    factories.price_book()
    Subscription.objects.update(until_month="2026-06")
    contract.refresh_from_db()

    save(client, contract, payment_days="14")

    assert (str(contract.until_month), contract.payment_days) == ("2026-06", 14)


def test_a_contract_is_entered_before_its_end(client: Client) -> None:
    """Only of one that is there can be said what its end withholds."""
    organisation = factories.organisation()
    months = {"start_month": "2026-05", "first_run": "2026-04", "reported_until": "2026-05"}
    new = FORM | months | version("2026-05", "start") | {"organisation": str(organisation.pk)}

    page = client.post("/admin/subscriptions/subscription/add/", new | {"until_month": "2026-09"})
    assert "Save the contract without an end first" in page.content.decode()
    assert not Subscription.objects.exists()
    client.post("/admin/subscriptions/subscription/add/", new)
    assert Subscription.objects.exists()


def test_a_contract_soon_after_another_keeps_its_year(
    client: Client, contract: Subscription
) -> None:
    Subscription.objects.update(until_month="2026-05")
    months = {"start_month": "2026-05", "first_run": "2026-04", "reported_until": "2026-05"}
    new = FORM | months | version("2026-05", "start")
    new |= {"organisation": str(contract.organisation.pk)}
    page = "/admin/subscriptions/subscription/add/"

    said = client.post(page, new | {"year_starts_in": "5"}).content.decode()
    assert "It keeps the contract year of the contract before it, from month 1 on." in said
    client.post(page, new | {"year_starts_in": "1"})
    assert Subscription.objects.count() == 2


def test_an_end_that_withholds_nothing_needs_no_tick(
    client: Client, contract: Subscription
) -> None:
    factories.headcount(contract.organisation, 40)
    factories.price_book()

    save(client, contract, until_month="2026-07")

    assert str(contract.until_month) == "2026-07"


def test_how_often_is_billed_is_locked_once_something_was(
    client: Client, contract: Subscription
) -> None:
    factories.billed_occurrence(contract.organisation, contract.pk)

    save(client, contract, billing_interval="3")

    assert contract.billing_interval == 12


def test_an_end_until_which_the_fee_was_billed_is_not_moved_on(
    client: Client, contract: Subscription
) -> None:
    """The months after it would be paid by nobody."""
    contract.until_month = Month.of(2026, 7)
    contract.save()
    billed = factories.billed_occurrence(contract.organisation, contract.pk)
    fee = {"kind": "fee", "from_month": "2026-01", "until_month": "2026-07", "occurrence": billed}
    factories.invoice(contract.organisation, "2025-12", lines=[fee])

    said = save(client, contract, until_month="2026-10", client_knows="on")

    assert "The fee was billed until this end" in said
    assert str(contract.until_month) == "2026-07"
