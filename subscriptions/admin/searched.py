"""Where the lists search for a client, and for a document or what hangs on it (`agency.search`)."""

from __future__ import annotations

NAMES = ("legal_name", "code", "legal_names__legal_name")  # as they are, and as they were
CLIENT = tuple(f"organisation__{name}" for name in NAMES)
PAYER = tuple(f"payer__{name}" for name in NAMES)
DOCUMENT = ("number__contains", "buyer_name", *CLIENT, *PAYER)
OF_DOCUMENT = tuple(f"invoice__{path}" for path in DOCUMENT)
