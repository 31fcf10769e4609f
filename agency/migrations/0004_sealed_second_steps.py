"""Seal the secrets of second steps that were set up before they were sealed."""

from collections.abc import Callable
from typing import Any

from django.db import migrations

from agency.sessions import seal, unseal


def change(apps: Any, by: Callable[[str], str]) -> None:
    for row in apps.get_model("mfa", "Authenticator").objects.all():
        for name in {"secret", "seed"} & row.data.keys():
            row.data[name] = by(row.data[name])
        if codes := row.data.get("migrated_codes"):
            row.data["migrated_codes"] = [by(code) for code in codes]
        row.save(update_fields=["data"])


def seal_all(apps: Any, _editor: Any) -> None:
    change(apps, seal)


def open_all(apps: Any, _editor: Any) -> None:
    change(apps, unseal)


class Migration(migrations.Migration):

    dependencies = [
        ("agency", "0003_no_time_of_sign_in"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(seal_all, open_all)]
