"""What a client can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agency.month import Month
from agency.templatetags.figures import long_month
from subscriptions.models import Tier

if TYPE_CHECKING:
    from agency.month import MonthRange

MONTHS_AHEAD = 12


class TierForm(forms.Form):
    """The tier wanted and the month from which, among the months of the contract still to come."""

    tier = forms.ChoiceField(
        label=_("Subscription"), widget=forms.RadioSelect, choices=Tier.choices
    )
    month = forms.TypedChoiceField(label=_("From"), coerce=Month.parse)

    def __init__(
        self, *args: Any, now: Month, months: MonthRange, tier: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        ahead = (now + offset for offset in range(1, MONTHS_AHEAD + 1))
        field = self.fields["month"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  # declared above
        field.choices = [(str(month), long_month(month)) for month in ahead if month in months]
        self.fields["tier"].initial = next(value for value in Tier.values if value != tier)


class PageForm(forms.Form):
    """What is to happen with the page for employees: opened, closed, or given another link."""

    asks = _("Choose what is to happen with the page: open it, close it, or give it another link.")
    deed = forms.ChoiceField(
        choices=[(deed, deed) for deed in ("on", "off", "renew")],
        error_messages={"required": asks, "invalid_choice": asks},
    )
