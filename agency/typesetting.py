"""Documents on paper: a Typst template and plain data make a tagged PDF (PDF/UA-1).

The same data makes the same bytes. Nothing of the machine has a part in it: the fonts are those
that come with Typst, and what stands in the data is text, never markup.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agency.tokens import light

TEMPLATES = Path(__file__).parent / "templates" / "print"
RINGS = Path(__file__).parent / "static" / "agency" / "inside.svg"


def typeset(template: str, data: dict[str, Any], *, language: str) -> bytes:
    """Give the PDF of a template in ``agency/templates/print``."""
    import typst  # 80 MB of it: only who prints waits for it

    look = {"colours": light(), "inside": RINGS.read_text(encoding="utf-8")}
    given = json.dumps({**data, **look, "language": language})
    written: bytes = typst.compile(
        TEMPLATES / f"{template}.typ",
        format="pdf",
        root=TEMPLATES,
        ignore_system_fonts=True,
        sys_inputs={"data": given},
        pdf_standards=["ua-1"],
        timestamp=0,
    )
    return written
