"""Log lines made of fields on an allow-list, so that nothing a person typed reaches a log."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

# What a line may hold besides time, level and event. Ids and counts, never names or contents.
FIELDS = (
    *("route", "method", "status", "duration_ms", "role"),
    *("task", "month", "count", "seconds", "event_id", "invoice_id", "error"),
)
OURS = frozenset({"agency", "advisors", "workshops", "subscriptions"})


class LineFormatter(logging.Formatter):
    """Writes one JSON object a line; ``full`` writes Django's usual text, for debugging.

    Of our own records the message is kept as written in the code, without its arguments. Other
    packages format values into theirs, so only the place is kept. Of an exception the types and
    places are kept, never its text: a database names the offending value there.
    """

    def __init__(self, *, full: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.full = full

    def format(self, record: logging.LogRecord) -> str:
        if self.full:
            return super().format(record)
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": _event(record),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = list(_places(record.exc_info[1]))
        return json.dumps(line, default=str)


def _event(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] in OURS:
        return str(record.msg)
    return f"{record.name} {record.module}.{record.funcName}:{record.lineno}"


def _places(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _places(cause)
    yield type(error).__name__
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}"
