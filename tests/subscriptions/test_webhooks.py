"""The address where Stripe reports: only what Stripe signed enters, and it enters once."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer
from stripe import WebhookSignature

from subscriptions import push, tasks
from subscriptions.models import StripeEvent
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.webhooks import ensure
from tests import factories as make
from tests.at_once import at_once, wait_for
from tests.stripe.fixtures import WEBHOOK_SECRET

pytestmark = pytest.mark.django_db

ADDRESS = "/stripe/webhook/"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "api_version": "2026-10-28.endive",
    "livemode": False,
    "created": 1_775_000_000,
    "data": {"object": {"id": "in_1", "object": "invoice", "customer_name": "Someone B.V."}},
}


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET


def post(
    client: Client,
    body: str,
    *,
    secret: str = WEBHOOK_SECRET,
    at: int | None = None,
    header: str | None = None,
) -> int:
    signature = WebhookSignature.generate_signature_header(body, secret, at)
    answer = client.post(
        ADDRESS,
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature if header is None else header},
    )
    return answer.status_code


def test_a_signed_event_is_stored_and_answered(client: Client) -> None:
    assert post(client, json.dumps(EVENT)) == 200

    stored = StripeEvent.objects.get()
    assert (stored.event_id, stored.type, stored.object_id) == ("evt_1", "invoice.paid", "in_1")
    assert stored.state == "received"
    assert OrmQ.objects.count() == 1


def test_a_duplicate_is_answered_and_not_stored_again(client: Client) -> None:
    assert [post(client, json.dumps(EVENT)) for _ in range(3)] == [200, 200, 200]

    assert StripeEvent.objects.count() == 1
    assert OrmQ.objects.count() == 1


@pytest.mark.attack(25)
def test_the_task_in_the_queue_holds_nothing_of_the_body(client: Client) -> None:
    post(client, json.dumps(EVENT))

    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == (
        "subscriptions.tasks.handle_events",
        (),
        {},
    )


def test_one_task_works_off_all_that_came_meanwhile(client: Client) -> None:
    for number in range(3):
        post(client, json.dumps(EVENT | {"id": f"evt_{number}", "type": "price.created"}))
    assert OrmQ.objects.count() == 1

    tasks.handle_events()

    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"ignored"}
    post(client, json.dumps(EVENT | {"id": "evt_later"}))
    assert OrmQ.objects.count() == 2


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({"secret": "whsec_of_someone_else"}, id="another secret"),
        pytest.param({"header": ""}, id="no signature"),
        pytest.param({"header": "t=1,v1"}, id="half a signature"),
        pytest.param({"header": "garbage"}, id="garbage"),
        pytest.param({"seconds_off": -400}, id="a replay of seven minutes ago"),
        pytest.param({"seconds_off": 900}, id="a signature from the future"),
    ],
)
def test_a_forged_event_leaves_nothing(
    client: Client, forgery: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    forgery = dict(forgery)
    seconds_off = forgery.pop("seconds_off", None)
    if seconds_off:
        forgery["at"] = int(time.time()) + seconds_off

    with django_assert_num_queries(0):
        assert post(client, json.dumps(EVENT), **forgery) == 400

    assert not StripeEvent.objects.exists()
    assert not OrmQ.objects.exists()


def test_an_altered_body_is_refused(client: Client) -> None:
    header = WebhookSignature.generate_signature_header(json.dumps(EVENT), WEBHOOK_SECRET)
    altered = json.dumps(EVENT | {"type": "invoice.voided"})

    assert post(client, altered, header=header) == 400


@pytest.mark.parametrize("body", ["no json", "[]", "{}", '{"id": "evt_1"}', "\udcff", "null"])
def test_a_signed_body_that_is_no_event_is_refused(client: Client, body: str) -> None:
    raw = body.encode("utf-8", "surrogateescape")
    signature = WebhookSignature.generate_signature_header(
        raw.decode("utf-8", "replace"), WEBHOOK_SECRET
    )

    answer = client.post(
        ADDRESS,
        raw,
        content_type="application/json",
        headers={"Stripe-Signature": signature},
    )

    assert answer.status_code == 400
    assert not StripeEvent.objects.exists()


def test_an_event_of_the_other_mode_is_refused(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert post(client, json.dumps(EVENT | {"livemode": True})) == 400

    assert not StripeEvent.objects.exists()


def test_an_event_of_another_account_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(client, json.dumps(EVENT | {"account": "acct_of_someone_else"})) == 400

    assert not StripeEvent.objects.exists()
    assert "another account" in caplog.text


def test_while_a_secret_is_replaced_both_are_good(client: Client, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = f"whsec_new, {WEBHOOK_SECRET}"

    assert post(client, json.dumps(EVENT | {"id": "evt_old"})) == 200
    assert post(client, json.dumps(EVENT | {"id": "evt_new"}), secret="whsec_new") == 200
    assert post(client, json.dumps(EVENT), secret="whsec_other") == 400
    assert post(client, json.dumps(EVENT), secret="") == 400

    settings.STRIPE_WEBHOOK_SECRET = "whsec_new"
    assert post(client, json.dumps(EVENT)) == 400
    assert StripeEvent.objects.count() == 2


@pytest.mark.parametrize(("minutes", "status"), [(-6, 400), (-4, 200), (4, 200), (6, 400)])
def test_clocks_may_differ_by_five_minutes(client: Client, minutes: int, status: int) -> None:
    assert post(client, json.dumps(EVENT), at=int(time.time()) + 60 * minutes) == status


@pytest.mark.django_db(transaction=True)
def test_the_same_event_twice_at_the_same_moment_is_stored_once() -> None:
    outcomes = at_once(*[lambda: post(Client(), json.dumps(EVENT))] * 4)

    assert outcomes == [200] * 4
    assert StripeEvent.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_another_api_version_is_stored_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(client, json.dumps(EVENT | {"api_version": "2026-08-26.dahlia"})) == 200

    assert StripeEvent.objects.get().api_version == "2026-08-26.dahlia"
    assert "webhook of another API version" in caplog.text


@pytest.mark.parametrize("empty", ["", None])
def test_without_a_secret_the_address_does_not_exist(
    client: Client, settings: Any, empty: str | None
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = empty

    assert post(client, json.dumps(EVENT), secret="any") == 404


def test_the_address_takes_posts_only(client: Client) -> None:
    assert client.get(ADDRESS).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_client_who_pays_on_the_hosted_page_has_paid_here(
    sandbox: Sandbox, live_server: LiveServer
) -> None:
    """The whole way round, over HTTP both ways: push, pay button, webhook, inbox."""
    ensure(sandbox.state, f"{live_server.url}{ADDRESS}", WEBHOOK_SECRET)
    invoice = make.invoice(make.organisation(), state="approved")
    push.push(invoice.pk, at=timezone.now())
    invoice.refresh_from_db()

    page = requests.post(invoice.hosted_url, data={"outcome": "pay"}, timeout=60)
    assert "Paid on" in page.text

    wait_for(lambda: StripeEvent.objects.filter(type="invoice.paid").exists())
    tasks.handle_events()
    invoice.refresh_from_db()
    assert invoice.state == "paid"
