"""Every page can be used by everybody: axe finds nothing, in both themes, on desk and phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from advisors.models import Advisor
from agency.models import Organisation
from subscriptions.models import PriceBook
from tests.browser.conftest import Open
from tests.browser.scene import DESK, PHONE, Sample, sign_in

STEPS = ("complete", "close", "statements", "drafts", "approve", "send")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
VIEWS = [
    pytest.param("light", DESK, id="light"),
    pytest.param("dark", DESK, id="dark"),
    pytest.param("light", PHONE, id="phone"),
    pytest.param("dark", PHONE, id="dark phone"),
]


def addresses(sample: Sample) -> dict[str, list[str]]:
    """The pages that each person reaches from the menu, and what lies one step behind them."""
    client = f"/portal/{sample.client.pk}/"
    book = PriceBook.objects.get()
    advisor = Advisor.objects.get(code="ADV1")
    open_to_all = f"/info/{sample.client.employee_page.token}/"
    return {
        "": [
            "/account/login/code/",
            "/account/login/",
            "/nowhere/",
            open_to_all,
            f"{open_to_all}en/",
        ],
        "contact": [
            client,
            *(f"{client}{page}/" for page in ("statements", "invoices", "sessions")),
            *(f"{client}{page}/" for page in ("employees", "subscription", "what-we-never-record")),
            f"/portal/{sample.small.pk}/employees/",
            f"{client}invoices/{sample.paid.pk}/",
            f"/portal/{sample.small.pk}/",
            f"/portal/{sample.large.pk}/",
            "/account/2fa/",
        ],
        "advisor": ["/hours/", "/hours/2026-03/"],
        "controller": [
            "/admin/",
            "/admin/months/",
            *(f"/admin/months/2026-03/{step}/" for step in ("complete", "close", "drafts", "send")),
            "/admin/find/?q=de",
            "/admin/mails/",
            "/admin/mails/?mail=reminder",
            *(f"/admin/subscriptions/{list_}/" for list_ in ("invoice", "statement", "topupcard")),
            *(f"/admin/agency/organisation/{one.pk}/" for one in (sample.client, sample.large)),
            f"/admin/agency/organisation/{sample.client.pk}/change/",
            f"/admin/agency/organisation/{sample.client.pk}/history/",
            f"/admin/subscriptions/subscription/{sample.subscription.pk}/change/",
            f"/admin/subscriptions/invoice/{sample.paid.pk}/change/",
            f"/admin/subscriptions/pricebook/{book.pk}/change/",
        ],
        "admin": ["/admin/first-start/", "/admin/moving-in/"],
        "planner": [
            "/admin/agency/organisation/",
            f"/admin/agency/organisation/{sample.small.pk}/",
            "/admin/workshops/session/",
            f"/admin/workshops/session/{sample.session.pk}/change/",
            "/admin/workshops/session/add/",
            f"/admin/advisors/advisor/{advisor.pk}/change/",
        ],
    }


def findings(page: Page) -> list[str]:
    """Give what axe finds; it lays its own styles on the page, so nothing is listened to then."""
    answer = Axe().run(page, options={"runOnly": {"type": "tag", "values": LEVELS}})
    return [
        f"{found['id']}: {node['html'][:120]}"
        for found in answer.response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("who", ["", "contact", "advisor", "controller", "planner", "admin"])
@pytest.mark.parametrize(("theme", "viewport"), VIEWS)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    open_page: Open, sample: Sample, who: str, theme: str, viewport: dict[str, int]
) -> None:
    page = open_page(color_scheme=theme, viewport=viewport)
    if who:
        sign_in(page, who)

    found = {}
    for address in addresses(sample)[who]:
        page.goto(address)
        too_wide = page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        found[address] = [*findings(page), *(["wider than the screen"] if too_wide else [])]

    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("who", ["controller", "admin"])
def test_axe_finds_nothing_on_any_page_behind_the_start_page(
    open_page: Open, sample: Sample, who: str
) -> None:
    """Every list and every form of a new row that the start page of a person leads to."""
    page = open_page()
    sign_in(page, who)
    links = page.locator("main a[href^='/admin/'], .mast a[href^='/']")
    behind = set(links.evaluate_all("links => links.map(link => link.getAttribute('href'))"))

    found = {}
    for address in sorted(behind):
        page.goto(address)
        found[address] = findings(page)

    assert len(found) > 20
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_every_state_of_the_invoices_is_in_sight(
    open_page: Open, sample: Sample, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    sign_in(page, "controller")
    page.goto("/admin/subscriptions/invoice/")

    page.locator(".states span").evaluate_all(
        "amounts => amounts.forEach(amount => amount.textContent = '€ 1.158.113,49')"
    )

    assert page.locator(".states").evaluate("states => states.scrollWidth <= states.clientWidth")
    assert page.locator(".states a").last.is_visible()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_longest_name_pushes_nothing_out_of_sight(
    open_page: Open, sample: Sample, viewport: dict[str, int]
) -> None:
    Organisation.objects.update(
        legal_name="Arbeidsongeschiktheidsverzekeringsmaatschappij"[:40] * 5
    )
    page = open_page(viewport=viewport)
    sign_in(page, "contact")
    wide = "element => element.scrollWidth > element.clientWidth"
    page.goto(f"/portal/{sample.client.pk}/")
    assert not page.locator("html").evaluate(wide)

    if viewport is DESK:
        page.context.clear_cookies()
        sign_in(page, "controller")
        page.goto(f"/admin/agency/organisation/{sample.client.pk}/")
        assert not page.locator("html").evaluate(wide)
        for listed in ("agency/organisation", "workshops/session", "subscriptions/statement"):
            page.goto(f"/admin/{listed}/")
            assert not page.locator(".results").evaluate(wide), listed


def test_on_a_phone_no_list_and_no_month_is_moved_sideways(open_page: Open, sample: Sample) -> None:
    """Each row is a block with its values beside their titles; state and amount are in sight."""
    Organisation.objects.update(legal_name="Zorgverzekeringsmaatschappij" * 3)
    page = open_page(viewport=PHONE)
    sign_in(page, "controller")
    lists = page.locator(".places a:not(.add)").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    months = [f"/admin/months/2026-03/{step}/" for step in STEPS]
    seen = 0

    for address in {*lists, *months}:
        page.goto(address)
        wide = page.locator("html, .results, .leaf > .scroll").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.className)"
        )
        assert wide == [], address
        seen += page.locator(".results").count()

    assert seen > 10
    page.goto("/admin/subscriptions/invoice/?state__exact=blocked")
    for cell in (".field-stands", ".field-total_cents"):
        box = page.locator(f".results tbody {cell}").first.bounding_box()
        assert box
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    titled = page.locator(".results .field-total_cents").first
    assert "Totaal in €" in titled.evaluate("cell => getComputedStyle(cell, '::before').content")


def test_an_opened_menu_and_a_chosen_organisation_are_as_good(
    open_page: Open, sample: Sample
) -> None:
    page = open_page(viewport=PHONE)
    sign_in(page, "advisor")
    page.get_by_role("button", name="Theater De Zandloper").click()
    page.get_by_role("button", name="+30 min").click()
    page.locator("summary").first.click()

    assert findings(page) == []


def test_keys_alone_reach_the_content_and_the_focus_shows(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "contact")
    page.goto(f"/portal/{sample.client.pk}/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    inside = "document.activeElement.closest('main') !== null"
    assert page.evaluate(inside)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_printed_the_sheet_stands_alone(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "contact")
    page.goto(f"/portal/{sample.client.pk}/")

    page.emulate_media(media="print")

    assert page.locator(".mast nav").is_hidden()
    assert page.get_by_role("heading", level=1).is_visible()
