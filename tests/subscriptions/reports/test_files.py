"""Workbooks reach the disk whole or not at all, and only their owner can read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agency.models import Organisation
from subscriptions.reports import files
from tests import factories as make
from tests.workbooks import MARCH, client

pytestmark = pytest.mark.django_db


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    contract = client()
    on = MARCH.last_day
    staff = files.write_controller(MARCH, tmp_path / "out", on=on, language="nl")
    (own,) = files.write_clients([contract.organisation], MARCH, tmp_path / "out")
    assert staff == tmp_path / "out/staff/controller_2026-03.xlsx"
    assert own == tmp_path / "out/clients/utilisation_ORG1_2026-03.xlsx"
    assert {mode(staff), mode(own)} == {0o600}
    assert {mode(staff.parent), mode(own.parent)} == {0o700}


def test_a_file_that_stood_there_is_replaced(tmp_path: Path) -> None:
    organisation = client().organisation
    (path,) = files.write_clients([organisation], MARCH, tmp_path)
    path.write_bytes(b"old")
    path.chmod(0o644)
    (path,) = files.write_clients([organisation], MARCH, tmp_path)
    assert path.read_bytes().startswith(b"PK")
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_nothing_half_written_stays_behind(tmp_path: Path) -> None:
    organisation = client().organisation
    in_the_way = tmp_path / "clients" / "utilisation_ORG1_2026-03.xlsx"
    in_the_way.mkdir(parents=True)
    with pytest.raises(OSError, match=r"Is a directory|not empty"):
        list(files.write_clients([organisation], MARCH, tmp_path))
    assert list((tmp_path / "clients").iterdir()) == [in_the_way]


def test_who_had_no_contract_yet_gets_no_file(tmp_path: Path) -> None:
    make.agency()
    make.price_book()
    assert list(files.write_clients([make.organisation()], MARCH, tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ORG-1_a.b", "utilisation_ORG-1_a.b_2026-03.xlsx"),
        ("../../x", "utilisation_..%2F..%2Fx_2026-03.xlsx"),
        ("a b\x00", "utilisation_a%20b%00_2026-03.xlsx"),
    ],
)
def test_a_code_never_leads_out_of_the_folder(code: str, name: str) -> None:
    assert files.client_file_name(Organisation(code=code), MARCH) == name
