"""Persons of each kind, with a row of theirs in every table that can be about them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from itertools import count
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models

from agency.models import Organisation, User
from agency.month import Month
from subscriptions.models import (
    OverageCredit,
    PublicationMail,
    StripeDifference,
    Subscription,
)
from tests import factories as make
from tests.factories import at

LONG_AGO = dt.date(2015, 6, 1)


class People:
    """What was made for whom: the keys of the rows, by e-mail address and table."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.numbers = count(1)

    def note(self, email: str, *rows: models.Model) -> None:
        for row in rows:
            self.rows[email][row._meta.label].add(str(row.pk))

    def account(self, name: str, role: str, **fields: Any) -> User:
        """Make a user with what the packages keep of one."""
        email = f"{name.lower()}@{role}s.example"
        user = make.user(role, email=email, name=f"{name} the {role}", password="x", **fields)
        address = EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        confirmation = EmailConfirmation.objects.create(email_address=address, key=email[:64])
        step = Authenticator.objects.create(user=user, type="totp", data={"secret": f"of {name}"})
        kind = ContentType.objects.get_for_model(User)
        entry = LogEntry.objects.create(
            user=user, content_type=kind, object_id=str(user.pk), action_flag=CHANGE
        )
        user.groups.add(Group.objects.create(name=f"group {next(self.numbers)}"))
        user.user_permissions.add(Permission.objects.order_by("pk")[0])
        through = [
            *User.groups.through._default_manager.filter(user=user),
            *User.user_permissions.through._default_manager.filter(user=user),
        ]
        event = make.audit_event(user, actor=user, on=LONG_AGO)
        self.note(email, user, address, confirmation, step, entry, event, *through)
        return user

    def staff(self, name: str, contract: Subscription | None = None) -> str:
        user = self.account(name, "planner")
        self.note(user.email, make.saved_filter(user))
        self.note(user.email, make.accepted_run(user, Month.of(2015, 1) + len(self.rows)))
        self.note(user.email, make.job(user, month=Month.of(2015, 1) + len(self.rows)))
        if contract:
            values = (make.cpi_value(f"{year}-10", series=name) for year in (2013, 2014))
            run = make.indexation_run(
                *values, state="announced", announced_by=user, announced_on=LONG_AGO
            )
            document = contract.organisation.invoices.get(
                number=f"DIS-{contract.organisation.code}"
            )
            ended = {"noted_on": LONG_AGO, "ended_on": LONG_AGO, "outcome": "resumed"}
            contest = make.contest(document, user, ended_by=user, **ended)
            opening = make.books_opening(contract.statements.get(), user)
            self.note(user.email, opening, run, contest)
            number = next(self.numbers)
            lost = make.invoice(
                contract.organisation,
                "2015-06",
                state="open",
                number=f"LOST-{number}",
                stripe_id=f"in_lost_{number}",
                invoice_on=LONG_AGO,
            )
            self.note(user.email, make.payment_plan(lost, user), make.write_off(lost, user))
        return user.email

    def advisor(self, name: str, organisation: Organisation, **fields: Any) -> str:
        user = self.account(name, "advisor", **fields)
        advisor = make.advisor(
            f"{name.upper()}-1", user=user, phone=f"tel {name}", iban=f"IBAN{name}"
        )
        certificate = make.qualification(advisor, number=f"LVV {name}")
        session = make.session(
            organisation,
            f"S-{next(self.numbers)}",
            trainer=advisor,
            starts_at=at("2015-03-02 10:00"),
        )
        self.note(
            user.email,
            *(advisor, certificate, session),
            make.cpd_entry(certificate),
            make.cost_rate(advisor),
            make.absence(advisor),
            make.assignment(advisor, organisation, from_month="2015-01", until_month="2015-06"),
            make.draft_hours(advisor, organisation, "2015-02", 6),
            make.month_hours(advisor, organisation, "2015-01", 6),
            make.hours_adjustment(advisor, organisation, "2015-02", 6),
            make.month_submission(advisor, "2015-01"),
        )
        return user.email

    def contact(self, name: str, contract: Subscription) -> str:
        user = self.account(name, "contact")
        contact = make.contact(contract.organisation, user)
        batch = make.publication("2015-03")
        mail = PublicationMail.objects.create(publication=batch, contact=contact)
        wish = make.tier_change_request(
            contract, "2015-04", user, requested_on=LONG_AGO, state="declined"
        )
        number = make.headcount_declaration(
            contract.organisation, user, "2015-04", declared_on=LONG_AGO, state="declined"
        )
        waiting = make.invitation(contract.organisation, user.email, invited_on=LONG_AGO)
        self.note(user.email, contact, mail, wish, number, waiting)
        return user.email

    def participant(self, name: str) -> str:
        """Enrol somebody who also bought the seat; and one whose address invoices go to."""
        email, number = f"{name.lower()}@seats.example", next(self.numbers)
        session = make.session(None, f"O-{number}", starts_at=at("2015-05-02 10:00"))
        seat = make.enrolment(session, name=f"{name} Seat", email=email, buyer_name=f"{name} B.V.")
        document = make.invoice(
            None,
            "2015-05",
            buyer_name=f"{name} B.V.",
            buyer_email=email,
            state="open",
            number=f"DIS-{number}",
            stripe_id=f"in_{number}",
            invoice_on=LONG_AGO,
        )
        StripeDifference.objects.create(
            kind="amount",
            object_id=f"in_{number}",
            invoice=document,
            about_on=LONG_AGO,
            found_on=LONG_AGO,
        )
        office = make.organisation(f"OFF{number}", invoice_email=email)
        self.note(email, seat, document, *document.lines.all(), office)
        return email

    def all_kinds(self, name: str, contract: Subscription) -> list[str]:
        return [
            self.staff(name, contract),
            self.advisor(name, contract.organisation),
            self.contact(name, contract),
            self.participant(name),
        ]


def client_of_old(code: str = "OLD", until: str | None = "2016-01") -> Subscription:
    """Make a client with a row in every table of its file, in 2015."""
    organisation = make.organisation(code)
    make.headcount(organisation, month="2015-01")
    make.vat_consultation(organisation, vat_id="BE0123456749")
    contract = make.subscription(organisation, "2015-01", until_month=until)
    make.year_price(contract, "2015-01")
    make.purchase_order(organisation, from_month="2015-01")
    card = make.top_up_card(organisation, "2015-01")
    statement = make.statement(contract, "2015-01", "2015-04")
    make.card_use(statement, card)
    OverageCredit.objects.create(statement=statement, quarters=2)
    make.stripe_customer(organisation)
    document = make.invoice(
        organisation,
        "2015-03",
        state="open",
        collection="sepa",
        number=f"DIS-{code}",
        stripe_id=f"in_{code}",
        invoice_on=LONG_AGO,
    )
    make.stripe_step(document)
    make.billed_occurrence(organisation, contract.pk, "2015-04")
    credit = make.invoice(
        organisation,
        "2015-04",
        kind="credit",
        credit_of=document,
        lines=[
            {
                "credit_of": document.lines.get(),
                "kind": "credit",
                "net_cents": -1000_00,
                "vat_cents": -210_00,
            }
        ],
        state="open",
        number=f"CR-{code}",
        stripe_id=f"cn_{code}",
        invoice_on=LONG_AGO,
    )
    assert credit.credit_of == document
    return contract
