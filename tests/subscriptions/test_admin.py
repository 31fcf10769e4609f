"""The admin shows staff what their role may see and do, and hours to nobody."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django_q.models import OrmQ

from advisors.models import DraftHours, HoursAdjustment, MonthHours
from agency import access
from agency.access import may
from agency.models import AuditEvent, Organisation, User
from agency.month import Month
from agency.templatetags.figures import weekday
from subscriptions import declarations, push, reconcile
from subscriptions.admin import figures, queue
from subscriptions.models import Invoice, StripeDifference, Subscription, Terms
from tests import clients, factories
from tests.browsers import as_
from workshops.models import Session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

REGISTERED = list(admin.site._registry)
STAFF = sorted(access.STAFF)
RUNS = ("2026-01", "2026-02")


def address(model: type[models.Model], page: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{page}"


def text_of(content: bytes) -> str:
    plain = re.sub(r"<[^>]+>", " ", content.decode())
    return re.sub(r"\s+", " ", plain.replace("\xa0", " "))


@pytest.mark.parametrize("model", [DraftHours, MonthHours, HoursAdjustment])
def test_hours_cannot_even_be_registered(model: type[models.Model]) -> None:
    assert model not in admin.site._registry
    with pytest.raises(ImproperlyConfigured):
        admin.site.register(model)


def test_only_our_own_tables_are_shown() -> None:
    shown = {model._meta.app_label for model in REGISTERED}

    assert shown == {"agency", "advisors", "workshops", "subscriptions"}
    assert apps.is_installed("allauth.mfa")  # whose secrets a package would show
    assert apps.is_installed("django_q")


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_each_role_reads_all_lists_and_adds_what_its_role_says(
    role: str, model: type[models.Model]
) -> None:
    client = as_(role)
    adds = may(role, f"{model._meta.app_label}.add_{model._meta.model_name}")

    listed = client.get(address(model))
    adding = client.get(address(model, "add/"))

    reads = may(role, f"{model._meta.app_label}.view_{model._meta.model_name}")
    assert listed.status_code == (200 if reads else 403)
    assert adding.status_code in ({200, 403} if adds else {403})


@pytest.mark.parametrize("role", ["advisor", "contact"])
def test_who_is_no_staff_finds_nothing_here(role: str) -> None:
    client = as_(role)

    assert client.get("/admin/", follow=True).status_code == 404
    assert client.get("/admin/agency/organisation/", follow=True).status_code == 404


def test_who_is_not_signed_in_is_led_to_the_sign_in_of_all() -> None:
    response = Client().get("/admin/agency/organisation/", follow=True)

    assert response.redirect_chain[-1][0] == "/account/login/code/?next=/admin/agency/organisation/"


@pytest.mark.parametrize("role", STAFF)
def test_what_is_written_once_cannot_be_changed_or_deleted(role: str) -> None:
    factories.price_book()
    organisation = factories.organisation()
    factories.headcount(organisation)
    subscription = factories.subscription(organisation)
    frozen = [
        factories.statement(subscription),
        factories.invoice(organisation, state="open"),
        factories.stripe_event(),
        factories.closed_month("2026-03"),
    ]
    client = as_(role)

    for row in frozen:
        page = address(type(row), f"{row.pk}/change/")
        reads = may(role, f"{row._meta.app_label}.view_{row._meta.model_name}")
        assert client.get(page).status_code == (200 if reads else 403)
        refused = 405 if reads else 403  # nobody changes it; who reads it is told so
        assert client.post(page, {"number": "forged"}).status_code == refused
        assert (
            client.post(address(type(row), f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
        )


def act(client: Client, action: str, *rows: models.Model, **sent: str) -> str:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    data |= sent
    return text_of(client.post(address(type(rows[0])), data, follow=True).content)


def test_a_controller_approves_drafts_and_only_drafts() -> None:
    organisation = factories.organisation()
    draft = factories.invoice(organisation)
    blocked = factories.invoice(
        organisation, "2026-02", state="blocked", blocked_reason="po_missing"
    )

    said = act(as_("controller"), "approve", draft, blocked)

    assert "1 invoice approved. Nothing is sent yet." in said
    assert [i.state for i in Invoice.objects.order_by("run_month")] == ["blocked", "approved"]
    assert AuditEvent.objects.get().subject_id == draft.pk


def test_a_page_offers_what_its_row_waits_for_and_leads_back_to_it() -> None:
    draft = factories.invoice(factories.organisation())
    client, page = as_("controller"), address(Invoice, f"{draft.pk}/change/")
    assert 'value="approve"' in client.get(page).content.decode()
    assert 'value="approve"' not in as_("auditor").get(page).content.decode()

    asked = {"action": "approve", "_selected_action": str(draft.pk), "index": "0"}
    answer = client.post(address(Invoice), asked | {"here": str(draft.pk)})

    assert answer.headers["Location"] == page
    assert 'value="push"' in client.get(page).content.decode()
    assert client.post(address(Invoice), asked).headers["Location"] == address(Invoice)
    gone = asked | {"here": str(factories.organisation("GONE").pk)}
    assert client.post(address(Invoice), gone).headers["Location"] == address(Invoice)


def test_an_auditor_reads_in_dutch_what_was_done_to_what() -> None:
    draft = factories.invoice(factories.organisation())
    act(as_("controller"), "approve", draft)
    auditor = Client()
    auditor.force_login(factories.user("auditor", language="nl"))

    listed = text_of(auditor.get(address(AuditEvent)).content)
    history = text_of(auditor.get(address(Invoice, f"{draft.pk}/history/")).content)

    assert "goedgekeurd factuur" in listed
    assert "goedgekeurd" in history


def test_sending_hands_approved_invoices_to_the_queue() -> None:
    organisation = factories.organisation()
    approved = factories.invoice(organisation, state="approved")
    draft = factories.invoice(organisation, "2026-02")

    said = act(as_("controller"), "push", approved, draft)

    assert "1 approved invoice is on its way to Stripe." in said
    task = OrmQ.objects.get().task
    assert task is not None
    assert (task["func"], task["args"]) == ("subscriptions.tasks.push_invoice", (str(approved.pk),))


def test_what_no_push_has_begun_with_is_taken_back() -> None:
    organisation = factories.organisation()
    begun, untouched = (factories.invoice(organisation, run, state="approved") for run in RUNS)
    factories.stripe_step(begun)

    said = act(as_("controller"), "take_back", begun, untouched)

    assert "1 invoice is a draft again." in said
    states = Invoice.objects.order_by("run_month").values_list("state", flat=True)
    assert list(states) == ["approved", "draft"]
    assert AuditEvent.objects.get().subject_id == untouched.pk


def test_what_stripe_refused_is_tried_again() -> None:
    organisation = factories.organisation()
    parked = factories.invoice(organisation, RUNS[0], state="parked", parked_because="amount")
    unmailed = factories.invoice(organisation, RUNS[1], state="open", parked_because="refused")

    assert "2 invoices are tried again." in act(as_("controller"), "unpark", parked, unmailed)

    assert set(push.begun()) == {parked, unmailed}
    tried = [queued.task["args"] for queued in OrmQ.objects.all()]
    assert sorted(tried) == sorted([(str(parked.pk),), (str(unmailed.pk),)])
    assert set(Invoice.objects.values_list("state", "parked_because")) == {
        ("approved", ""),
        ("open", ""),
    }


def test_the_queue_says_how_far_a_run_has_come_and_what_to_do_about_a_difference() -> None:
    for code, state in (("A", "approved"), ("B", "open"), ("C", "approved")):
        begun = factories.invoice(factories.organisation(code), state=state)
    factories.stripe_step(begun)
    factories.stripe_difference()

    shown = text_of(as_("controller").get("/admin/").content)

    assert "2 approved invoices to send" in shown
    assert "1 sent, 1 on their way" in shown
    assert "with Stripe: number missing in the series Look in Stripe" in shown


def test_a_difference_that_was_dealt_with_by_hand_leaves_the_queue() -> None:
    factories.closed_month("2026-03")
    gap, other = factories.stripe_difference(), factories.stripe_difference(object_id="DIS-0007")
    controller = as_("controller")

    for _twice in range(2):
        act(controller, "noted", gap)

    left = controller.get(address(StripeDifference), {"cleared_because__exact": ""})
    assert "DIS-0007" in (shown := left.content.decode())
    assert "DIS-0003" not in shown
    assert list(reconcile.waiting()) == [other]
    act(as_("auditor"), "booked", other)
    act(controller, "reopen", gap)
    assert set(reconcile.waiting()) == {gap, other}
    events = AuditEvent.objects.filter(subject_id=gap.pk).order_by("action")
    assert [(event.action, event.actor.role) for event in events if event.actor] == [
        ("cleared", "controller"),
        ("reopened", "controller"),
    ]


@pytest.mark.parametrize("role", ["planner", "auditor", "administrator"])
def test_nobody_else_approves(role: str) -> None:
    draft = factories.invoice(factories.organisation())

    act(as_(role), "approve", draft)

    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_request_is_confirmed_into_new_terms(subscription: Subscription) -> None:
    user = factories.contact(subscription.organisation).user
    request = factories.tier_change_request(subscription, "2026-07", user, tier="basic")

    said = act(as_("controller"), "confirm", request, confirmed="1")

    assert "1 request handled." in said
    terms = Terms.objects.get(subscription=subscription, reason="tier_change")
    assert (terms.tier, str(terms.from_month), terms.overage) == ("basic", "2026-07", "cap")


def test_a_declined_request_changes_nothing(subscription: Subscription) -> None:
    user = factories.contact(subscription.organisation).user
    request = factories.tier_change_request(subscription, "2026-07", user)

    act(as_("controller"), "decline", request)
    said = act(as_("controller"), "confirm", request)

    assert "This request was declined." in said
    assert not Terms.objects.filter(reason="tier_change").exists()


@pytest.fixture
def subscription() -> Subscription:
    factories.price_book()
    organisation = factories.organisation()
    factories.headcount(organisation)
    return factories.subscription(organisation, overage="cap")


def test_a_change_is_noted_by_day_and_field_never_by_value() -> None:
    offering = factories.offering()
    client = as_("controller")
    page = address(type(offering), f"{offering.pk}/change/")

    response = client.post(
        page,
        {
            "code": "WS-1",
            "kind": "workshop",
            "title_nl": "A new and secret title",
            "title_en": offering.title_en,
            "minutes": "180",
            "capacity": "16",
            "price_cents": "950,00",
        },
    )

    assert response.status_code == 302
    offering.refresh_from_db()
    assert offering.price_cents == 95000
    event = AuditEvent.objects.get()
    assert (event.on, event.action) == (dt.date(2026, 4, 8), "changed")
    assert "secret" not in event.fields
    assert not LogEntry.objects.exists()
    assert text_of(client.get(address(type(offering), f"{offering.pk}/history/")).content).count(
        "changed"
    )


def test_only_an_administrator_changes_colleagues() -> None:
    colleague = factories.user("controller", email="colleague@staff.example")
    page = address(User, f"{colleague.pk}/change/")
    data = {"name": "X", "email": colleague.email, "role": "administrator", "language": "en"}

    assert as_("planner").post(page, data).status_code == 403
    assert as_("administrator").post(page, data).status_code == 302


@pytest.mark.parametrize(("role", "made"), [("contact", True), ("administrator", False)])
def test_a_planner_makes_contacts_and_no_administrators(role: str, made: bool) -> None:  # noqa: FBT001
    data = {"name": "New", "email": "New@client.example", "role": role, "language": "nl"}

    as_("planner").post(address(User, "add/"), data | {"is_active": "on"})

    assert User.objects.filter(email="new@client.example").exists() is made


# The start page


@pytest.fixture
def busy() -> Organisation:
    """Something of everything that waits for somebody on 8 April 2026."""
    factories.price_book()
    factories.closed_month("2026-02")
    organisation = factories.organisation()
    factories.headcount(organisation)
    subscription = factories.subscription(organisation, "2025-06", billing_interval=1)
    factories.statement(subscription, "2025-06", "2025-09", used_quarters=20)
    advisor = factories.advisor()
    factories.assignment(advisor, organisation)
    factories.qualification(advisor, valid_until=dt.date(2026, 7, 14))
    factories.session(organisation, starts_at=factories.at("2026-04-20 14:00"))
    factories.invoice(organisation, "2026-03", state="blocked", blocked_reason="po_missing")
    factories.invoice(organisation, "2026-03")
    factories.invoice(organisation, "2026-03", state="approved")
    factories.invoice(organisation, "2026-03", state="parked", parked_because="amount")
    factories.invoice(
        organisation, "2026-01", state="open", number="1", stripe_id="in_1",
        due_on=dt.date(2026, 3, 1), debit_failed_on=dt.date(2026, 2, 20),
    )  # fmt: skip
    factories.tier_change_request(subscription, "2026-07", factories.contact(organisation).user)
    declarations.declare(
        organisation,
        month=Month.of(2026, 7),
        headcount=300,
        by=factories.user("contact"),
        on=dt.date(2026, 4, 8),
    )
    factories.stripe_event(state="failed")
    factories.invoice(
        organisation, "2025-12", state="open", number="2", stripe_id="in_2",
        due_on=dt.date(2026, 5, 1), parked_because="Stripe refused it: email_invalid.",
    )  # fmt: skip
    factories.contest(Invoice.objects.get(number="2"), User.objects.get(role="advisor"))
    factories.stripe_difference()
    return organisation


def test_everything_that_waits_is_counted_and_leads_to_its_list(busy: Organisation) -> None:
    client = as_("controller")
    page = client.get("/admin/").content.decode()

    waiting = re.findall(
        r'<span class="count">(\d+)</span><div><a href="([^"]+)">([^<]+)</a>', page
    )

    assert [what for _count, _address, what in waiting] == [
        "counsellor has not submitted March yet",
        "month to close",
        "invoice blocked",
        "draft invoice to approve",
        "approved invoice to send",
        "invoice parked on its way",
        "invoice that Stripe refused to mail",
        "direct debit failed",
        "invoice contested",
        "request for a tier change",
        "headcount to confirm",
        "session without a trainer",
        "invoice overdue",
        "contract in its notice window",
        "message of Stripe not handled",
        "with Stripe: number missing in the series",
        "certificate expires within six months",
    ]
    of_a_month = [leads_to for _count, leads_to, _what in waiting if "/months/" in leads_to]
    assert len(of_a_month) == 2
    assert {client.get(page).status_code for page in of_a_month} == {200}
    for count, leads_to, what in waiting:
        if leads_to in of_a_month:  # no list
            continue
        listed = client.get(leads_to.replace("&amp;", "&")).content.decode()
        assert listed.count('name="_selected_action"') in {0, int(count)}, what
        rows = re.search(r'<p class="paginator">\s*(\d+)', listed)
        assert rows, what
        assert rows[1] == count, what


def test_an_idle_agency_reads_that_nothing_waits() -> None:
    factories.closed_month("2026-03")

    shown = text_of(as_("planner").get("/admin/").content)

    assert "Nothing waits for you." in shown
    assert "All months that are over are closed." in shown


def test_an_empty_database_says_how_to_begin() -> None:
    assert "an administrator sets the agency up" in text_of(as_("planner").get("/admin/").content)


def test_the_start_page_takes_as_many_queries_for_much_as_for_little(busy: Organisation) -> None:
    client = as_("controller")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/admin/")
        return len(captured)

    queries()
    few = queries()
    for number in range(3):
        factories.invoice(busy, "2026-03")
        factories.session(busy, f"S-{number}", starts_at=factories.at("2026-05-01 09:00"))

    assert queries() == few


def test_the_law_s_last_day_for_invoices_is_counted_down(busy: Organisation) -> None:
    shown = text_of(as_("planner").get("/admin/").content)

    assert "Its invoices must leave by Wednesday 15 April at the latest: in 7 days." in shown
    assert "The last day of notice comes within two months 30 Apr 2026" in shown
    march = Month.of(2026, 3)
    with translation.override("nl"):
        said = [queue.sentence(dt.date(2026, 4, day), march) for day in (14, 15, 17)]
    assert [each.rpartition(": ")[2] for each in said] == [
        "over 1 dag.",
        "vandaag.",
        "2 dagen te laat.",
    ]


def test_recurring_revenue_is_stacked_by_tier_and_adds_up() -> None:
    clients.client("ORG1", "2026-04", "basic", billing_interval=12)  # 1,350.00 a year
    clients.client("ORG2", "2026-04", "extended", billing_interval=3)  # 3,600.00 a year
    clients.close_and_bill("2026-03")

    shown = figures.figures(dt.date(2026, 4, 8))

    assert shown.recurring[-1].values == (30000, 11250)
    assert shown.recurring[-2].values == (0, 0)
    assert (shown.recurring_cents, shown.extended_percent) == (41250, 73)
    upper, lower = shown.recurring[-1].blocks[::-1]
    assert upper.y + upper.height == lower.y
    assert lower.y + lower.height == figures.BASE


@pytest.fixture
def blocked() -> Invoice:
    """A fee that waits for the number of an order."""
    contract = clients.client(po_required=True)
    (invoice,) = clients.close_and_bill("2025-12")
    assert (invoice.state, invoice.organisation) == ("blocked", contract.organisation)
    return invoice


def test_a_blocked_invoice_is_drafted_anew_once_there_is_an_order(blocked: Invoice) -> None:
    assert blocked.organisation is not None
    factories.purchase_order(blocked.organisation)

    said = act(as_("controller"), "draft_anew", blocked)

    assert "1 invoice is drafted anew." in said
    draft = Invoice.objects.get()
    assert (draft.state, draft.po_number, draft.net_cents) == ("draft", "PO-1", blocked.net_cents)
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id) == ("drafted", draft.pk)


def test_a_blocked_invoice_stays_blocked_while_it_lacks_its_order(blocked: Invoice) -> None:
    said = act(as_("controller"), "draft_anew", blocked)

    assert "0 invoices are drafted anew." in said
    assert Invoice.objects.get() == blocked
    assert not AuditEvent.objects.exists()


def test_nobody_else_drafts_anew(blocked: Invoice) -> None:
    assert blocked.organisation is not None
    factories.purchase_order(blocked.organisation)

    act(as_("planner"), "draft_anew", blocked)

    assert Invoice.objects.get() == blocked


def test_a_planner_is_told_of_no_message_of_stripe(busy: Organisation) -> None:
    assert "message of Stripe" in text_of(as_("controller").get("/admin/").content)
    assert "message of Stripe" not in text_of(as_("planner").get("/admin/").content)


def test_the_queue_gives_the_day_in_amsterdam(busy: Organisation) -> None:
    Session.objects.update(starts_at=factories.at("2026-04-21 00:30"))

    shown = text_of(as_("controller").get("/admin/").content)

    assert f"The first is on {weekday(dt.date(2026, 4, 21))}" in shown


class Inputs(HTMLParser):
    """Collects visible inputs without a name for a screen reader."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "label" and given.get("for"):
            self.labels.add(str(given["for"]))
        if tag in {"input", "select", "textarea"} and given.get("type") not in {"hidden", "submit"}:
            self.inputs.append(given)

    def unnamed(self) -> list[str | None]:
        return [
            given.get("name")
            for given in self.inputs
            if "aria-label" not in given and given.get("id") not in self.labels
        ]


def test_every_input_of_a_form_has_a_name_for_a_screen_reader(busy: Organisation) -> None:
    for page in (
        address(Organisation, f"{busy.pk}/change/"),
        address(Organisation, "add/"),
        "/admin/subscriptions/pricebook/add/",
    ):
        inputs = Inputs()
        inputs.feed(as_("controller").get(page).content.decode())
        assert inputs.inputs
        assert inputs.unnamed() == []


def test_no_page_of_the_admin_has_a_script_or_style_in_it(busy: Organisation) -> None:
    client = as_("controller")
    invoice = Invoice.objects.first()
    assert invoice is not None
    for page in (
        "/admin/",
        address(Invoice),
        address(Invoice, f"{invoice.pk}/change/"),
        address(Organisation, f"{busy.pk}/change/"),
        address(Organisation, f"{busy.pk}/history/"),
    ):
        text = client.get(page).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), page
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), page


def test_documents_of_two_runs_are_drafted_anew_each_in_its_own() -> None:
    contract = clients.client(po_required=True, billing_interval=1)
    both = clients.close_and_bill("2025-12", "2026-01")
    factories.purchase_order(contract.organisation)

    said = act(as_("controller"), "draft_anew", *reversed(both))

    assert "2 invoices are drafted anew. What is blocked now says why;" in said
    drafts = Invoice.objects.order_by("run_month")
    assert [(str(one.run_month), one.state) for one in drafts] == [
        ("2025-12", "draft"),
        ("2026-01", "draft"),
    ]
