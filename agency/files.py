"""Files on disk: each whole or not at all, and readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file beside its place, to the disk, and then put it there (mode 0600)."""
    with put_whole(path) as draft:
        draft.write(content)
    return path


@contextmanager
def put_whole(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write; it takes its place once the block has ended well (mode 0600)."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        try:
            yield draft
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise
