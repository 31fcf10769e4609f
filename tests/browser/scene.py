"""What stands in the database of the stories: six people and three clients in April 2026."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from agency.models import Organisation, User
from agency.month import Month
from subscriptions.models import Invoice, Subscription
from tests import factories
from tests.clients import open_agency
from workshops.models import Session

PASSWORD = "a password for nobody"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@dataclass
class Sample:
    """What the stories speak of."""

    client: Organisation
    small: Organisation
    large: Organisation
    subscription: Subscription
    session: Session
    paid: Invoice


def _people() -> dict[str, User]:
    return {
        role: factories.user(
            role, password=PASSWORD, email=f"{name}@discreet.example", name=who, language="nl"
        )
        for role, name, who in (
            ("planner", "planner", "Maaike Rosier"),
            ("controller", "controller", "Bram Stolk"),
            ("administrator", "admin", "Noor Vermeer"),
            ("auditor", "auditor", "Fleur Mansholt"),
            ("advisor", "advisor", "Hanneke Drost"),
            ("contact", "contact", "Jorien Velt"),
        )
    }


def _client(code: str, name: str, headcount: int, contact: User) -> Organisation:
    organisation = factories.organisation(code, legal_name=name, language="nl")
    factories.headcount(organisation, headcount)
    factories.contact(organisation, contact)
    return organisation


def make_sample() -> Sample:
    people = _people()
    open_agency()  # before there are documents: rates of VAT that come later are refused
    for month in range(1, 3):
        factories.closed_month(f"2026-0{month}")
    advisor = factories.advisor(user=people["advisor"], phone="06 5550 1142")
    factories.advisor(
        "ADV2", user=factories.user("advisor", email="r.a@discreet.example", name="Reinier Aalders")
    )
    client = _client("ORG1", "Kinderopvang De Speeldoos", 80, people["contact"])
    small = _client("ORG2", "Theater De Zandloper", 8, people["contact"])
    large = _client(
        "ORG3",
        "Coöperatieve Vereniging Gezamenlijke Drinkwaterleiding- en "
        "Rioolwaterzuiveringsmaatschappij Oost-Veluwezoom U.A.",
        386,
        people["contact"],
    )
    for organisation in (client, small, large):
        factories.assignment(advisor, organisation)
    factories.employee_page(client)
    subscription = factories.subscription(client, "2025-07", tier="basic", billing_interval=3)
    _statements(subscription, factories.subscription(small, "2025-04"))
    factories.subscription(large, "2026-01", overage="all_in")
    session = factories.session(
        client,
        offering=factories.offering(title_nl="Voorlichting voor leidinggevenden"),
        starts_at=factories.at("2026-05-12 13:30"),
    )
    return Sample(client, small, large, subscription, session, _invoices(client, large))


def _statements(quarterly: Subscription, banded: Subscription) -> None:
    first = Month.of(2025, 7)
    for number, used in enumerate((16, 22, 26)):
        from_month = first + 3 * number
        factories.statement(
            quarterly, from_month, from_month + 3, used_quarters=used, allowance_quarters=80
        )
    factories.statement(banded, "2025-04", "2026-04", display="band")


def _invoices(client: Organisation, large: Organisation) -> Invoice:
    factories.invoice(
        client, "2026-03", state="open", number="2026-0236", stripe_id="in_1",
        hosted_url="https://pay.example/1", pdf_url="https://pay.example/1.pdf",
    )  # fmt: skip
    factories.invoice(large, "2026-03")
    factories.invoice(large, "2026-02", state="blocked", blocked_reason="po_missing")
    return factories.invoice(client, "2025-12", state="paid", number="2026-0018", stripe_id="in_2")


def sign_in(page: Page, name: str, language: str = "nl") -> None:
    """Sign in with the password, as colleagues do."""
    page.goto("/account/login/")
    page.fill("#id_login", f"{name}@discreet.example")
    page.fill("#id_password", PASSWORD)
    button = {"nl": "Aanmelden", "en": "Sign in"}[language]
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(lambda url: "/account/" not in url)


@dataclass
class Steps:
    """Counts what a person does; one too many fails the test."""

    most: int
    taken: int = 0

    def take(self, deed: Callable[[], object]) -> None:
        self.taken += 1
        assert self.taken <= self.most, f"more than {self.most} steps"
        deed()
