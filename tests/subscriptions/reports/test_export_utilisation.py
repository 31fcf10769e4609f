"""export_utilisation: files for a closed month, one clear sentence for anything else."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests import factories as make
from tests.workbooks import client, rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture(autouse=True)
def two_clients_and_a_closed_month(settings: Settings) -> None:
    settings.TODAY = dt.date(2026, 4, 20)
    first = client("ORG1")
    client("ORG2")
    client("LATER", start="2026-06")
    make.statement(first, "2026-01", "2026-04", used_quarters=22)
    make.invoice(first.organisation, "2026-02", state="open", due_on=dt.date(2026, 4, 19))
    make.closed_month("2026-03")


def export(directory: Path, *arguments: str) -> list[str]:
    call_command("export_utilisation", *arguments, "--out", str(directory))
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.xlsx"))


def test_a_closed_month_gives_the_controllers_workbook_and_one_for_each_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(tmp_path, "2026-03") == [
        "clients/utilisation_ORG1_2026-03.xlsx",
        "clients/utilisation_ORG2_2026-03.xlsx",
        "staff/controller_2026-03.xlsx",
    ]
    assert f"3 workbooks of 2026-03 are in {tmp_path}." in capsys.readouterr().err
    own = (tmp_path / "clients/utilisation_ORG1_2026-03.xlsx").read_bytes()
    assert rows(own, "Per period")[0]["Use (hours)"] == 5.5


def test_the_controller_sees_what_is_late_today(tmp_path: Path) -> None:
    export(tmp_path, "2026-03")
    content = (tmp_path / "staff/controller_2026-03.xlsx").read_bytes()
    assert rows(content, "Facturen")[0]["Status"] == "Te laat"


def test_one_organisation_gives_its_file_only(tmp_path: Path) -> None:
    assert export(tmp_path, "2026-03", "--organisation", "ORG2") == [
        "clients/utilisation_ORG2_2026-03.xlsx"
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (["2026-04"], "2026-04 is not closed yet.", 2),
        (["2026-03", "--organisation", "NOBODY"], "There is no organisation NOBODY.", 2),
        (
            ["2026-03", "--organisation", "LATER"],
            "LATER had no contract yet in 2026-03.",
            1,
        ),
        (["2026-13"], "2026-13 is no month: give it as YYYY-MM.", 2),
    ],
)
def test_bad_input_gets_a_sentence_and_writes_nothing(
    tmp_path: Path, arguments: list[str], sentence: str, status: int
) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)) as error:
        export(tmp_path, *arguments)
    assert error.value.returncode == status
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match=r"file.* cannot be written: (Not a dir|File exists)"):
        export(tmp_path / "file", "2026-03")
