"""People as they are shown: initials in place of a photograph."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def initials(name: str) -> str:
    """Give the first letters of the first and last word: ``MR`` for Maaike van Rosier."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
