"""The drafting run beside a floor in pure SQL and a plain loop, on one agency and in one process.

All three must write the same rows, but for their keys; what is written is committed, and taken
away again outside the time that counts.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from agency.guards import retention_may_delete
from agency.models import Organisation
from subscriptions import billing
from tests.benchmarks.drafting import floor, loop, world

ROUNDS = 5
SUMS = """
    SELECT (SELECT count(*) FROM subscriptions_invoice WHERE run_month = {run}),
        (SELECT sum(net_cents) FROM subscriptions_invoice WHERE run_month = {run}),
        (SELECT sum(vat_cents) FROM subscriptions_invoice WHERE run_month = {run}),
        (SELECT sum(total_cents) FROM subscriptions_invoice WHERE run_month = {run}),
        count(*), sum(l.net_cents), sum(l.vat_cents)
    FROM subscriptions_invoiceline l JOIN subscriptions_invoice i ON i.id = l.invoice_id
    WHERE i.run_month = {run}
"""
NAMES = ("invoices", "net", "VAT", "total", "lines", "line net", "line VAT")
# Every column that a run writes, but for the random keys: a line is held to what it bills instead.
ROWS = (
    "SELECT {columns} FROM subscriptions_invoice t WHERE t.run_month = {run}",
    (
        "SELECT i.organisation_id, i.po_number, o.kind, o.subject_id, o.from_month, {columns}"
        " FROM subscriptions_invoiceline t JOIN subscriptions_invoice i ON i.id = t.invoice_id"
        " JOIN subscriptions_billedoccurrence o ON o.id = t.occurrence_id WHERE i.run_month = {run}"
    ),
    "SELECT {columns} FROM subscriptions_billedoccurrence t WHERE t.run_month = {run}",
    "SELECT {columns} FROM subscriptions_yearprice t",
)
TABLES = ("invoice", "invoiceline", "billedoccurrence", "yearprice")
KEYS = {"id", "invoice_id", "occurrence_id"}
FEW = 50


def measure(options: argparse.Namespace) -> None:
    began = time.perf_counter()
    world.build(options.organisations, options.month_hours)
    floor.prepare()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE frozen AS SELECT id FROM subscriptions_yearprice")
        _tidy()
    _say(
        f"{connection.vendor}: run {world.RUN} of {options.organisations} organisations,"
        f" {options.month_hours} hours of a month, {_number('billedoccurrence')} things billed"
        f" before; made in {time.perf_counter() - began:.0f} s"
    )
    times: dict[str, list[float]] = {"floor": [], "run": [], "again": [], "loop": []}
    results = set()
    few = Organisation.objects.order_by("code").values_list("pk", flat=True)[:FEW]
    statements = [_statements(list(few)), _statements(None)]
    for number in range(ROUNDS):
        times["floor"].append(_timed(floor.draft))
        results.add(result())
        _take_away()
        times["run"].append(_timed(run))
        results.add(result())
        written = _keys()
        times["again"].append(_timed(run))
        results.add(result())
        if _keys() != written:
            raise SystemExit("The second run wrote something.")
        _take_away()
        if number == ROUNDS // 2:  # once, as it takes minutes, in the middle of the others
            times["loop"].append(_timed(loop.draft))
            results.add(result())
            _take_away()
    _print(times, results, statements)


def run() -> None:
    billing.draft_run(world.RUN)


def _statements(organisations: list[UUID] | None) -> int:
    with CaptureQueriesContext(connection) as statements:
        billing.draft_run(world.RUN, organisations)
    _take_away()
    return len(statements)


def _print(times: dict[str, list[float]], results: set[Any], statements: list[int]) -> None:
    if len(results) != 1:
        raise SystemExit(f"They do not write the same rows: {results}")
    sums = next(iter(results))[0]
    _say("  " + ", ".join(f"{name} {sum_}" for name, sum_ in zip(NAMES, sums, strict=True)))
    few, every = statements
    _say(f"  statements of a run: {every}; of a run of {FEW} organisations: {few}")
    _say("  the second run wrote no row anew")
    for name, found in times.items():
        least, middle = min(found), statistics.median(found)
        _say(
            f"  {name:6} least {least:7.3f} s, median {middle:7.3f} s;"
            f" least {least / min(times['floor']):7.2f} times the floor,"
            f" median {middle / statistics.median(times['floor']):7.2f} times"
        )
    loop_seconds = min(times["loop"])
    _say(
        f"  the loop takes {loop_seconds / min(times['run']):.0f} times the run (least),"
        f" {loop_seconds / statistics.median(times['run']):.0f} times (median)"
    )


def _timed(draft: Callable[[], None]) -> float:
    began = time.perf_counter()
    draft()
    return time.perf_counter() - began


def result() -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Give the sums, and a digest of every row of each table without its keys."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(run=world.RUN.index))
        sums = tuple(int(value) for value in cursor.fetchone())
        digests = []
        for table, rows in zip(TABLES, ROWS, strict=True):
            description = connection.introspection.get_table_description(
                cursor, f"subscriptions_{table}"
            )
            columns = ", ".join(f"t.{c.name}" for c in description if c.name not in KEYS)
            cursor.execute(rows.format(columns=columns, run=world.RUN.index))
            lines = sorted(repr(row) for row in cursor.fetchall())
            digests.append(hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12])
    return sums, tuple(digests)


def _keys() -> list[set[Any]]:
    with connection.cursor() as cursor:
        found = []
        for table in TABLES:
            cursor.execute(f"SELECT id FROM subscriptions_{table}")
            found.append(set(cursor.fetchall()))
        return found


def _number(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM subscriptions_{table}")
        return int(cursor.fetchone()[0])


def _take_away() -> None:
    """Leave the database as it was before the run."""
    run = world.RUN.index
    with retention_may_delete(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM subscriptions_invoiceline WHERE invoice_id IN"
            f" (SELECT id FROM subscriptions_invoice WHERE run_month = {run})"
        )
        cursor.execute(f"DELETE FROM subscriptions_invoice WHERE run_month = {run}")
        cursor.execute(f"DELETE FROM subscriptions_billedoccurrence WHERE run_month = {run}")
        cursor.execute(
            "DELETE FROM subscriptions_yearprice WHERE id NOT IN (SELECT id FROM frozen)"
        )
    _tidy()


def _tidy() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
