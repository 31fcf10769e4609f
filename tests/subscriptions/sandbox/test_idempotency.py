"""Keys as Stripe keeps them: the first answer is the answer, for a day."""

from __future__ import annotations

import pytest
import requests

from subscriptions.sandbox.server import Sandbox
from tests.stripe.control import call, control, listed, order


def create(
    sandbox: Sandbox, name: str = "Someone", *, path: str = "/v1/customers", key: str = "key"
) -> requests.Response:
    form = {"name": name} if path == "/v1/customers" else {"customer": name}
    return call(sandbox, "POST", path, form, Idempotency_Key=key)


def test_a_repeated_key_gets_the_first_answer_and_does_nothing(sandbox: Sandbox) -> None:
    first, second = create(sandbox), create(sandbox)

    assert first.text == second.text
    assert first.headers["Idempotency-Key"] == "key"
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(listed(sandbox, "customers")) == 1


@pytest.mark.parametrize(("fault", "customers"), [("500_before", 0), ("500_after", 1)])
def test_a_500_is_the_answer_too(sandbox: Sandbox, fault: str, customers: int) -> None:
    order(sandbox, "POST /v1/customers", fault)

    answers = [create(sandbox) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 500]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len(listed(sandbox, "customers")) == customers


def test_a_lost_answer_is_given_again(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "drop_response")
    with pytest.raises(requests.ConnectionError):
        create(sandbox)

    again = create(sandbox)

    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(listed(sandbox, "customers")) == 1


def test_a_429_is_not_kept(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "429")

    assert [create(sandbox).status_code for _ in range(2)] == [429, 200]


def test_a_refused_parameter_is_not_kept(sandbox: Sandbox) -> None:
    refused = call(sandbox, "POST", "/v1/customers", {"nmae": "x"}, Idempotency_Key="key")

    assert refused.status_code == 400
    assert create(sandbox).status_code == 200


def test_a_refusal_by_the_operation_is_kept(sandbox: Sandbox) -> None:
    answers = [create(sandbox, "cus_unknown", path="/v1/invoices") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_a_key_stays_with_its_parameters(sandbox: Sandbox) -> None:
    create(sandbox)

    error = create(sandbox, "Someone else").json()["error"]

    assert error["type"] == "idempotency_error"
    assert error["message"].startswith("Keys for idempotent requests can only be used with the")
    assert len(listed(sandbox, "customers")) == 1


def test_a_key_stays_with_its_address(sandbox: Sandbox) -> None:
    create(sandbox)

    error = create(sandbox, path="/v1/invoices").json()["error"]

    assert error["type"] == "idempotency_error"
    assert "('/v1/invoices' vs '/v1/customers')" in error["message"]


def test_after_a_day_a_key_is_as_good_as_new(sandbox: Sandbox) -> None:
    create(sandbox)
    control(sandbox, "clock", {"advance_seconds": 24 * 3600 - 60})
    create(sandbox)
    assert len(listed(sandbox, "customers")) == 1

    control(sandbox, "clock", {"advance_seconds": 120})
    create(sandbox)

    assert len(listed(sandbox, "customers")) == 2


def test_reading_knows_no_keys(sandbox: Sandbox) -> None:
    create(sandbox)

    read = call(sandbox, "GET", "/v1/customers", Idempotency_Key="key")

    assert len(read.json()["data"]) == 1
