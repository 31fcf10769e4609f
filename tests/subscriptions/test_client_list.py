"""The list of clients tells what is agreed and what is left to pay, as the page of each does."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agency.models import Organisation
from tests import factories as make
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
LIST = "/admin/agency/organisation/"


def line(client: Organisation, role: str = "planner") -> str:
    """Give the row of a client in words, without what it has none of."""
    page = as_(role).get(LIST).content.decode().replace("\xa0", " ")
    row = next(each for each in re.findall(r"<tr>.*?</tr>", page) if str(client.pk) in each)
    words = (each.strip() for each in re.split(r"<[^>]+>", row))
    return " | ".join(word for word in words if word not in {"", "–"})


@pytest.mark.parametrize(
    ("start", "until", "said"),
    [
        ("2025-07", None, "Extended | In force"),
        ("2025-07", "2026-07", "Extended | Ends on 30 Jun 2026"),
        ("2024-07", "2025-07", "Extended | Ended on 30 Jun 2025"),
        ("2026-06", None, "Extended | From Jun 2026"),
    ],
)
def test_a_client_is_listed_with_where_its_contract_stands(
    start: str, until: str | None, said: str
) -> None:
    client = make.organisation("ORG1", legal_name="Client", city="Meppel")
    make.subscription(client, start, until_month=until, tier="extended")

    assert line(client) == f"Client | ORG1 | Meppel | {said}"


def test_without_a_contract_it_says_none() -> None:
    client = make.organisation("ORG1", legal_name="Client", city="Meppel")

    assert line(client) == "Client | ORG1 | Meppel | None"


def test_of_several_contracts_the_one_that_runs_counts_with_its_tier_of_today() -> None:
    client = make.organisation("ORG1", legal_name="Client", city="Meppel")
    make.subscription(client, "2024-07", until_month="2025-07", tier="extended")
    row = make.subscription(client, "2025-07", tier="basic")
    assert "| Basic |" in line(client)

    make.terms(row, "2026-04", "extended")
    assert "| Extended | In force" in line(client)
    make.terms(row, "2026-05", "basic")  # waits for twelve months after the rise
    assert "| Extended | In force" in line(client)


def test_what_is_left_to_pay_is_what_its_page_calls_outstanding() -> None:
    client = make.organisation("ORG1", legal_name="Client", city="Meppel")
    other = make.organisation("ORG2", legal_name="Other", city="Meppel")
    for number, state in enumerate(("open", "open", "paid", "draft")):
        make.invoice(client, state=state, number=f"N-{number}", stripe_id=f"in_{number}")
    first = client.invoices.get(number="N-0")
    make.invoice(
        client, kind="credit", credit_of=first, state="open", number="C-1", stripe_id="in_c",
        lines=[{"net_cents": -50000, "vat_cents": -10500}],
    )  # fmt: skip

    assert "| 1,815.00 |" in line(client)
    assert "1,815.00" in as_("planner").get(f"{LIST}{client.pk}/").content.decode()
    assert line(other) == "Other | ORG2 | Meppel | None"


def test_more_clients_with_more_contracts_cost_as_many_statements() -> None:
    def add(number: int) -> None:
        client = make.organisation(f"ORG{number}")
        row = make.subscription(client, "2024-07", until_month="2025-07")
        make.subscription(client, "2025-07", tier="basic")
        make.terms(row, "2025-01", "basic")
        make.invoice(client, state="open", number=f"N-{number}", stripe_id=f"in_{number}")

    def statements() -> int:
        with CaptureQueriesContext(connection) as sent:
            assert browser.get(LIST).status_code == 200
        return len(sent)

    browser = as_("controller")
    add(0)
    browser.get(LIST)
    of_one = statements()
    for number in range(1, 8):
        add(number)

    assert statements() == of_one <= 10
