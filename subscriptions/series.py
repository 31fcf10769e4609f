"""Numbers of documents: which are missing from a series."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from agency.month import day_of
from subscriptions import gateway
from subscriptions.models import Invoice

NUMBER = re.compile(r"(.*?)(\d+)")  # a series, and a number of it


def gaps(
    there: Iterable[gateway.Document | gateway.CreditNote],
) -> Iterator[tuple[str, dt.date]]:
    """Yield what no document has between the first and the last of a series, each gap once.

    With the day of the document before it: whoever looks again from there on finds it again.
    """
    series: dict[str, dict[int, gateway.Document | gateway.CreditNote]] = {}
    for item in there:
        if match := NUMBER.fullmatch(item.number):
            series.setdefault(match[1], {})[int(match[2])] = item
    for prefix, numbers in series.items():
        if len(numbers) > 1:
            yield from _gaps_of(prefix, numbers)


def _gaps_of(
    prefix: str, numbers: dict[int, gateway.Document | gateway.CreditNote]
) -> Iterator[tuple[str, dt.date]]:
    first, last = min(numbers), max(numbers)
    ours = Invoice.objects.filter(number__startswith=prefix).values_list("number", flat=True)
    here = {int(digits) for text in ours if (digits := text.removeprefix(prefix)).isdecimal()}
    width = len(numbers[first].number) - len(prefix)
    before = numbers[first]
    taken = sorted(numbers.keys() | {number for number in here if first < number < last})
    for number, following in pairwise(taken):
        before = numbers.get(number, before)
        if following > number + 1:
            missing = dict.fromkeys((number + 1, following - 1))  # one number, or first and last
            text = "..".join(f"{prefix}{end:0{width}}" for end in missing)
            yield text, day_of(before.created_at)
