"""Ask of credits only what credits something: a run writes thousands of lines that do not."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor

GUARDS = (
    ("subscriptions_invoice", "credits_within"),
    ("subscriptions_invoiceline", "credits_within"),
    ("subscriptions_invoiceline", "credits_take_back"),
)


def ask_credits_alone(apps: Any, schema_editor: Editor) -> None:
    _guard(schema_editor, "WHEN (NEW.credit_of_id IS NOT NULL)")


def ask_all(apps: Any, schema_editor: Editor) -> None:
    _guard(schema_editor, "")


def _guard(schema_editor: Editor, when: str) -> None:
    """Make the triggers anew; SQLite asks a trigger's whole condition before it runs anything."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, name in GUARDS:
        trigger = f"{table}_{name}"
        schema_editor.execute(f'DROP TRIGGER "{trigger}" ON "{table}"', params=None)
        schema_editor.execute(
            f'CREATE TRIGGER "{trigger}" BEFORE INSERT ON "{table}" '
            f'FOR EACH ROW {when} EXECUTE FUNCTION "{trigger}"()',
            params=None,
        )


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0028_paused_indexations")]
    operations = [migrations.RunPython(ask_credits_alone, ask_all)]
