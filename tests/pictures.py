"""``python -m tests.pictures`` takes the pictures of the README from a demonstration of their own.

Beside them it writes a digest of all that they show, so that `make check` can tell whether they
are current without a browser.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
DIGEST = PICTURES / "digest.txt"
SHOWN = (
    "agency/static/**/*",
    "agency/templates/admin/**/*",
    "agency/templates/agency/*",
    "agency/templates/base.html",
    "subscriptions/templates/admin/**/*",
    "subscriptions/templates/portal/**/*",
    "subscriptions/reports/**/*.py",
    "tests/pictures.py",
)
SOURCE = ("agency", "advisors", "workshops", "subscriptions", "locale", "manage.py")
VARIABLES = {"ENVIRONMENT": "demo", "TODAY": "2026-04-14", "LANG": "C.UTF-8"}
PAGES = {
    "staff": ("controller@discreet.example", "/admin/", 1280, 860),
    "portal": ("contact@discreet.example", "/portal/", 1280, 860),
}
SIGN_IN = """
import django, json, sys; django.setup()
from django.contrib.auth import get_user_model, SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
def sign_in(email):
    user, session = get_user_model().objects.get(email=email), SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    return session.session_key
print(json.dumps({email: sign_in(email) for email in sys.argv[1:]}))
"""


def digest() -> str:
    """Work out the digest of the files that the pictures show, by name and content."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in SHOWN for path in ROOT.glob(pattern)}):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def take() -> None:
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        place = Path(name)
        _copy_source(place)
        _manage(place, "demo", "--once")
        with _served(place) as address:
            _photograph_pages(place, address)
        _photograph_workbook(place)
    DIGEST.write_text(f"{digest()}\n")


def _copy_source(place: Path) -> None:
    for name in SOURCE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name)
        else:
            shutil.copy(ROOT / name, place)


def _environment() -> dict[str, str]:
    return {**os.environ, **VARIABLES, "DJANGO_SETTINGS_MODULE": "agency.settings"}


def _manage(place: Path, *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=place, env=_environment(), check=True)


@contextmanager
def _served(place: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "--bind", host, "agency.wsgi"]
    server = subprocess.Popen(command, cwd=place, env=_environment())
    try:
        _wait_for(f"http://{host}/healthz")
        yield f"http://{host}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(address)
        except URLError:
            time.sleep(0.2)
        else:
            return
    sys.exit(f"{address} does not answer.")


def _photograph_pages(place: Path, address: str) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    emails = [email for email, *_ in PAGES.values()]
    answer = subprocess.run(
        [sys.executable, "-c", SIGN_IN, *emails],
        cwd=place,
        env=_environment(),
        check=True,
        stdout=subprocess.PIPE,
    )
    sessions = json.loads(answer.stdout)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (email, path, width, height) in PAGES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="nl-NL", color_scheme="light"
            )
            context.add_cookies([{"name": "sessionid", "value": sessions[email], "url": address}])
            page = context.new_page()
            page.goto(f"{address}{path}")
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


def _photograph_workbook(place: Path) -> None:
    """Show the first page of the workbook of the client whose portal is shown."""
    workbook = min((place / "var/demo/workbooks/clients").glob("*.xlsx"))
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "pdf", "--outdir", place, workbook],
        check=True,
        env={**os.environ, "HOME": str(place)},
        stdout=subprocess.DEVNULL,
    )
    pdf = place / workbook.with_suffix(".pdf").name
    subprocess.run(
        ["pdftoppm", "-png", "-singlefile", "-scale-to", "1280", pdf, PICTURES / "workbook"],
        check=True,
    )


if __name__ == "__main__":
    take()
