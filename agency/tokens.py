"""The design tokens for places that read no style sheet: mails, workbooks and documents."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "static" / "agency" / "tokens.css"
_TOKEN = re.compile(r"--([a-z0-9-]+):\s*(?:light-dark\(\s*)?(#[0-9a-f]{6})")


def in_templates() -> dict[str, str]:
    """Give the light colours by names that a template can write: ``{"line_strong": ...}``."""
    return {name.replace("-", "_"): value for name, value in light().items()}


@cache
def light() -> dict[str, str]:
    """Give the light colour of each token, such as ``{"accent": "#6b2352"}``."""
    return dict(_TOKEN.findall(_FILE.read_text(encoding="utf-8")))
