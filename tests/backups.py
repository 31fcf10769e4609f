"""Our side as a backup has it, while Stripe goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def restored_afterwards() -> Iterator[None]:
    """Take our side back to where it was before the block; what Stripe was told, it keeps."""
    backup = transaction.savepoint()
    yield
    transaction.savepoint_rollback(backup)
