"""Words of the admin that are looked up by what they stand for.

Django's own sentences in Dutch of ours: its own says "de" of every word. And what audit events say
was done, to what.
"""

import re

from django.apps import apps
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_noop

ICON = re.compile(r'<img src="[^"]*/icon-(yes|no|unknown)[^"]*"[^>]*>')

OURS = (
    gettext_noop("Add another %(verbose_name)s"),
    gettext_noop("The {name} “{obj}” was added successfully."),
    gettext_noop("The {name} “{obj}” was added successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was changed successfully."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may edit it again below."),
    gettext_noop("The %(name)s “%(obj)s” was deleted successfully."),
)

DEEDS = (
    gettext_noop("accepted"),
    gettext_noop("added"),
    gettext_noop("agreed"),
    gettext_noop("announced"),
    gettext_noop("applied"),
    gettext_noop("approved"),
    gettext_noop("asked"),
    gettext_noop("cancelled"),
    gettext_noop("changed"),
    gettext_noop("checked"),
    gettext_noop("cleared"),
    gettext_noop("confirmed"),
    gettext_noop("credited"),
    gettext_noop("declined"),
    gettext_noop("deleted"),
    gettext_noop("drafted"),
    gettext_noop("held"),
    gettext_noop("link renewed"),
    gettext_noop("looked"),
    gettext_noop("mail tested"),
    gettext_noop("offered"),
    gettext_noop("page closed"),
    gettext_noop("page opened"),
    gettext_noop("paid"),
    gettext_noop("pay back"),
    gettext_noop("plan agreed"),
    gettext_noop("plan ended"),
    gettext_noop("read in"),
    gettext_noop("resumed"),
    gettext_noop("sent"),
    gettext_noop("set off"),
    gettext_noop("signature taken back"),
    gettext_noop("signed"),
    gettext_noop("started"),
    gettext_noop("stripe tested"),
    gettext_noop("taken back"),
    gettext_noop("thrown away"),
    gettext_noop("unparked"),
    gettext_noop("went on"),
    gettext_noop("withdrawn"),
    gettext_noop("write off withdrawn"),
    gettext_noop("written off"),
)


def deed(action: str) -> str:
    """Give the word for what an audit event says was done."""
    return gettext(action.replace("_", " "))


def subject(label: str) -> str:
    """Give the name of a table; one that is gone keeps its label."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except LookupError:
        return label


def without_icons(shown: SafeString) -> SafeString:
    """Write in a word what Django shows as a drawing: yes, no, or that nobody knows."""
    words = {"yes": gettext("yes"), "no": gettext("no"), "unknown": "–"}
    return mark_safe(ICON.sub(lambda found: words[found[1]], shown))  # noqa: S308  # fixed words in what Django escaped
