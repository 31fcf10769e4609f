"""Fills the forms of pages as a person would: words where words fit, a choice where one is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client

NAME = "Kanarietje Zangvogel"
EMAIL = "kanarietje{}@zangvogel.example"
NEW_ROW = "__prefix__"

# What an input wants that takes no name, by the end of its own name; the longest fits first.
WANTED = {
    **dict.fromkeys(("month", "effective_month"), "2026-09"),
    **dict.fromkeys(("until", "until_month"), ""),
    **dict.fromkeys(("bought_month", "from_month", "start_month"), "2026-09"),
    **dict.fromkeys(("expires_month", "first_run", "reported_until"), "2027-09"),
    **dict.fromkeys(("valid_from", "year_month"), "2031-01"),
    **dict.fromkeys(("cents", "quarters", "points", "thousandths"), "1"),
    **dict.fromkeys(("country", "provinces"), "NL"),
    "kvk_number": "73451308",
    "vat_id": "NL946225436B55",
    "iban": "NL91ABNA0417164300",
    "oin": "00000001003214345000",
    "languages": "nl",
    "last_digits": "4300",
    "days_before": "77",
    "max_headcount": "",
    "until_on": "2026-10-01",
    "valid_until": "2027-09-01",
}
OF_TYPE = {"date": "2026-09-01", "datetime-local": "2026-09-01T10:00", "number": "1"}
WORDS = ("text", "email", "search", "textarea")


@dataclass
class Input:
    """An input of a page, with what stands in it and what may be chosen."""

    name: str
    kind: str
    value: str = ""
    longest: int = 200
    options: list[str] = field(default_factory=list)
    look_up: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> str | None:
        """What it wants that is no name; None where words fit."""
        fitting = [ending for ending in WANTED if self.name.endswith(ending)]
        return WANTED[max(fitting, key=len)] if fitting else None

    @property
    def takes_words(self) -> bool:
        return self.kind in WORDS and self.wanted is None

    @property
    def row(self) -> str:
        """The rows of another table that it begins a new one of, as Django calls them."""
        return self.name.partition(f"-{NEW_ROW}-")[0] if NEW_ROW in self.name else ""


class Page(HTMLParser):
    """The inputs of a page's forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {}
        self.current = Input("", "")
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "option":
            self.current.options.append(given.get("value", ""))
            if "selected" in given:
                self.current.value = given.get("value", "")
        elif tag in {"input", "select", "textarea"} and "disabled" not in given:
            self.add(tag, given)

    def add(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        if kind in {"submit", "checkbox", "file", "search"} or not given.get("name"):
            return
        made = Input(given["name"], kind, longest=int(given.get("maxlength", 200)))
        made = self.inputs.setdefault(made.name, made)
        if kind == "radio":
            made.options.append(given.get("value", ""))
        else:
            made.value = given.get("value", "")
        if "data-model-name" in given:
            names = ("app-label", "model-name", "field-name")
            made.look_up = {name.replace("-", "_"): given[f"data-{name}"] for name in names}
        self.current = made

    def rows(self) -> set[str]:
        return {found.row for found in self.inputs.values()} - {""}


class Writer:
    """Fills forms for one browser, and keeps count of what was filled.

    ``chosen`` says by the name of an input which row is to be chosen in it.
    """

    numbers = iter(range(1, 10_000))

    def __init__(self, browser: Client, chosen: Mapping[str, str]) -> None:
        self.browser, self.chosen = browser, chosen

    def fill(self, inputs: Iterable[Input], *, formats: bool = True) -> dict[str, str]:
        """Give what is sent; without ``formats`` also what wants a format is given words."""
        number = next(self.numbers)
        return {each.name: self.value(each, number, formats=formats) for each in inputs}

    def value(self, each: Input, number: int, *, formats: bool) -> str:
        last = each.name.rpartition("-")[2]
        if last in self.chosen:
            return self.chosen[last]
        if each.takes_words or (not formats and each.kind in WORDS):
            return words(each, number)
        if each.wanted is not None:
            return each.value or each.wanted
        if each.kind in {"select", "radio"}:
            return each.value or next(filter(None, self.options(each)), "")
        return each.value or OF_TYPE.get(each.kind, "")

    def options(self, each: Input) -> Iterator[str]:
        yield from each.options
        if each.look_up:
            found: Any = self.browser.get("/admin/autocomplete/", {**each.look_up, "term": ""})
            yield from (row["id"] for row in found.json()["results"])


def has_canary(text: str) -> bool:
    return "kanarie" in text.lower()


def words(each: Input, number: int) -> str:
    if each.kind == "email" or each.name.endswith("email"):
        return EMAIL.format(number)
    if re.search(r"(^|-)code$", each.name):
        return f"Kanarietje-{number}"
    return f"{number} {NAME}"[: each.longest]
