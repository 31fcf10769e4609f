"""Files that nobody reads without the key, and of which no byte can be changed, moved or left out.

A line in the open says what the file is; then come parts, each as four bytes of length and what
they count. A part is compressed, and sealed with its number under a key of this one file, which is
made of the key and the line, in which a random identity stands; an empty part is the last one.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LONGEST_LINE = 100


class SpoiltError(Exception):
    """The file is none of ours, or not as it was written, or sealed with another key."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a file is; files of one moment have one identity, and another kind each."""

    kind: str
    database: str
    identity: str

    def line(self) -> bytes:
        return f"discreet 1 {self.kind} {self.database} {self.identity}\n".encode()


def write(file: IO[bytes], label: Label, key: bytes, parts: Iterable[bytes]) -> None:
    """Write parts, none of which is empty, to a file that is new."""
    cipher = _cipher(label, key)
    file.write(label.line())
    for number, part in enumerate(chain(parts, [b""])):
        sealed = cipher.encrypt(_nonce(number), zlib.compress(part), None)
        file.write(len(sealed).to_bytes(4, "big") + sealed)


def label_of(file: IO[bytes]) -> Label:
    """Read what a file says that it is; only `read` proves it."""
    found = re.fullmatch(rb"discreet 1 (\w+) (\w+) (\w+)\n", file.readline(LONGEST_LINE))
    if not found:
        raise SpoiltError
    return Label(*(word.decode() for word in found.groups()))


def read(file: IO[bytes], label: Label, key: bytes) -> Iterator[bytes]:
    """Yield the parts that follow the label; raises SpoiltError at the first that is not right."""
    cipher = _cipher(label, key)
    begin, size = file.tell(), file.seek(0, os.SEEK_END)
    file.seek(begin)
    for number in count():
        length = int.from_bytes(file.read(4), "big")
        sealed = file.read(min(length, size))
        try:
            part = zlib.decompress(cipher.decrypt(_nonce(number), sealed, None))
        except InvalidTag:
            raise SpoiltError from None
        if len(sealed) < length:
            raise SpoiltError
        if not part:
            break
        yield part
    if file.read(1):
        raise SpoiltError


def _cipher(label: Label, key: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=None, info=label.line()).derive(key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
