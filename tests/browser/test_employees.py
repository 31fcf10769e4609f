"""An owner opens the page for employees, and an employee looks at it and is gone again."""

from __future__ import annotations

from agency.models import ContactRole
from tests.browser.conftest import Open
from tests.browser.scene import PHONE, Sample, sign_in


def test_an_employee_reads_whom_to_call_and_leaves_without_script(
    open_page: Open, sample: Sample
) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"/info/{sample.client.employee_page.token}/")
    assert page.title() == "Informatie"
    assert page.get_by_role("link", name="06 5550 1142").is_visible()

    page.get_by_role("link", name="English").click()
    assert page.title() == "Information"
    assert page.get_by_text("Use a private phone or network").is_visible()
    page.get_by_role("heading", name="This page").scroll_into_view_if_needed()
    page.get_by_role("link", name="Leave this page").click()

    assert page.url == "about:blank"
    assert page.context.cookies() == []


def test_an_owner_opens_the_page_and_hands_out_a_poster(open_page: Open, sample: Sample) -> None:
    sample.small.contacts.update(role=ContactRole.OWNER)
    page = open_page(viewport=PHONE)
    sign_in(page, "contact")
    page.goto(f"/portal/{sample.small.pk}/")
    page.get_by_role("link", name="Medewerkers").click()

    page.get_by_role("button", name="Pagina openstellen").click()
    shown = page.locator(".links a").first.inner_text()
    with page.expect_download() as poster:
        page.get_by_role("link", name="in het Nederlands").first.click()

    assert poster.value.suggested_filename == "poster-nl.pdf"
    page.goto(shown[shown.index("/info/") :])
    assert page.get_by_role("heading", level=1).is_visible()
