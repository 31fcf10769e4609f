"""What holds for the whole source: keys, columns, layers and who is shown what."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from agency.models import Organisation, User

ROOT = Path(__file__).resolve().parent.parent
APPS = ("agency", "advisors", "workshops", "subscriptions")
HOURS = ("DraftHours", "MonthHours", "HoursAdjustment", "MonthSubmission")
OUR_MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
by_name = pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model.__name__)


JUNK_DRAWERS = frozenset({"services", "utils", "helpers", "managers", "common", "core", "misc"})


def sources() -> list[Path]:
    return [
        path
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_modules_are_named_after_a_subject() -> None:
    assert {path.stem for path in sources()} & JUNK_DRAWERS == set()


# Tables


@by_name
def test_keys_are_random_and_tell_neither_order_nor_number(model: type[models.Model]) -> None:
    key = model._meta.pk
    assert isinstance(key, models.UUIDField)
    assert key.default is uuid.uuid4


@by_name
def test_no_column_fills_in_the_moment_by_itself(model: type[models.Model]) -> None:
    fields = model._meta.concrete_fields
    assert [field.name for field in fields if getattr(field, "auto_now", False)] == []
    assert [field.name for field in fields if getattr(field, "auto_now_add", False)] == []


@by_name
def test_money_and_hours_are_whole_numbers(model: type[models.Model]) -> None:
    inexact = (models.FloatField, models.DecimalField, models.DurationField)
    for field in model._meta.concrete_fields:
        assert not isinstance(field, inexact), field
        if field.name.endswith(("_cents", "_quarters")) or field.name == "quarters":
            assert isinstance(field, models.IntegerField), field


@by_name
def test_nothing_that_others_lean_on_is_deleted_along(model: type[models.Model]) -> None:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model in {Organisation, User}:
            assert field.remote_field.on_delete is models.PROTECT, field


@pytest.mark.parametrize("name", HOURS)
def test_tables_of_hours_hold_months_and_quarters_and_nothing_else(name: str) -> None:
    model = apps.get_model("advisors", name)
    allowed = {"id", "advisor", "organisation", "month", "quarters", "reason"}
    fields = {field.name: field for field in model._meta.concrete_fields}
    assert set(fields) <= allowed
    assert "reason" not in fields or fields["reason"].choices


# Every module that may name a table of hours, and why. Each is one more place to trust; what tells
# clients, staff or others anything has no place here.
SECRET_TABLES = ("DraftHours", "MonthHours", "HoursAdjustment")
MAY_NAME_HOURS = {
    "agency/access.py": "gives staff no right to them",
    "advisors/models.py": "defines them",
    "advisors/hours.py": "records, posts and adds them up",
    "advisors/views.py": "shows an advisor the own drafts",
    "subscriptions/intake/write.py": "writes those of an agency workbook",
    "subscriptions/intake/held.py": "gives all data out again, to the agency itself",
    "subscriptions/audit/records.py": "recomputes what was published",
    "subscriptions/reports/controller/figures.py": "adds up advisors' months over all clients",
}
TELLS = re.compile(r"(^|/)(portal|client|templates|api|admin|mail|accounts|announcements|wording)")
NAMES_OF_HOURS = re.compile(
    "|".join(
        rf"\b(advisors_)?{name.lower()}(_set)?\b|\b{snake}(__\w+|_set)?\b"
        for name in SECRET_TABLES
        for snake in [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()]
    )
)


def names_hours(text: str, *, is_python: bool = True) -> bool:
    """Tell whether code, a query in a string or a template names a table of hours."""
    if not is_python:
        return bool(NAMES_OF_HOURS.search(text.lower()))
    module = ast.parse(text)
    remarks = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return any(
        NAMES_OF_HOURS.search(word.lower())
        for node in ast.walk(module)
        if id(node) not in remarks
        for word in spoken(node)
    )


def spoken(node: ast.AST) -> Iterator[str]:
    match node:
        case (
            ast.Name(id=word)
            | ast.Attribute(attr=word)
            | ast.alias(name=word)
            | ast.ClassDef(name=word)
        ):
            yield word
        case ast.keyword(arg=str(word)) | ast.Constant(value=str(word)):
            yield word


def test_only_these_modules_name_a_table_of_hours() -> None:
    found = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*")
        if path.suffix in {".py", ".html", ".txt", ".js"} and "migrations" not in path.parts
        if names_hours(path.read_text(encoding="utf-8"), is_python=path.suffix == ".py")
    }
    assert found == set(MAY_NAME_HOURS)


@pytest.mark.parametrize(
    "text",
    [
        "from advisors.models import MonthHours as Rows",
        "rows = models.DraftHours.objects",
        "get_model('advisors', 'HoursAdjustment')",
        "cursor.execute('SELECT quarters FROM advisors_monthhours')",
        "Advisor.objects.filter(draft_hours__isnull=False)",
        "Advisor.objects.values('month_hours__quarters')",
        "advisor.month_hours.all()",
        "advisor.hoursadjustment_set.all()",
    ],
)
def test_the_search_for_hours_finds_every_way_to_them(text: str) -> None:
    assert names_hours(text)
    assert not names_hours('"""Never reads MonthHours."""')


def test_what_tells_anybody_anything_never_names_hours() -> None:
    assert [path for path in MAY_NAME_HOURS if TELLS.search(path)] == []
    tellers = [str(path.relative_to(ROOT)) for path in sources()]
    assert {
        "subscriptions/portal/views.py", "subscriptions/api.py", "subscriptions/admin/contracts.py",
        "subscriptions/admin/queue.py", "advisors/admin.py", "agency/mail.py",
        "subscriptions/announcements.py", "subscriptions/reports/client/position.py",
    } <= {path for path in tellers if TELLS.search(path)}  # fmt: skip


@by_name
def test_no_text_without_an_end(model: type[models.Model]) -> None:
    endless = (models.TextField, models.FileField, models.BinaryField)
    assert [field.name for field in model._meta.concrete_fields if isinstance(field, endless)] == []


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


# Shape


def functions() -> Iterator[tuple[str, int]]:
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", length


def test_functions_fit_on_a_screen() -> None:
    assert [name for name, length in functions() if length > 60] == []


def test_files_stay_readable() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert [str(path.relative_to(ROOT)) for path, lines in lengths.items() if lines > 450] == []


def test_there_are_no_model_signals() -> None:
    imports = {
        f"{node.module}"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
    }
    assert "django.db.models.signals" not in imports


# The only places that write or make a float, none of which works out an amount or hours.
MAY_HOLD_FLOATS = {
    "agency/environment.py": "joins paths",
    "agency/mail.py": "joins paths",
    "agency/management/commands/vies_sandbox.py": "seconds",
    "agency/middleware.py": "milliseconds of a request",
    "agency/settings.py": "joins paths; seconds",
    "subscriptions/attack/schedules.py": "chances of what is drawn",
    "subscriptions/demo/": "seconds",
    "subscriptions/intake/form.py": "margins of a page",
    "subscriptions/management/commands/stripe_sandbox.py": "seconds",
    "subscriptions/reports/": "sizes on paper and in charts",
    "subscriptions/sandbox/events.py": "seconds",
    "subscriptions/sandbox/faults.py": "seconds",
    "subscriptions/sandbox/webhooks.py": "seconds",
}


def floats(text: str) -> list[int]:
    """Give the lines of code on which a float is written or made: ``/`` makes one of integers.

    A path joined with a text is none.
    """
    return [node.lineno for node in ast.walk(ast.parse(text)) if _makes_a_float(node)]


def _makes_a_float(node: ast.AST) -> TypeGuard[ast.expr]:
    match node:
        case ast.Constant(value=float()) | ast.Call(func=ast.Name(id="float" | "round")):
            return True
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return not any(_is_exact_or_a_path(side) for side in (left, right))
        case ast.AugAssign(op=ast.Div()):
            return True
    return False


def _is_exact_or_a_path(side: ast.expr) -> bool:
    match side:
        case ast.Call(func=ast.Name(id="Fraction" | "Decimal" | "Path")):
            return True
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
    return False


def test_there_is_no_float_near_money() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sources()
        if floats(path.read_text(encoding="utf-8"))
    }
    places = {next((p for p in MAY_HOLD_FLOATS if path.startswith(p)), path) for path in found}
    assert places == set(MAY_HOLD_FLOATS)


@pytest.mark.parametrize(
    "text",
    ["cents / 12", "0.21", "float(cents)", "round(cents)", "cents /= 12", "net * rate / 10_000"],
)
def test_the_search_for_floats_finds_every_way_to_make_one(text: str) -> None:
    assert floats(text) == [1]
    assert floats("Fraction(cents * 21, 100) / 12 + cents // 12") == []


# Rules take the date as an argument; these places may ask for it.
EDGES = ("admin", "api", "context", "figures", "tasks", "views", "webhooks")


def test_only_edges_ask_what_day_it_is() -> None:
    askers = {
        path.relative_to(ROOT)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "agency.today"
    }
    inner = [
        str(path)
        for path in askers
        if not {"commands", "portal", "admin"} & set(path.parts) and not path.stem.startswith(EDGES)
    ]
    assert sorted(inner) == []
