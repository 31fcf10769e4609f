"""No table has a place for a story: models, record and live database agree, and mutants are caught.

The sealed tables are those that tell about hours, or about who was where: the four of hours and the
months they close, what is published of them (statement, use of cards, batch and its mails), and
attendance (a session's group size, a seat). `agency.schema` is the check that runs in every place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.test.utils import isolate_apps

from advisors.models import MonthHours
from agency import processing, schema
from agency.access import STAFF, may
from agency.models import Role
from agency.processing import ALL, by_model, tables

ROOT = Path(__file__).resolve().parent.parent.parent
SEALED = {
    *("advisors.DraftHours", "advisors.MonthHours", "advisors.HoursAdjustment"),
    *("advisors.MonthSubmission", "advisors.ClosedMonth"),
    *("subscriptions.Statement", "subscriptions.CardUse", "subscriptions.Publication"),
    "subscriptions.OverageCredit",
    *("subscriptions.PublicationMail", "workshops.Session", "workshops.Enrolment"),
}
ENTRIES = pytest.mark.parametrize("entry", tables(), ids=lambda entry: entry.name)


def ids(faults: Any) -> list[str]:
    return [fault.id for fault in faults]


# As it is


@pytest.mark.attack(14)
def test_every_place_for_words_is_in_the_record() -> None:
    assert run_checks(tags=["models"]) == []
    assert len(by_model()) > 50


@pytest.mark.attack(15)
@pytest.mark.django_db
def test_ledger_catalogue_frozen() -> None:
    assert {entry.model for entry in tables() if entry.sealed} == SEALED
    assert list(schema.faults_of_database(connection)) == []
    assert run_checks(tags=["database"], databases=["default"]) == []


@pytest.mark.attack(15)
@pytest.mark.django_db
def test_every_table_of_the_database_is_in_the_record() -> None:
    recorded = {entry.table or apps.get_model(entry.model)._meta.db_table for entry in tables()}
    only_on_sqlite = {"retention_switch"} if connection.vendor == "postgresql" else set()
    assert recorded - only_on_sqlite == set(schema.live_columns(connection))


@pytest.mark.attack(16)
def test_no_table_takes_a_file() -> None:
    files = (models.FileField, models.FilePathField, models.BinaryField)
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    assert [field for field in fields if isinstance(field, files)] == []


TAKES_A_FILE = re.compile(
    r"\bFILES\b|FileField|ImageField|FileInput|MultiPartParser|FileUploadParser|type=.file"
)


@pytest.mark.attack(16)
def test_two_pages_alone_take_a_file_and_keep_it_nowhere() -> None:
    """A bank statement tells of payments alone; an agency's workbook moves in once.

    Both are read in memory, within the request. The workbook is sent twice rather than kept.
    """
    sources = [
        path
        for app in ("agency", "advisors", "workshops", "subscriptions")
        for path in (ROOT / app).rglob("*")
        if path.suffix in {".py", ".html"} and path.name != "schema.py"
    ]
    takers = [path for path in sources if TAKES_A_FILE.search(path.read_text(encoding="utf-8"))]
    assert len(sources) > 200
    assert sorted({path.name for path in takers}) == ["moving_in.py", "receipts.py"]
    assert settings.FILE_UPLOAD_HANDLERS == [
        "django.core.files.uploadhandler.MemoryFileUploadHandler"
    ]
    parsers = settings.REST_FRAMEWORK["DEFAULT_PARSER_CLASSES"]
    assert parsers == ["rest_framework.parsers.JSONParser"]


@pytest.mark.attack(14)
def test_near_the_hours_only_sessions_and_seats_take_words() -> None:
    """The client ordered the session, and a seat has its buyer; the rest has no word at all."""
    with_words = {
        entry.model
        for entry in tables()
        if any(kind.startswith("words") for kind in entry.sealed.values())
    }
    assert with_words == {"workshops.Session", "workshops.Enrolment"}
    moments = {
        (entry.model, column)
        for entry in tables()
        for column, kind in entry.sealed.items()
        if kind in {"moment", "day"}
    }
    assert moments == {
        ("subscriptions.Publication", "published_on"),
        ("workshops.Session", "starts_at"),
        ("workshops.Session", "cancelled_on"),
    }


@ENTRIES
def test_an_entry_says_all_that_the_law_asks(entry: processing.Table) -> None:
    assert bool(entry.model) != bool(entry.table)
    assert entry.purpose
    assert entry.keep.text
    assert all(entry.columns.values())
    assert set(entry.readers) <= {*Role.values, "own"}
    about_somebody = bool(entry.person or entry.email)
    assert bool(entry.personal) == about_somebody == bool(entry.erasure)
    if entry.after:
        assert entry.keep.months is not None or entry.keep.years is not None


@ENTRIES
def test_the_readers_on_staff_are_those_of_the_admin(entry: processing.Table) -> None:
    if entry.table:
        assert entry.readers == ()
        return
    model = apps.get_model(entry.model)
    meta = model._meta
    shown = {
        role
        for role in STAFF
        if model in shown_to_staff() and may(role, f"{meta.app_label}.view_{meta.model_name}")
    }
    assert {role for role in entry.readers if role in STAFF} == shown


def shown_to_staff() -> set[type[models.Model]]:
    sheets = admin.site._registry
    inlines = {row.model for sheet in sheets.values() for row in sheet.inlines}
    seats = {apps.get_model("workshops.Enrolment")}  # an inline of open sessions only
    return {*sheets, *inlines, *seats}


# Mutants


def hours_with(**columns: models.Field[Any, Any]) -> type[models.Model]:
    """Make the class of the posted hours anew, with these columns added."""
    with isolate_apps("advisors", "agency"):
        fields = {f.name: f.clone() for f in MonthHours._meta.concrete_fields if not f.is_relation}
        attributes = {"__module__": "advisors.models", **fields, **columns}
        return type("MonthHours", (models.Model,), attributes)


@pytest.mark.attack(14)
@pytest.mark.attack(20)
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("notes", models.TextField()),
        ("category", models.CharField(max_length=20)),
        ("tags", models.JSONField(default=list)),
        ("letter", models.FileField()),
        ("scan", models.BinaryField()),
        ("link", models.URLField()),
        ("seen_from", models.GenericIPAddressField()),
        ("created_at", models.DateTimeField()),
        ("talked_on", models.DateField()),
        ("starts", models.TimeField()),
        ("lasted", models.DurationField()),
        ("serial", models.BigAutoField()),
        ("exact", models.DecimalField(max_digits=5, decimal_places=2)),
    ],
)
def test_a_place_for_a_story_on_the_hours_is_caught(
    name: str, column: models.Field[Any, Any]
) -> None:
    assert list(schema.faults_of_models([hours_with()])) == []
    (fault,) = schema.faults_of_models([hours_with(**{name: column})])
    assert (fault.id, name in fault.msg) == ("agency.E012", True)


@pytest.mark.attack(14)
def test_a_closed_list_on_the_hours_is_left_to_the_live_catalogue() -> None:
    closed = models.CharField(max_length=5, choices=[("a", "A")])
    assert list(schema.faults_of_models([hours_with(reason=closed)])) == []


class HomeMade(models.Field):  # type: ignore[type-arg]
    """A field of nobody's own class, which holds words all the same."""

    def get_internal_type(self) -> str:
        return "TextField"


@pytest.mark.attack(14)
@pytest.mark.parametrize("column", [HomeMade(), models.TextField(), models.SlugField()])
def test_words_elsewhere_need_an_entry_too(column: models.Field[Any, Any]) -> None:
    with isolate_apps("agency"):
        attributes = {"__module__": "agency.models", "month": models.IntegerField(), "memo": column}
        headcount = type("Headcount", (models.Model,), attributes)
    (fault,) = schema.faults_of_models([headcount])
    assert fault.id == "agency.E012"
    assert "memo" in fault.msg


@pytest.mark.attack(14)
def test_a_table_or_a_column_without_its_counterpart_is_caught() -> None:
    with isolate_apps("agency"):
        memo = type("Memo", (models.Model,), {"__module__": "agency.models"})
        agency = type("Agency", (models.Model,), {"__module__": "agency.models"})
    assert ids(schema.faults_of_models([memo])) == ["agency.E010"]
    assert ids(schema.faults_of_models([agency])) == ["agency.E011"]


@pytest.fixture
def altered(db: None, request: pytest.FixtureRequest) -> None:
    """Alter the database; the test's transaction takes it back."""
    with connection.cursor() as cursor:
        cursor.execute(request.param)


@pytest.mark.attack(15)
@pytest.mark.usefixtures("altered")
@pytest.mark.parametrize(
    ("altered", "expected"),
    [
        ("ALTER TABLE advisors_monthhours ADD remarks text", ["E013", "E014"]),
        ("ALTER TABLE advisors_drafthours ADD kind smallint", ["E013", "E014"]),
        ("ALTER TABLE workshops_session RENAME group_size TO names", ["E013", "E014"]),
        ("ALTER TABLE workshops_session DROP COLUMN group_size", ["E014"]),
        ("ALTER TABLE agency_organisation ADD remarks varchar(9)", ["E013"]),
        ("CREATE TABLE diary (words text)", ["E013"]),
        ("CREATE VIEW diary AS SELECT email FROM agency_user", ["E013"]),
    ],
    indirect=["altered"],
)
def test_a_column_slipped_past_the_models_is_caught(expected: list[str]) -> None:
    faults = run_checks(tags=["database"], databases=["default"])
    assert ids(faults) == [f"agency.{code}" for code in expected]
    with pytest.raises(SystemCheckError):
        call_command("check", databases=["default"])


COPY = "SELECT *, 'words' AS words FROM advisors_monthhours"
ON_ONE_DATABASE = {
    "sqlite": {
        "a temporary view": f"CREATE TEMP VIEW diary AS {COPY}",
    },
    "postgresql": {
        "a materialized view": f"CREATE MATERIALIZED VIEW diary AS {COPY}",
        "a table of another schema": f"CREATE SCHEMA aside; CREATE TABLE aside.diary AS {COPY}",
        "the hours once more in another schema": (
            "CREATE SCHEMA aside; CREATE TABLE aside.advisors_monthhours (quarters smallint)"
        ),
        "a table in parts": "CREATE TABLE diary (words text) PARTITION BY HASH (words)",
    },
}
EVERYWHERE = {
    "a table made of a query": f"CREATE TABLE diary AS {COPY}",
    "a temporary table": f"CREATE TEMP TABLE diary AS {COPY}",
}


@pytest.mark.attack(15)
@pytest.mark.django_db
def test_a_copy_of_the_hours_is_caught_wherever_it_is() -> None:
    found = {}
    for what, making in (ON_ONE_DATABASE[connection.vendor] | EVERYWHERE).items():
        point = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute(making)
        found[what] = ids(run_checks(tags=["database"], databases=["default"]))
        transaction.savepoint_rollback(point)
    assert found == {what: ["agency.E013"] for what in found}


@pytest.mark.attack(14)
@pytest.mark.attack(15)
@pytest.mark.django_db
def test_a_remarks_column_in_a_migration_is_caught() -> None:
    """Both walls stand: the models as the migrations leave them, and the database."""
    state = MigrationLoader(connection).project_state()
    assert list(schema.faults_of_models(state.apps.get_models(include_auto_created=True))) == []
    later = state.clone()
    step = migrations.AddField("monthhours", "remarks", models.TextField(null=True))
    step.state_forwards("advisors", later)
    (fault,) = schema.faults_of_models(later.apps.get_models())
    assert (fault.id, "remarks" in fault.msg) == ("agency.E012", True)
    editor = connection.schema_editor()
    editor.deferred_sql = []
    step.database_forwards("advisors", editor, state, later)
    assert ids(schema.faults_of_database(connection)) == ["agency.E013", "agency.E014"]


@pytest.mark.attack(15)
@pytest.mark.django_db
def test_a_sealed_column_of_another_type_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite cannot alter a type, so here the seal is another one than the table's."""
    found = schema.live_columns(connection)
    found["advisors_monthhours"]["quarters"] = "text"
    monkeypatch.setattr(schema, "live_columns", lambda _: found)
    (fault,) = schema.faults_of_database(connection)
    assert fault.id == "agency.E014"
    assert "quarters" in fault.msg


@pytest.mark.django_db
def test_a_database_that_is_still_to_be_migrated_is_compared_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema, "pending_migrations", lambda _: True)
    monkeypatch.setattr(schema, "live_columns", lambda _: {"diary": {"words": "text"}})
    assert run_checks(tags=["database"], databases=["default"]) == []


def test_all_means_every_column() -> None:
    assert {entry.name for entry in tables() if ALL in entry.personal} > {"agency.User"}
