"""setup: make the first administrator, and say what an installation still needs.

Only who can run commands makes an administrator, so that an empty installation on the web is
nobody's to claim. The page of the first start leads on from there.
"""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from agency import commands
from agency.models import Language, Role, User
from agency.today import today
from subscriptions import first_start


class Command(commands.Command):
    help = "Make the first administrator, once, and say what is still to be set up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", help="of the first administrator")
        parser.add_argument("--name", help="of the first administrator")
        parser.add_argument("--language", choices=Language.values, default=settings.LANGUAGE_CODE)
        parser.add_argument(
            "--no-input", action="store_true", help="ask nothing; codes to sign in are mailed"
        )
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists():
            self.make_administrator(options)
        steps = first_start.steps(today())
        if options["json"]:
            self.print_json({step.key: step.is_done for step in steps})
        else:
            for step in steps:
                self.stdout.write(f"{'✓' if step.is_done else '–'} {step.title}: {step.says}")
        if not all(step.is_done for step in steps):
            self.say(_("Go on at %(address)s.") % {"address": first_start.address()})

    def make_administrator(self, options: dict[str, Any]) -> None:
        asks = not options["no_input"] and sys.stdin.isatty()
        email = options["email"] or (input(_("E-mail address: ")) if asks else "")
        name = options["name"] or (input(_("Name: ")) if asks else "")
        if not email or not name:
            self.give_up(_("There is no administrator yet: give --email and --name."))
        password = getpass(_("Password (empty: codes to sign in are mailed): ")) if asks else ""
        user = User(email=email.lower(), name=name, language=options["language"])
        try:
            validate_email(email)
            if password:
                validate_password(password, user)
        except ValidationError as error:
            self.give_up(commands.sentence(error))
        with transaction.atomic():
            if User.objects.filter(email=user.email).exists():
                self.give_up(_("Somebody else signs in by this address."))
            User.objects.create_superuser(
                email, password or None, name=name, language=user.language
            )
        self.say(_("%(name)s is the first administrator.") % {"name": name})
