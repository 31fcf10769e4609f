"""What the buttons of the hours page send; nothing in it is typed."""

from __future__ import annotations

from django import forms

from advisors.models import MOST_QUARTERS_IN_A_MONTH


class RecordForm(forms.Form):
    """Change an organisation's hours from what the page showed to what the button says."""

    from_quarters = forms.IntegerField(min_value=0, max_value=MOST_QUARTERS_IN_A_MONTH)
    to_quarters = forms.IntegerField(min_value=0, max_value=MOST_QUARTERS_IN_A_MONTH)
