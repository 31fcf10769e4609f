"""Who asks gets all that is held about them, and nothing of anybody else."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from agency.models import Contact, User
from agency.processing import tables
from tests.confidentiality.persons import People, client_of_old

PERSONAL = {entry.name for entry in tables() if entry.personal}


def export(email: str, folder: Path) -> dict[str, Any]:
    out = folder / f"{email}.json"
    call_command("export_person", email, str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return answer


def keys(answer: dict[str, Any]) -> dict[str, set[str]]:
    return {
        part["table"]: {str(row[_key(part["table"])]) for row in part["rows"]}
        for part in answer["tables"]
    }


def _key(table: str) -> str:
    key = apps.get_model(table)._meta.pk
    return str(key and key.name)


@pytest.mark.attack(47)
@pytest.mark.django_db
def test_an_export_has_all_rows_of_the_person_and_none_of_others(tmp_path: Path) -> None:
    people, contract = People(), client_of_old()
    persons = people.all_kinds("Wilma", contract) + people.all_kinds("Joris", contract)

    exports = {email: export(email, tmp_path) for email in persons}

    assert {email: keys(answer) for email, answer in exports.items()} == people.rows
    assert {table for rows in people.rows.values() for table in rows} == PERSONAL
    for email, answer in exports.items():
        others = {"w": "joris", "j": "wilma"}[email[0]]
        assert others not in json.dumps(answer).lower()


@pytest.mark.attack(47)
@pytest.mark.django_db
def test_an_export_says_what_each_table_is_for_and_tells_no_secret(tmp_path: Path) -> None:
    people, contract = People(), client_of_old()
    answer = export(people.advisor("Wilma", contract.organisation), tmp_path)
    for part in answer["tables"]:
        assert part.keys() == {"table", "purpose", "read_by", "kept", "rows"}
    rows = {part["table"]: part["rows"] for part in answer["tables"]}
    assert "password" not in rows["agency.User"][0]
    assert "data" not in rows["mfa.Authenticator"][0]
    (hours,) = rows["advisors.MonthHours"]
    assert (hours["organisation"], hours["month"], hours["quarters"]) == ("OLD", "2015-01", 6)


@pytest.mark.attack(47)
@pytest.mark.django_db
def test_of_an_employee_of_a_client_nothing_is_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export("employee@client.example", tmp_path)["tables"] == []
    assert "niets" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    export("nobody@client.example", tmp_path)
    with pytest.raises(CommandError) as refused:
        export("nobody@client.example", tmp_path)
    assert refused.value.returncode == 2


# The list is complete: what leans on a person, or holds an address, has its way to the person.


@pytest.mark.attack(47)
@pytest.mark.parametrize("entry", tables(), ids=lambda entry: entry.name)
def test_every_row_that_leans_on_a_person_has_its_way_there(entry: Any) -> None:
    if not entry.model:
        return
    persons = {User, Contact, apps.get_model("advisors.Advisor")}
    persons |= {
        apps.get_model(other.model)
        for other in tables()
        if any("user" in way for way in other.person)
    }
    not_about = {("workshops.Enrolment", "session")}  # not about its trainer
    fields = apps.get_model(entry.model)._meta.concrete_fields
    leans = {f.name for f in fields if f.is_relation and f.related_model in persons}
    addresses = {field.name for field in fields if isinstance(field, models.EmailField)}
    ways = {(entry.name, way.split("__")[0]) for way in entry.person}
    assert {(entry.name, name) for name in leans} - not_about <= ways
    if not entry.person:
        assert addresses <= set(entry.email)
