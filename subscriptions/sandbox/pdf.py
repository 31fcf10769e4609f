"""A one-page PDF of plain lines, enough to have a real file behind an invoice's PDF link."""

from collections.abc import Sequence

LINES_PER_PAGE = 48
LEADING = 15


def document(lines: Sequence[str]) -> bytes:
    """Return a PDF with the lines below one another, on as many A4 pages as they take."""
    pages = [lines[at : at + LINES_PER_PAGE] for at in range(0, len(lines), LINES_PER_PAGE)]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, page in enumerate(pages):
        stream = content(page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (5 + 2 * index)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return assemble(objects)


def content(lines: Sequence[str]) -> bytes:
    """Return the page's drawing commands; cp1252 is what WinAnsiEncoding means."""
    shown = (f"({escaped(line)}) Tj T*" for line in lines)
    return "\n".join(("BT /F1 10 Tf 50 790 Td", f"{LEADING} TL", *shown, "ET")).encode(
        "cp1252", "replace"
    )


def escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def assemble(objects: Sequence[bytes]) -> bytes:
    """Number the objects and add the table of their offsets, which a reader starts from."""
    file = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % start)
