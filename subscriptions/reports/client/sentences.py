"""What a client workbook says of use.

A sentence without a figure is the same whether or not anybody called.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency.money import HUNDREDTHS_PER_QUARTER
from agency.templatetags.figures import euro
from subscriptions.models import Display, LineKind, Statement
from subscriptions.reports import said
from subscriptions.reports.client import figures
from subscriptions.reports.client.position import Position


def note(statement: Statement) -> str:
    """Explain a statement in its row."""
    if statement.display == Display.EXACT:
        return _note_on_exact(statement)
    if statement.display == Display.BAND:
        return _note_on_band(statement)
    return all_in() if statement.display == Display.ALL_IN else _note_on_withheld()


def _note_on_exact(statement: Statement) -> str:
    if statement.capped:
        return _("Rounded up once, to half hours. Nothing is added to your fixed fee.")
    return _("Rounded up once, to half hours.")


def _note_on_band(statement: Statement) -> str:
    if statement.capped:
        return _("Nothing is added to your fixed fee for this period.")
    if statement.overage_quarters:
        return _("%(hours)s hours of overage. Further figures are not stated.") % {
            "hours": said.hours(statement.overage_quarters)
        }
    return within()


def _note_on_withheld() -> str:
    return _(
        "We state no use. Nothing counts towards your contracted hours and nothing is charged. "
        "This does not say whether there was any use."
    )


def all_in() -> str:
    return _("Fixed fee, no figures of use. This protects your employees best.")


def within() -> str:
    return _(
        "Use stayed within the hours you have bought. We write this also when there was no use."
    )


def expected(position: Position) -> str:
    period = position.next_period
    if period is None:
        return _("No statement follows: the contract has ended.")
    return _("Not published yet. Expected after %(month)s is closed.") % {
        "month": said.short_month(period.last_month)
    }


def message(position: Position) -> str:
    """Say in one sentence how the contract year stands; from statements only."""
    if figures.is_all_in(position):
        return all_in()
    if not position.of_year:
        return expected(position)
    last = position.of_year[-1]
    if last.display == Display.WITHHELD:
        return _withheld(last)
    if last.display == Display.BAND:
        return _band(position, last)
    return _exact(position, last)


def _withheld(statement: Statement) -> str:
    return _(
        "We state no use for %(months)s. Nothing counts towards your contracted hours and nothing "
        "is charged."
    ) % {"months": said.long_span(statement.months)}


def _band(position: Position, statement: Statement) -> str:
    if statement.capped:
        return _("Nothing is added to your fixed fee for this period.")
    overage = _overage(position)
    if not overage:
        return within()
    invoiced = _invoiced(position, overage)
    if invoiced is None:
        text = _("%(hours)s hours of overage were stated.")
    elif invoiced:
        text = _("%(hours)s hours of overage were stated and invoiced (%(amount)s excl. VAT).")
    else:
        text = _("%(hours)s hours of overage were stated; they will be invoiced.")
    return text % {"hours": said.hours(overage), "amount": euro(invoiced or 0)}


def _exact(position: Position, last: Statement) -> str:
    used = sum(row.used_quarters or 0 for row in position.of_year)
    overage = _overage(position)
    if overage:
        return _exact_with_overage(position, overage)
    if used > last.allowance_quarters:
        if last.capped:
            return _("The included hours are used. Nothing is added to your fixed fee.")
        return _("The included hours are used. There is no overage: your top-up card covers it.")
    return _("%(used)s of the %(included)s included hours are used. There is no overage.") % {
        "used": said.hours(used),
        "included": said.hours(last.allowance_quarters),
    }


def _exact_with_overage(position: Position, overage: int) -> str:
    left = figures.remaining(position)
    if left:
        text = _(
            "%(left)s included hours are left. Earlier this year %(hours)s hours of overage were "
            "stated."
        )
        return text % {"left": said.hours(left), "hours": said.hours(overage)}
    invoiced = _invoiced(position, overage)
    if invoiced is None:
        text = _("The included hours are used. Overage to date: %(hours)s hours.")
    elif invoiced:
        text = _(
            "The included hours are used. %(hours)s hours of overage have been invoiced "
            "(%(amount)s excl. VAT)."
        )
    else:
        text = _(
            "The included hours are used. %(hours)s hours of overage were stated; they will be "
            "invoiced."
        )
    return text % {"hours": said.hours(overage), "amount": euro(invoiced or 0)}


def _overage(position: Position) -> int:
    return sum(row.overage_quarters for row in position.of_year)


def _invoiced(position: Position, overage: int) -> int | None:
    """Give what was invoiced for the year's overage in cents, 0 for nothing yet.

    None where a part was: the rest is still to come, or a former system billed it. None too where
    another organisation pays.
    """
    lines = [
        line
        for document in position.documents
        if not document.served_name
        for line in document.lines.all()
        if line.kind == LineKind.OVERAGE and line.from_month in position.year.months
    ]
    due_here = [row for row in position.of_year if row.until_month > position.contract.first_run]
    if position.another_pays or sum(row.overage_quarters for row in due_here) != overage:
        return None
    billed_hundredths = sum(line.quantity_hundredths for line in lines)
    if lines and billed_hundredths != overage * HUNDREDTHS_PER_QUARTER:
        return None
    return sum(line.net_cents for line in lines)


def answers(position: Position) -> list[tuple[str, str]]:
    """Give the short answers below or beside the message, each with its question."""
    following = (_("Next statement"), _following(position))
    last = position.of_year[-1] if position.of_year else None
    if figures.is_all_in(position):
        return [(_("Why no hours are shown"), _all_in_why()), following]
    if last is None:
        return [(_("What you see here"), _published_only()), *_last_answer(position), following]
    if last.display == Display.WITHHELD:
        return [
            (_("Why nothing is stated"), f"{_withheld_why()} {lined_cell()}"),
            (
                _("What this does not say"),
                _("Whether there was any use, or how much. This sentence is the same either way."),
            ),
            following,
        ]
    if last.display == Display.BAND:
        return [
            (_("Why no hours are shown"), f"{_band_why(position)} {lined_cell()}"),
            (_("Why once a year"), _once_a_year()),
            following,
        ]
    return [
        (_("What you see here"), _published_only()),
        following,
        (
            _("Not traceable"),
            _("Every figure covers a whole period and all employees together."),
        ),
    ]


def _last_answer(position: Position) -> list[tuple[str, str]]:
    """Tell what was stated last, of the contract year before this one."""
    if not position.of_year_before:
        return []
    last = position.of_year_before[-1]
    if last.used_quarters is None:
        told = note(last)
    else:
        told = _("%(used)s hours used, of which %(overage)s hours of overage.") % {
            "used": said.hours(last.used_quarters),
            "overage": said.hours(last.overage_quarters),
        }
    return [(_("Last statement"), f"{said.span(last.months)}: {told}")]


def _all_in_why() -> str:
    return _(
        "You pay one fixed fee, however much the counsellor is called upon. So nothing about use "
        "needs to be stated."
    )


def _published_only() -> str:
    return _("Published statements only. A running period appears when it is closed.")


def _withheld_why() -> str:
    return _(
        "The period closed because the contract year or the contract ended, or was paused. "
        "A figure could then say something about one person."
    )


def _band_why(position: Position) -> str:
    figures_from = position.shared.thresholds.figures_from_headcount
    return _(
        "With %(people)d employees or fewer, or where you chose so, we state no use in hours. "
        "You read whether it stayed within the hours you have bought, and how many hours of "
        "overage you pay."
    ) % {"people": figures_from - 1}


def _once_a_year() -> str:
    return _(
        "The smaller the group, the longer the period. So a statement says nothing about one "
        "person or one month."
    )


def lined_cell() -> str:
    return _("A tinted cell means: no figure is shown here.")


def _following(position: Position) -> str:
    period = position.next_period
    if period is None:
        return _("No statement follows: the contract has ended.")
    return _("For %(months)s, in %(published)s, at the same moment as for all other clients.") % {
        "months": said.span(period),
        "published": said.long_month(period.until),
    }


def stated_part(position: Position) -> str:
    """Say for how much of the year there is a statement, beside the contracted hours."""
    stated, coming = len(position.of_year), len(position.coming)
    return ngettext(
        "Stated for %(stated)d of %(all)d period",
        "Stated for %(stated)d of %(all)d periods",
        stated + coming,
    ) % {"stated": stated, "all": stated + coming}
