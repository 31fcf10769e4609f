"""Measure: python -m tests.benchmarks NAME [--database sqlite|postgresql] [options of NAME].

billing --organisations N --month-hours N: a drafting run beside a floor in SQL and a plain loop
pages --organisations N --month-hours N --invoices N: the admin beside a bare view of 100 rows
push --invoices N: calls per invoice, and how long N take at Stripe's rate limits
webhook --events N: the view beside verifying, parsing and one insert
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tests.conftest import LEFT_AT_THEIR_DEFAULTS, VARIABLES

DATABASES = ("sqlite", "postgresql")


@contextmanager
def place(database: str) -> Iterator[None]:
    """Set up Django on an empty database of its own."""
    for name in LEFT_AT_THEIR_DEFAULTS:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="discreet-") as directory:
        stop: Callable[[], None] = lambda: None  # noqa: E731
        address = f"sqlite:///{Path(directory) / 'benchmark.sqlite3'}"
        if database == "postgresql":
            from tests.postgres import start_server

            address, stop = start_server()
        os.environ.update(VARIABLES | {"DATABASE_URL": address})
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections.close_all()
            stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", choices=["billing", "pages", "push", "webhook"])
    parser.add_argument("--database", choices=DATABASES, help="one only, instead of both")
    parser.add_argument("--organisations", type=int, default=500)
    parser.add_argument("--month-hours", type=int, default=100_000)
    parser.add_argument("--invoices", type=int, default=200)
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.database is None:
        for database in DATABASES:  # Django is set up for one database a process
            again = [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]]
            subprocess.run([*again, "--database", database], check=True)
        return
    with place(options.database):
        import_module(f"tests.benchmarks.{options.name}").measure(options)


if __name__ == "__main__":
    main()
