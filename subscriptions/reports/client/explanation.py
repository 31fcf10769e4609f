"""What the words mean, why figures are shown as they are, and what is never recorded."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from subscriptions.release import Thresholds
from subscriptions.reports.client import sentences
from subscriptions.reports.client.position import Position
from subscriptions.reports.sheet import Cell, Column, Sheet, listing


def explanation(position: Position) -> Sheet:
    columns = (
        Column(_("Subject"), 34, serif=True),
        Column(_("Explanation"), 112, wraps=True, serif=True),
    )
    sheet = listing(
        pgettext("sheet", "Explanation"), columns, position.organisation.legal_name, frozen="A2"
    )
    entries = [
        *_hours(),
        *_display(position.shared.thresholds),
        *_limits(position.shared.agency.name),
    ]
    sheet.table(columns, [(Cell(subject, "group"), text) for subject, text in entries])
    return sheet


def _hours() -> list[tuple[str, str]]:
    return [
        (
            _("Contracted hours"),
            _(
                "The hours for talks, preparation, aftercare, travel to a talk and reporting, "
                "together in one figure."
            ),
        ),
        (
            _("Use"),
            _(
                "The total of a whole period, rounded up once to half hours. Never per talk, per "
                "day, per person or per counsellor."
            ),
        ),
        (
            _("Overage"),
            _("Use beyond the included hours of the contract year. The rate: see Contract."),
        ),
    ]


def _display(thresholds: Thresholds) -> list[tuple[str, str]]:
    return [
        (
            _("Why a period is long"),
            _(
                "The smaller the organisation, the longer the period we report on: a month from "
                "%(month)d employees on, a quarter from %(quarter)d on, a contract year below "
                "that. So a figure says nothing about one person."
            )
            % {
                "month": thresholds.month_from_headcount,
                "quarter": thresholds.quarter_from_headcount,
            },
        ),
        (
            _("Band"),
            _(
                "With %(people)d employees or fewer, or where you choose so, we state no hours. It "
                "then says “use within the hours you have bought”, also when there was no use. "
                "Overage we do state, for you pay it."
            )
            % {"people": thresholds.figures_from_headcount - 1},
        ),
        (
            _("Not stated"),
            _(
                "If a period closes because the contract year or the contract ends, and a figure "
                "could say something about one person, we state nothing. Nothing then counts "
                "towards your contracted hours and nothing is charged. This does not say whether "
                "there was any use."
            )
            + " "
            + sentences.lined_cell(),
        ),
        (
            _("All-in"),
            _("A fixed yearly fee, no figures of use. This protects your employees best."),
        ),
        (
            _("Not published yet"),
            _(
                "The period is running or is not closed yet. All clients get their statements at "
                "the same moment, also when nothing has changed."
            ),
        ),
    ]


def _limits(agency: str) -> list[tuple[str, str]]:
    return [
        (
            _("What we never record"),
            _(
                "Who made contact, when, how often and about what. Our system has no place for it; "
                "so we cannot give it to you either."
            ),
        ),
        (
            _("What no system can hide"),
            _(
                "Who can rule out everybody but one person learns from any figure. So do not ask "
                "who made contact. If you want no figure at all, choose all-in."
            ),
        ),
        (
            _("Amounts"),
            _(
                "In euros, excluding VAT unless it says “total”. VAT is worked out per invoice and "
                "rate and divided over the lines."
            ),
        ),
        (
            _("Questions"),
            _(
                "About this overview: ask %(agency)s. Questions about persons or talks we do not "
                "answer, not to management or HR either."
            )
            % {"agency": agency},
        ),
    ]
