"""The design tokens for places that read no style sheet: mails, workbooks and documents."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "static" / "agency" / "tokens.css"
_TOKEN = re.compile(r"--([a-z0-9-]+):\s*(?:light-dark\(\s*)?(#[0-9a-f]{6})")


@cache
def light() -> dict[str, str]:
    """Give the light colour of each token, such as ``{"accent": "#6b2352"}``."""
    return dict(_TOKEN.findall(_FILE.read_text(encoding="utf-8")))
