"""What a task leaves behind in the queue's own table."""

from __future__ import annotations

import re
from typing import Any

_PLACE = re.compile(r'^ *File "([^"]+)", line (\d+), in (\w+)$', re.MULTILINE)


def keep_places_only(sender: Any, *, task: dict[str, Any], **_more: Any) -> None:
    """Leave of a failed task where it failed: the text of an exception quotes what it met.

    Called by the queue's worker before the result is stored and logged.
    """
    if task.get("success") is False:
        places = _PLACE.findall(str(task["result"]))
        task["result"] = "\n".join(f"{file}:{line} {name}" for file, line, name in places)
