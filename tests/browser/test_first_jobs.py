"""Each of the agency's people signs in and does that person's first job."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from advisors.models import DraftHours, MonthSubmission
from agency.models import User
from subscriptions.models import Invoice, TierChangeRequest
from tests import factories
from tests.browser.conftest import Open
from tests.browser.scene import PHONE, Sample, sign_in
from tests.browser.test_pages_for_all import findings


def test_a_controller_approves_the_drafts(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "controller")
    expect(page.get_by_role("heading", level=1)).to_have_text("Woensdag 8 april")

    page.get_by_role("link", name="conceptfactuur goed te keuren").click()
    expect(page.get_by_text("1 factuur goedkeuren, € 1.000,00 netto")).to_be_visible()
    page.get_by_role("link", name="Bekijk elk concept").click()
    page.locator("#action-toggle").check()
    page.get_by_label("Actie:").select_option("approve")
    page.get_by_role("button", name="Verder").click()
    expect(page.get_by_text("1 factuur, € 1.000,00 zonder btw")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Goedkeuren: er wordt nog niets verstuurd").click()

    expect(page.get_by_role("status")).to_contain_text("1 factuur goedgekeurd")
    assert Invoice.objects.filter(state="approved").count() == 1
    page.get_by_role("button", name="Ongedaan maken").click()
    expect(page.get_by_role("status")).to_contain_text("1 factuur is weer een concept")
    assert Invoice.objects.filter(state="approved").count() == 0

    page.locator("#action-toggle").check()
    page.get_by_label("Actie:").select_option("approve")
    page.get_by_role("button", name="Verder").click()
    page.get_by_role("button", name="Goedkeuren: er wordt nog niets verstuurd").click()
    page.get_by_role("link", name="Vandaag").click()
    expect(page.get_by_role("link", name="goedgekeurde factuur te versturen")).to_be_visible()


def test_a_planner_finds_a_trainer(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "planner")

    page.get_by_role("link", name="bijeenkomst zonder trainer").click()
    page.locator("#result_list tbody th a").click()
    page.locator(".field-trainer .select2-selection").click()
    page.locator(".select2-search__field").fill("Reinier")
    page.locator(".select2-results__option", has_text="Reinier Aalders").click()
    page.get_by_role("button", name="Opslaan", exact=True).click()

    expect(page.get_by_role("status")).to_be_visible()
    sample.session.refresh_from_db()
    assert sample.session.trainer is not None
    assert sample.session.trainer.user.name == "Reinier Aalders"
    page.get_by_role("link", name="Vandaag").click()
    expect(page.get_by_text("zonder trainer")).to_have_count(0)


def test_an_administrator_lets_a_colleague_in(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "admin")

    page.get_by_role("link", name="Gebruikers", exact=True).click()
    page.get_by_role("link", name="Gebruiker toevoegen").click()
    page.get_by_label("Naam").fill("Ad Kuyper")
    page.get_by_label("E-mailadres").fill("A.Kuyper@discreet.example")
    page.get_by_label("Rol").select_option("auditor")
    page.get_by_role("button", name="Opslaan", exact=True).click()

    expect(page.get_by_role("status")).to_be_visible()
    made = User.objects.get(email="a.kuyper@discreet.example")
    assert (made.role, made.is_active, made.has_usable_password()) == ("auditor", True, False)


def test_an_auditor_reads_who_did_what_and_changes_nothing(open_page: Open, sample: Sample) -> None:
    planner = User.objects.get(role="planner")
    factories.audit_event(sample.client, actor=planner)
    page = open_page()
    sign_in(page, "auditor")

    page.goto("/admin/agency/auditevent/")
    expect(page.locator("#result_list")).to_contain_text(planner.name)
    page.goto(f"/admin/agency/organisation/{sample.client.pk}/change/")
    expect(page.get_by_text("Kinderopvang De Speeldoos").first).to_be_visible()
    expect(page.get_by_role("button", name="Opslaan")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_an_advisor_notes_hours_on_a_phone_and_submits(
    open_page: Open,
    sample: Sample,
    script: bool,  # noqa: FBT001
) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=script)
    sign_in(page, "advisor")
    expect(page.get_by_role("heading", level=1)).to_have_text("April")

    page.get_by_role("button", name="Kinderopvang De Speeldoos").click()
    page.get_by_role("button", name="+30 min").click()
    page.get_by_role("button", name="+1 uur").click()
    expect(page.get_by_role("status")).to_contain_text("1 u 30")
    page.get_by_role("button", name="Ongedaan maken").click()
    expect(page.get_by_role("status")).to_contain_text("0 u 30")
    assert DraftHours.objects.get().quarters == 2

    page.get_by_role("link", name="Naar maart, nog open").click()
    page.get_by_role("button", name="Maart indienen").click()
    expect(page.get_by_text("U hebt maart ingediend")).to_be_visible()
    assert str(MonthSubmission.objects.get().month) == "2026-03"


def test_a_second_phone_does_not_overwrite_the_first(open_page: Open, sample: Sample) -> None:
    first, second = open_page(viewport=PHONE), open_page(viewport=PHONE)
    for page in (first, second):
        sign_in(page, "advisor")
        page.get_by_role("button", name="Kinderopvang De Speeldoos").click()
    first.get_by_role("button", name="+1 uur").click()

    with second.expect_response(lambda answer: answer.request.method == "POST") as answer:
        second.get_by_role("button", name="+15 min").click()

    assert answer.value.status == 409
    expect(second.get_by_role("alert")).to_contain_text("Er is niets verloren")
    expect(second.get_by_role("status")).to_contain_text("1 u 00")
    assert DraftHours.objects.get().quarters == 4


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_contact_signs_in_by_code_and_finds_the_hours_and_the_invoice(
    open_page: Open,
    sample: Sample,
    script: bool,  # noqa: FBT001
) -> None:
    page = open_page(java_script_enabled=script)
    page.goto("/portal/")
    page.get_by_label("E-mailadres").fill("contact@discreet.example")
    page.get_by_role("button", name="Stuur mij een code").click()
    code = re.search(r"\b\d{6}\b", str(mail.outbox[0].body))
    assert code
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Aanmelden", exact=True).click()

    page.goto(f"/portal/{sample.client.pk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Tot en met maart bent u binnen uw uren."
    )
    expect(page.get_by_text("16 van de 20 uur gebruikt")).to_be_visible()
    pay = page.get_by_role("link", name="Betalen 2026-0236")
    assert pay.get_attribute("href") == "https://pay.example/1"

    page.get_by_role("link", name="Opgaven", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel jan").click()
    assert download.value.suggested_filename == "utilisation_ORG1_2026-03.xlsx"


def test_a_contact_asks_for_another_subscription(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "contact")
    page.goto(f"/portal/{sample.client.pk}/subscription/")

    page.get_by_text("Uitgebreid", exact=True).check()
    page.get_by_label("Vanaf").select_option("2026-06")
    page.get_by_role("button", name="Bekijk wat dat doet").click()
    expect(page.get_by_text("Uitgebreid vanaf juni 2026")).to_be_visible()
    assert not TierChangeRequest.objects.exists()
    page.get_by_role("button", name="Verstuur het verzoek").click()

    expect(
        page.get_by_text("Uw verzoek om uitgebreid vanaf juni 2026 ligt bij ons.")
    ).to_be_visible()
    assert TierChangeRequest.objects.get().tier == "extended"


def test_a_wrong_code_is_said_at_the_field(open_page: Open, sample: Sample) -> None:
    page = open_page()
    page.goto("/portal/")
    page.get_by_label("E-mailadres").fill("contact@discreet.example")
    page.get_by_role("button", name="Stuur mij een code").click()

    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Aanmelden", exact=True).click()

    expect(page.locator("#id_code_error")).to_be_visible()


def test_an_address_that_is_not_known_gets_the_same_page_and_no_mail(
    open_page: Open, sample: Sample
) -> None:
    page = open_page()
    page.goto("/portal/")
    page.get_by_label("E-mailadres").fill("nobody@elsewhere.example")
    page.get_by_role("button", name="Stuur mij een code").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Vul de code uit uw e-mail in")
    assert mail.outbox == []


def test_the_language_can_be_chosen_before_and_after_signing_in(
    open_page: Open, sample: Sample
) -> None:
    page = open_page()
    page.goto("/account/login/code/")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Nederlands").click()
    sign_in(page, "contact")
    page.goto(f"/portal/{sample.client.pk}/")

    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Up to and including March you are within your hours."
    )
    assert User.objects.get(role="contact").language == "en"
