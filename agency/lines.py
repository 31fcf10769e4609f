"""Lines of text that clients type: what a person reads in them is all there is."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

# Control characters, marks that turn or hide text, and characters that are none.
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
FORMULAS = ("=", "+", "-", "@")  # a spreadsheet calculates what begins so
TAGS = frozenset("<>")


def refuse_hidden(text: str) -> None:
    """Raise ValidationError for what no eye sees, and for what another program would obey."""
    is_hidden = any(unicodedata.category(character) in UNSEEN for character in text)
    if is_hidden or TAGS & set(text) or text.startswith(FORMULAS):
        raise ValidationError(
            _("Use letters, digits and ordinary marks, and begin with a letter or a digit."),
            code="hidden",
        )


class LineField(forms.CharField):
    """A line without anything hidden. Whatever is wrong with it, one sentence says so."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        refuse_hidden(text)
        return text

    def run_validators(self, value: Any) -> None:
        try:
            super().run_validators(value)
        except ValidationError as refused:
            raise ValidationError(refused.error_list[:1]) from refused


class EmailLineField(LineField):
    """An e-mail address, kept in lower case as those of accounts are."""

    widget = forms.EmailInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[validate_email], max_length=254, **kwargs)

    def to_python(self, value: Any) -> str:
        return super().to_python(value).lower()
