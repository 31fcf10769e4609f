"""A session's state changes through one door, and a trainer is in one place at a time."""

import datetime as dt
from typing import Any

import pytest

from agency.month import AMSTERDAM
from tests import factories as make
from workshops import scheduling
from workshops.models import CancelledBy, Session, SessionStatus

pytestmark = pytest.mark.django_db
NINE = dt.datetime(2026, 5, 12, 9, 0, tzinfo=AMSTERDAM)


def session(reference: str = "S1", **fields: Any) -> Session:
    fields.setdefault("status", "requested")
    return make.session(make.organisation(f"ORG{reference}"), reference, **fields)


def test_a_requested_session_is_scheduled_with_trainer_and_time() -> None:
    requested, trainer = session(), make.advisor("ADV1")

    scheduling.schedule(requested, trainer=trainer, starts_at=NINE)

    requested.refresh_from_db()
    assert (requested.status, requested.trainer, requested.starts_at) == (
        "scheduled",
        trainer,
        NINE,
    )


@pytest.mark.parametrize(
    ("minutes_later", "taken"),
    [
        pytest.param(0, True, id="at the same time"),
        pytest.param(59, True, id="before the other one ends"),
        pytest.param(-59, True, id="still going on when the other one starts"),
        pytest.param(60, False, id="right after the other one"),
        pytest.param(-60, False, id="right before the other one"),
    ],
)
def test_a_trainer_gives_one_session_at_a_time(minutes_later: int, taken: bool) -> None:  # noqa: FBT001
    trainer = make.advisor("ADV1")
    offering = make.offering("ONE-HOUR", minutes=60)
    other = session("S1", offering=offering)
    scheduling.schedule(other, trainer=trainer, starts_at=NINE)
    second = session("S2", offering=offering)
    starts_at = NINE + dt.timedelta(minutes=minutes_later)

    if taken:
        with pytest.raises(scheduling.SchedulingError):
            scheduling.schedule(second, trainer=trainer, starts_at=starts_at)
    else:
        scheduling.schedule(second, trainer=trainer, starts_at=starts_at)

    second.refresh_from_db()
    assert second.status == ("requested" if taken else "scheduled")


def test_a_session_is_held_on_its_day_and_not_before() -> None:
    planned = session(status="scheduled", starts_at=NINE)

    with pytest.raises(scheduling.SchedulingError):
        scheduling.mark_held(planned, on=dt.date(2026, 5, 11), group_size=8)
    scheduling.mark_held(planned, on=dt.date(2026, 5, 12), group_size=8)

    planned.refresh_from_db()
    assert (planned.status, planned.group_size) == ("held", 8)


def test_a_cancelled_session_says_when_and_by_whom_and_stays_cancelled() -> None:
    planned = session(status="scheduled", starts_at=NINE)

    scheduling.cancel(planned, on=dt.date(2026, 5, 1), by=CancelledBy.CLIENT)

    planned.refresh_from_db()
    assert planned.status == SessionStatus.CANCELLED
    assert (planned.cancelled_on, planned.cancelled_by) == (dt.date(2026, 5, 1), "client")
    with pytest.raises(scheduling.SchedulingError):
        scheduling.mark_held(planned, on=dt.date(2026, 5, 12))
