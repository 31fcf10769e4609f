"""What the database refuses, as a sentence for whoever filled in the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext, gettext_noop

if TYPE_CHECKING:
    from django.db import IntegrityError

# The guards of tables that have a form: they stand in migrations, where nothing is translated.
GUARDED = (
    gettext_noop("Contracts of one organisation never overlap."),
    gettext_noop("Purchase orders of one organisation do not overlap."),
    gettext_noop("This name counts from a day on: add another legal name instead."),
    gettext_noop("In each month one organisation pays for a client."),
    gettext_noop("Who pays from a month on stays: give it an end, and add who pays from then on."),
    gettext_noop("Nobody pays for who pays for others in the same months."),
    gettext_noop("Documents were made out to who pays: give it an end instead."),
    gettext_noop("A takeover keeps its month and successor: withdraw it and enter another one."),
    gettext_noop("A takeover that has begun stays."),
    gettext_noop("A client that was taken over has no contract from that month on: end it first."),
    gettext_noop("Terms get a new version instead."),
    gettext_noop("A pause keeps its months: withdraw it and agree on another one."),
    gettext_noop("A pause lies inside its contract, after its first month, beside no other one."),
    gettext_noop("A pause begins after a month that is still open."),
    gettext_noop("A pause that has begun stays."),
    gettext_noop("A contract ends after its pauses: withdraw the pause first."),
    gettext_noop("A quote stays as it was offered: withdraw it and offer another one."),
    gettext_noop("A quote that was withdrawn stays withdrawn."),
    gettext_noop("A quote becomes one contract."),
    gettext_noop("The day on which a contract was signed stays."),
    gettext_noop("A contract keeps the client and the start that its prices were frozen for."),
    gettext_noop("What is carried over stays as it was published."),
    gettext_noop("A card that was billed or used stays as it is: credit it instead."),
    gettext_noop("A VAT treatment that documents were made with stays as it is: add a later one."),
    gettext_noop("Documents were made for this month or a later one: choose a month after them."),
    gettext_noop("This VAT id was changed: it is not checked yet."),
    gettext_noop("VIES answered that this VAT id is not valid."),
    gettext_noop("CRKBO registrations do not overlap."),
    gettext_noop("A registration begins in the month it was entered with: add another one."),
    gettext_noop(
        "Vocational education was billed by what holds now: credit it first, then change this."
    ),
    gettext_noop("An index value that prices were raised by stays as it is."),
    gettext_noop(
        "Prices follow two values of one series and reference year, the later one second."
    ),
    gettext_noop("What a run announced never changes."),
    gettext_noop("What was announced to clients stays on record."),
    gettext_noop("Indexed prices come from an approved run, as the client was told."),
    gettext_noop(
        "An advisor beside the employees of an organisation is never its mediator or investigator."
    ),
    gettext_noop("Only sessions of open enrolment have names of participants."),
    gettext_noop("A session with names of participants stays one of open enrolment."),
    gettext_noop("A seat that was billed keeps its session, price and buyer: credit it instead."),
    gettext_noop("A seat that was billed is never deleted: credit it instead."),
    gettext_noop("Only an open invoice is contested."),
    gettext_noop("What was noted of a contested invoice never changes."),
    gettext_noop("What an organisation was called stays on record: add a later name."),
    gettext_noop("A name counts from a later day than the one before it."),
    gettext_noop("Who takes over is there in that month, and is not taken over itself."),
    gettext_noop("A mandate stays as it was signed; it can be withdrawn once."),
)
OF_A_TRIGGER = "23000"  # as `agency.guards` raises it; PostgreSQL's own have longer codes


def sentence(error: IntegrityError) -> str:
    """Give a guard's sentence, translated; of any other constraint one that fits them all."""
    cause = error.__cause__
    if getattr(cause, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER":
        return gettext(str(cause))
    if getattr(cause, "sqlstate", "") == OF_A_TRIGGER:
        return gettext(str(cause).splitlines()[0])
    return gettext("This contradicts what is recorded already.")
