"""There is no word for who called, or about what; so nothing can be named after them.

Every name is looked at, whoever gave it: in code, templates, scripts, styles, addresses, migrations
and the live database. Prose may speak of what it is about, names may not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.db import connection
from django.template.base import DebugLexer, TokenType
from django.urls import URLPattern, URLResolver, get_resolver

from agency.schema import live_columns

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("agency", "advisors", "workshops", "subscriptions")
# This file alone spells them out.
FORBIDDEN = frozenset(
    """
    reporter reporters complainant complainants complaint complaints victim victims accused
    perpetrator perpetrators offender offenders suspect suspects witness witnesses caller callers
    case cases casefile incident incidents dossier dossiers grievance grievances allegation
    allegations misconduct harassment harasser bullying bully bullied intimidation discrimination
    whistleblower whistleblowers conversation conversations casework caseworker
    melder melders melding meldingen klacht klachten klager klagers beklaagde beklaagden
    aangeklaagde slachtoffer slachtoffers dader daders pleger plegers getuige getuigen verdachte
    casus casussen gesprek gesprekken gespreksverslag pesten pester intimidatie discriminatie
    grensoverschrijdend misstand misstanden klokkenluider klokkenluiders hulpvraag zaak zaken
    vertrouwelijk
    """.split()
)


# Django's names, and the case of letters.
OTHER_CASES = frozenset(
    {
        *("Case", "TransactionTestCase", "ExceptionReporter", "get_exception_reporter_class"),
        "email_is_lower_case",
    }
)


def words(name: str) -> set[str]:
    """Part a name into its words, however it is joined."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return set(re.split(r"[^a-z]+", parted.lower()))


def forbidden(names: Iterator[str] | set[str]) -> set[str]:
    return {name for name in names if words(name) & FORBIDDEN} - OTHER_CASES


def names_in_python(text: str) -> Iterator[str]:
    """Yield every name in code, defined here or not; no keyword, remark or text is one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant):
            continue
        for _, value in ast.iter_fields(node):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield name


def names_in_template(text: str) -> Iterator[str]:
    """Yield the variables and tags of a template, and what its elements are called."""
    for token in DebugLexer(text).tokenize():
        if token.token_type in {TokenType.VAR, TokenType.BLOCK}:
            yield from re.findall(r"[\w-]+", re.sub(r"\"[^\"]*\"", "", token.contents))
    for value in re.findall(r"\b(?:id|class|name|for|data-[\w-]+)=\"([^\"]*)\"", text):
        yield from re.findall(r"[\w-]+", value)


def names_in_script(text: str) -> Iterator[str]:
    """Yield every word of a style or a script, but its remarks."""
    yield from re.findall(r"[\w-]+", re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL))


def names_of_addresses(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        yield str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield pattern.namespace or ""
            yield from names_of_addresses(pattern.url_patterns)
        else:
            yield pattern.name or ""


READ = {
    ".py": names_in_python,
    ".html": names_in_template,
    ".txt": names_in_template,
    ".css": names_in_script,
    ".js": names_in_script,
    ".svg": names_in_script,
}
FILES = [path for folder in (*APPS, "tests", "docs") for path in sorted((ROOT / folder).rglob("*"))]
SOURCES = [path for path in FILES if path.suffix in READ and path != Path(__file__)]


def test_no_name_is_that_of_the_reporting_person_or_the_report() -> None:
    assert len(SOURCES) > 300
    found = {
        str(path.relative_to(ROOT)): forbidden(
            set(READ[path.suffix](path.read_text(encoding="utf-8")))
        )
        for path in SOURCES
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_nor_is_a_file_a_command_or_an_address() -> None:
    assert forbidden({str(path.relative_to(ROOT)) for path in FILES}) == set()
    assert forbidden(set(get_commands())) == set()
    assert forbidden(set(names_of_addresses(get_resolver().url_patterns))) == set()


NAMES_IN_DATABASE = {
    "sqlite": "SELECT name FROM sqlite_master",
    "postgresql": """
        SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        UNION SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        UNION SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        UNION SELECT tgname FROM pg_trigger
    """,
}


@pytest.mark.django_db
def test_nor_is_a_table_a_column_a_constraint_or_a_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(NAMES_IN_DATABASE[connection.vendor])
        names = {name for (name,) in cursor.fetchall()}
    columns = {column for table in live_columns(connection).values() for column in table}
    assert {"agency_user", "agency_auditevent_never_changed"} <= names
    assert forbidden(names | columns) == set()


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (names_in_python, "class CaseFile:\n  pass\n", {"CaseFile"}),
        (
            names_in_python,
            "def f(self, melder_id): self.dossierNo = 1\n",
            {"melder_id", "dossierNo"},
        ),
        (names_in_python, "from x import reporters as r\n", {"reporters"}),
        (names_in_python, "f(complaint=1)\nHTTPCaller()\n", {"complaint", "HTTPCaller"}),
        (names_in_python, "match x:\n    case 1:\n        pass\n", set()),
        (names_in_python, "match x:\n    case 1:\n        case = 2\n", {"case"}),
        (names_in_python, "# a caller rang\nx = 'klacht'\n", set()),
        (names_in_template, '{{ row.melder|default:"" }} caller', {"melder"}),
        (
            names_in_template,
            '{% if casus_id %}<p id="klacht-1">{% endif %}',
            {"casus_id", "klacht-1"},
        ),
        (names_in_template, '{% translate "A caller is not recorded." %}', set()),
        (names_in_script, ".case-row { } /* worst case */", {"case-row"}),
    ],
)
def test_the_search_finds_them_in_every_kind_of_name(read: Any, text: str, found: set[str]) -> None:
    assert forbidden(set(read(text))) == found
