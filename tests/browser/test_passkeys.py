"""A passkey of the device signs in at once, as the only step and as the second one.

Chromium plays the device: an authenticator within it that always recognises its owner.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.scene import PASSWORD, Sample, sign_in
from tests.browser.test_pages_for_all import findings

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_a_device(page: Page) -> Page:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return page


def test_a_colleague_adds_a_passkey_and_signs_in_by_it(open_page: Open, sample: Sample) -> None:
    page = with_a_device(open_page())
    sign_in(page, "controller")

    page.goto("/account/2fa/")
    page.get_by_role("link", name="Toevoegen").click()
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Bevestigen").click()
    page.locator("#id_name").fill("Laptop")
    page.locator("#id_passwordless").check()
    page.get_by_role("button", name="Toevoegen").click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto("/account/2fa/webauthn/")
    expect(page.get_by_text("Laptop")).to_be_visible()
    assert findings(page) == []
    kept = Authenticator.objects.get(type="webauthn")
    assert kept.last_used_at is None

    page.goto("/account/logout/")
    page.get_by_role("button", name="Afmelden").click()
    page.goto("/account/login/")
    assert findings(page) == []
    page.get_by_role("button", name="Aanmelden met een passkey").click()
    page.wait_for_url("**/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Woensdag 8 april")

    kept.refresh_from_db()
    assert kept.last_used_at is None


def test_a_passkey_is_the_second_step_after_a_password(open_page: Open, sample: Sample) -> None:
    page = with_a_device(open_page())
    sign_in(page, "planner")
    page.goto("/account/2fa/webauthn/add/")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Bevestigen").click()
    page.locator("#id_name").fill("Telefoon")
    page.get_by_role("button", name="Toevoegen").click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto("/account/logout/")
    page.get_by_role("button", name="Afmelden").click()

    page.goto("/account/login/")
    page.fill("#id_login", "planner@discreet.example")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Aanmelden", exact=True).click()
    page.wait_for_url("**/2fa/authenticate/**")
    assert findings(page) == []
    page.locator("#mfa_webauthn_authenticate").click()

    page.wait_for_url("**/admin/")


def test_where_a_person_is_signed_in_reads_well(open_page: Open, sample: Sample) -> None:
    page, elsewhere = open_page(), open_page()
    sign_in(page, "auditor")
    sign_in(elsewhere, "auditor")

    page.locator(".mast .menu > summary").click()
    page.get_by_role("banner").get_by_role("link", name="Waar ik ben aangemeld").click()

    assert findings(page) == []
    page.get_by_role("button", name="Daar afmelden").click()
    expect(page.get_by_role("status")).to_contain_text("Op 1 plek afgemeld")
    elsewhere.goto("/admin/")
    assert "/account/login" in elsewhere.url
