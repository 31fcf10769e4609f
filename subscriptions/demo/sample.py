"""The sample agency, and whether a database may be taken for its demo."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from agency.models import Agency, Organisation, User

SAMPLE = Path(__file__).with_name("agency.xlsx")
# What tells the sample's agency from anybody's own.
NAMES = {"name": "Discreet Voorbeeldbureau", "legal_name": "Voorbeeldbureau Vertrouwen B.V."}
# Tables without a model: the cache's, the guards' and the migrations' own.
OTHER_TABLES = frozenset({"cache", "retention_switch", MigrationRecorder.Migration._meta.db_table})


def is_free() -> bool:
    """Tell whether the database holds nothing at all, or the sample agency alone.

    The demo closes months, which cannot be undone, and its reset deletes the database whole; a
    setting forgotten beside an agency's own ``DATABASE_URL`` must not be enough for either.
    """
    try:
        tables = set(connection.introspection.table_names())
        if Agency._meta.db_table not in tables:
            return not tables
        ours = {*connection.introspection.django_table_names(), *OTHER_TABLES}
        return tables <= ours and (_is_of_sample() or _is_empty())
    except DatabaseError:  # no database, or tables of another program
        return False


def _is_of_sample() -> bool:
    return list(Agency.objects.values(*NAMES)) == [NAMES]


def _is_empty() -> bool:
    return not any(rows.exists() for rows in (Agency.objects, Organisation.objects, User.objects))


def place() -> str:
    """Name the database for a person, without its password."""
    name = str(connection.settings_dict["NAME"])
    return name.removeprefix(f"{settings.BASE_DIR}/")
