"""``python -m tests.pictures`` takes pictures of the README and the main pages, from a demo.

Those of the main pages stand in docs/screens, for whoever judges the look as a whole.

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
from typing import Any
from urllib.error import URLError

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
SCREENS = ROOT / "docs/screens"
DIGEST = PICTURES / "digest.txt"
MOST = 1700  # pixels of height: more of a list shows nothing new
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
# Name, whose page, address, and how it is looked at.
PAGES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("01-start", "staff", "/admin/", {}),
    ("01-start-dark", "staff", "/admin/", {"color_scheme": "dark"}),
    ("02-client", "staff", "/admin/agency/organisation/{client}/", {}),
    ("02-client-390", "staff", "/admin/agency/organisation/{client}/", {"viewport": PHONE}),
    ("03-month", "staff", "/admin/months/2026-03/drafts/", {}),
    ("04-invoices", "staff", "/admin/subscriptions/invoice/?state__exact=open", {}),
    ("05-invoice", "staff", "/admin/subscriptions/invoice/{invoice}/change/", {}),
    ("06-sessions", "staff", "/admin/workshops/session/", {}),
    ("07-search", "staff", "/admin/find/?q=de", {}),
    ("08-portal", "client", "/portal/{client}/", {}),
    ("08-portal-dark", "client", "/portal/{client}/", {"color_scheme": "dark"}),
    ("09-hours-390", "advisor", "/hours/", {"viewport": PHONE}),
    ("10-sign-in", "", "/account/login/", {}),
)
SHOWN = (
    "agency/static/**/*",
    "agency/templates/admin/**/*",
    "agency/templates/agency/*",
    "agency/templates/base.html",
    "agency/templatetags/*.py",
    "locale/**/*.po",
    "subscriptions/admin/figures.py",
    "subscriptions/admin/queue.py",
    "subscriptions/demo/*",
    "subscriptions/portal/*.py",
    "subscriptions/wording.py",
    "subscriptions/templates/admin/**/*",
    "subscriptions/templates/portal/**/*",
    "subscriptions/reports/**/*.py",
    "tests/pictures.py",
)
SOURCE = ("agency", "advisors", "workshops", "subscriptions", "locale", "manage.py")
VARIABLES = {"ENVIRONMENT": "demo", "TODAY": "2026-04-14", "LANG": "C.UTF-8"}
PEOPLE = {
    "staff": "controller@discreet.example",
    "client": "contact@discreet.example",
    "advisor": "advisor@discreet.example",
}
# Signs them in, and finds a client of the contact whose hours are shown.
PREPARE = """
import django, json; django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from agency.sessions import SessionStore
from agency.models import Organisation
from subscriptions.models import Invoice
people = {people}
def sign_in(email):
    user, session = get_user_model().objects.get(email=email), SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "agency.accounts.ByPassword"
    session.save()
    return session.session_key
client = Organisation.objects.filter(
    contacts__user__email=people["client"], statements__display="exact",
    statements__used_quarters__gt=0
).order_by("code").first()
invoice = Invoice.objects.filter(organisation=client).order_by("run_month").first()
signed_in = {name: sign_in(email) for name, email in people.items()}
found = {"client": str(client.pk), "code": client.code, "invoice": str(invoice.pk)}
print(json.dumps([signed_in, found]))
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
        place, shown = Path(name), digest()
        _copy_source(place)
        _python(place, "manage.py", "demo", "--once")
        script = PREPARE.replace("{people}", json.dumps(PEOPLE))
        signed_in, found = json.loads(_python(place, "-c", script, quiet=True))
        with _served(place) as address, _browser() as browser:
            desk = {"viewport": {"width": 1280, "height": 860}}
            _photograph(browser, PICTURES / "staff", f"{address}/admin/", signed_in["staff"], desk)
            portal = f"{address}/portal/{found['client']}/"
            _photograph(browser, PICTURES / "portal", portal, signed_in["client"], desk)
            for screen, who, page, options in PAGES:
                shown_at = address + page.format(**found)
                whole = {"viewport": DESK, **options}
                _photograph(browser, SCREENS / screen, shown_at, signed_in.get(who, ""), whole)
        _photograph_workbook(place, found["code"])
    DIGEST.write_text(f"{shown}\n")


def _copy_source(place: Path) -> None:
    for name in SOURCE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name)
        else:
            shutil.copy(ROOT / name, place)


def _environment() -> dict[str, str]:
    return {**os.environ, **VARIABLES, "DJANGO_SETTINGS_MODULE": "agency.settings"}


def _python(place: Path, *words: str, quiet: bool = False) -> str:
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(
        [sys.executable, *words],
        cwd=place,
        env=_environment(),
        check=True,
        stdout=output,
        text=True,
    )
    return done.stdout or ""


@contextmanager
def _served(place: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-b", host, "agency.wsgi"]
    server = subprocess.Popen(command, cwd=place, env=_environment(), stderr=subprocess.DEVNULL)
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


@contextmanager
def _browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


def _photograph(
    browser: Browser, picture: Path, address: str, session: str, options: dict[str, Any]
) -> None:
    """Take what stands in the window for the README, and whole pages for docs/screens."""
    context = browser.new_context(locale="nl-NL", **options)
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    page.goto(address)
    if session and "/account/" in page.url:
        sys.exit(f"{address} wants somebody to sign in: it shows nothing worth a picture.")
    if picture.parent == SCREENS:  # as if on a screen so high: what sticks to its foot is there
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": page.evaluate("innerWidth"), "height": min(height, MOST)})
    page.screenshot(path=picture.with_suffix(".png"))
    context.close()


def _photograph_workbook(place: Path, code: str) -> None:
    """Show the first sheet of the newest workbook of the client whose portal is shown."""
    workbook = max((place / "var/demo/workbooks/clients").glob(f"*_{code}_*.xlsx"))
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "pdf", "--outdir", place, workbook],
        check=True,
        env={**os.environ, "HOME": str(place), "LC_ALL": "nl_NL.UTF-8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pdf = place / workbook.with_suffix(".pdf").name
    subprocess.run(
        ["pdftoppm", "-png", "-singlefile", "-scale-to", "1280", pdf, PICTURES / "workbook"],
        check=True,
    )


if __name__ == "__main__":
    take()
