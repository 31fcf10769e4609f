"""Types the canary into every form and every cell, and keeps count of what was typed where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.test import Client

from agency import access
from agency.models import User
from subscriptions.intake.sheets import SHEETS, Column
from subscriptions.intake.texts import Code, Email, Names, Text
from tests.agency_workbook import Sheets
from tests.confidentiality.forms import NEW_ROW, Page, Writer, has_canary

# By table and input: the row that has to be chosen there.
Chosen = Mapping[str, Mapping[str, str]]


@dataclass
class Typed:
    """What forms offered for words, what of it was accepted, and why the rest was not."""

    offered: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    refused: dict[str, object] = field(default_factory=dict)
    forms: int = 0


def into_the_admin(
    people: Mapping[str, User],
    chosen: Chosen,
    headers: Mapping[str, str] | None = None,
    models: Iterable[type[Model]] = (),
) -> Typed:
    """Add a row of each table and change it, with new rows of other tables on its page.

    Every role does so that may; of a table that nobody adds to, a row that is there is changed.
    """
    typed = Typed()
    for model in sorted(models or admin.site._registry, key=lambda one: one._meta.label):
        letters = access.ROWS[model._meta.label_lower]
        for role in sorted(people, key=lambda role: "a" not in letters[role]):
            browser = Client(headers=headers)
            browser.force_login(people[role])
            writer = Writer(browser, chosen.get(model._meta.label_lower, {}))
            _fill(writer, model, letters[role], typed)
    return typed


def _fill(writer: Writer, model: type[Model], letters: str, typed: Typed) -> None:
    place = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
    before = set(model._default_manager.values_list("pk", flat=True))
    if "a" in letters:
        _send(writer, model, f"{place}/add/", "", typed)
    if "c" in letters:
        now = set(model._default_manager.values_list("pk", flat=True))
        row = next(iter((now - before) or now), None)
        page = _send(writer, model, f"{place}/{row}/change/", "", typed)
        for kind in sorted(page.rows()):
            _send(writer, model, f"{place}/{row}/change/", kind, typed)


def _send(writer: Writer, model: type[Model], address: str, kind: str, typed: Typed) -> Page:
    """Send a form, with a new row of another table where its kind is named."""
    answer: Any = writer.browser.get(address)
    page = Page(answer.content.decode() if answer.status_code == 200 else "")
    fresh = [each for each in page.inputs.values() if each.row in {"", kind}]
    more = {"confirmed": "1"}  # what would be shown first is kept at once
    if kind:
        number = page.inputs[f"{kind}-TOTAL_FORMS"].value
        more |= {f"{kind}-TOTAL_FORMS": str(int(number) + 1)}
        for each in fresh:
            each.name = each.name.replace(NEW_ROW, number)
    if not fresh:
        return page
    words_only = writer.browser.post(address, writer.fill(fresh, formats=False) | more)
    sent = writer.fill(fresh)
    answer = writer.browser.post(address, sent | more)
    label = model._meta.label_lower
    names = {each.name: f"{label} {_plain(each.name)}" for each in fresh if each.takes_words}
    typed.forms += 1
    typed.offered |= set(names.values())
    if 302 in {words_only.status_code, answer.status_code}:
        typed.accepted |= {names[name] for name in names if has_canary(sent[name])}
    else:
        typed.refused[f"{address} {kind}"] = _told(answer)
    return page


def _told(answer: Any) -> object:
    if answer.status_code != 200:
        return answer.status_code
    own = answer.context["adminform"].form.errors
    rows = [row.formset.errors for row in answer.context["inline_admin_formsets"]]
    return dict(own), [errors for errors in rows if any(errors)]


def _plain(name: str) -> str:
    return re.sub(r"-([0-9]+|__prefix__)-", " ", name)


KEYS = {"code", "advisor", "offering", "trainer", "reference"}


def into_a_workbook(sheets: Sheets) -> tuple[Sheets, Typed]:
    """Put the canary before every text of an agency workbook, and where one may stand."""
    typed = Typed()
    for sheet, columns in SHEETS.items():
        texts = [one for one in columns if isinstance(one.kind, Text | Code | Email)]
        typed.offered |= {f"{sheet} {one.name}" for one in texts}
        for row in sheets[sheet]:
            for one in texts:
                told = _cell(one, row.get(one.name))
                if told and not (one.name == "lvv_number" and "lvv_valid_until" not in row):
                    row[one.name] = told
                    typed.accepted.add(f"{sheet} {one.name}")
    return sheets, typed


def _cell(column: Column, value: str | None) -> str | None:
    if isinstance(column.kind, Email):
        return value and f"kanarietje.{value}"
    if isinstance(column.kind, Code) or column.name in KEYS:  # a reference says which row is meant
        return value and f"Kanarietje-{value}"[:20]
    assert isinstance(column.kind, Text)
    if isinstance(column.kind, Names):
        return ",".join(f"Kanarietje {one}" for one in (value or column.name).split(","))
    return f"Kanarietje {value or column.name}"[: column.kind.longest]
