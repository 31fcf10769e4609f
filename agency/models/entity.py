"""What every row of ours has: a random key."""

from __future__ import annotations

import uuid

from django.db import models


class Entity(models.Model):
    """A row with a random key: keys tell neither order nor number of rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True
