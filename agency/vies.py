"""VIES, the European Commission's check of VAT ids, over its REST interface.

It tells *valid* and *not valid* only on a definite answer about the id that was asked for; whatever
else comes back, or does not, is *no answer*: nobody is taxed otherwise because a server was down.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from django.conf import settings

from agency.models import VatAnswer

SECONDS_TO_WAIT = 8
MOST_BYTES = 100_000
LONGEST_REFERENCE = 50
# A member state that is down says nothing of the next one; these say that VIES itself is.
OF_ALL = frozenset({"SERVICE_UNAVAILABLE", "GLOBAL_MAX_CONCURRENT_REQ", "IP_BLOCKED"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its consultation reference; ``is_down`` says that no other id needs asking."""

    answer: VatAnswer
    reference: str = ""
    is_down: bool = False


def ask(vat_id: str, *, requester: str) -> Answer:
    """Ask VIES about a VAT id on behalf of another one, which is what makes it give a reference.

    Takes `SECONDS_TO_WAIT` at most for each read. Never raises for what VIES does or says.
    """
    question = {
        "countryCode": vat_id[:2],
        "vatNumber": vat_id[2:],
        "requesterMemberStateCode": requester[:2],
        "requesterNumber": requester[2:],
    }
    request = urllib.request.Request(  # noqa: S310 - the settings hold it to https
        f"{settings.VIES_API_BASE}/check-vat-number",
        json.dumps(question).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT) as response:  # noqa: S310
            said = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        said = _said(error)
    except (OSError, HTTPException, ValueError):
        said = None
    return read(said, vat_id)


def _said(error: urllib.error.HTTPError) -> Any:
    with error:
        try:
            return json.loads(error.read(MOST_BYTES))
        except (OSError, HTTPException, ValueError):
            return None


def read(said: Any, vat_id: str) -> Answer:
    """Read what VIES said about an id; None stands for nothing that could be read."""
    if not isinstance(said, dict):
        return Answer(VatAnswer.UNAVAILABLE, is_down=True)
    wrappers = said.get("errorWrappers")
    errors = {
        wrapper.get("error")
        for wrapper in (wrappers if isinstance(wrappers, list) else [])
        if isinstance(wrapper, dict)
    }
    objection = said.get("userError") or "VALID"
    is_about_it = f"{said.get('countryCode')}{said.get('vatNumber')}" == vat_id
    is_definite = said.get("valid") in (True, False) and objection in {"VALID", "INVALID"}
    if errors or not (is_about_it and is_definite):
        return Answer(VatAnswer.UNAVAILABLE, is_down=bool((errors | {objection}) & OF_ALL))
    answer = VatAnswer.VALID if said["valid"] is True else VatAnswer.INVALID
    return Answer(answer, str(said.get("requestIdentifier") or "")[:LONGEST_REFERENCE])
