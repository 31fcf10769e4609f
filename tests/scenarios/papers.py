"""Documents: VAT by buyer and line, purchase orders, sessions, pauses and credits by staff."""

from __future__ import annotations

from tests.scenarios.walk import (
    Scenario,
    card,
    checked,
    credited,
    order,
    paid_by,
    pause,
    renamed,
    taken_over,
    tier,
    workshop,
)

YEARLY = {"billing_interval": 12}
FIRST = "2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S"
NO_USE = "2026-03..2026-12/3 3 exact 0 of 2 over 0"
BELGIAN = {"country": "BE", "postcode": "1000", "kvk_number": "", "vat_id": "BE0123456749"}


def of_extended(allowance: str) -> str:
    return f"2026-03..2026-12/3 3 exact 0 of {allowance} over 0"


VAT = (
    Scenario(
        name="a Dutch client, a workshop that is vocational and one that is not",
        agreed=YEARLY,
        events=[
            ("2026-02", workshop("2026-02-10", 950, vocational=True)),
            ("2026-04", workshop("2026-04-10", 950)),
        ],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2026-02 session 1 950.00 | 0.00 E
            2026-04 session 1 950.00 | 199.50 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="standard and exempt lines on one document",
        events=[("2026-03", workshop("2026-03-10", 950, vocational=True))],
        documents=f"""
            {FIRST}
            2026-03 fee 3 337.50, session 1 950.00 | 70.88 S + 0.00 E
            2026-06 2026-09 fee 3 337.50 | 70.88 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="a Belgian client with a checked VAT id, a vocational workshop too",
        agreed=YEARLY | {"organisation": BELGIAN | {"vat_id_checked": True}},
        events=[("2026-02", workshop("2026-02-10", 950, vocational=True))],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 0.00 AE
            2026-02 session 1 950.00 | 0.00 AE
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="a Belgian client whose VAT id is checked in March",
        agreed={"organisation": BELGIAN},
        events=[("2026-03", checked)],
        documents="""
            2026-03 fee 2026-01/2026-04 337.50, fee 3 337.50, setup 2026-01/2026-02 250.00 | 0.00 AE
            2026-06 2026-09 fee 3 337.50 | 0.00 AE
        """,
        statements=NO_USE,
    ),
    Scenario(
        # Its lines as things stand are those of a buyer without a VAT id.
        name="a Belgian client whose VAT id nobody checks",
        agreed=YEARLY | {"organisation": BELGIAN},
        documents="2025-12 !vat_id_pending fee 12 1350.00, setup 1 250.00 | 336.00 S",
        statements=NO_USE,
    ),
    Scenario(
        name="a Belgian client without a VAT id",
        agreed=YEARLY | {"organisation": BELGIAN | {"vat_id": ""}},
        documents="2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S",
        statements=NO_USE,
    ),
    Scenario(
        name="a Swiss client",
        agreed={
            "organisation": {"country": "CH", "postcode": "3000", "kvk_number": ""},
            "billing_interval": 12,
        },
        hours={"2026-02": 3},
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 0.00 O
            2026-03 overage 3 135.00 | 0.00 O
        """,
        statements="""
            2026-03 3 exact 3 of 2 over 1
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
)

PAYERS = (
    Scenario(
        # The document of run M goes to who pays in M + 1.
        name="a group pays from April to September",
        hours={"2026-02": 4},
        events=[
            ("2026-01", order("PO-S", "2026-01/2027-01")),
            ("2026-01", paid_by("GROUP", "2026-04/2026-10")),
        ],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 @GROUP fee 3 337.50, overage 3 270.00 | 127.58 S
            2026-06 @GROUP fee 3 337.50 | 70.88 S
            2026-09 #PO-S fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 4 of 2 over 2
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # 135.00 x 21 % = 28.35
        name="a client is renamed on 20 May; a credit keeps the name it was billed under",
        events=[
            ("2026-04", renamed("Renamed-B.V.", "2026-05-20")),
            ("2026-07", credited("2026-03", "fee", 135_00)),
        ],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 fee 3 337.50 | 70.88 S
            2026-06 2026-09 =Renamed-B.V. fee 3 337.50 | 70.88 S
            2026-03 credit 2026-04/2026-07 -135.00 | -28.35 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="a Belgian group pays for a Dutch client",
        agreed=YEARLY,
        events=[
            ("2025-12", paid_by("ABROAD", "2026-01/", **BELGIAN, vat_id_checked=True)),
            ("2026-02", workshop("2026-02-10", 950)),
        ],
        documents="""
            2025-12 @ABROAD fee 12 1350.00, setup 1 250.00 | 0.00 AE
            2026-02 @ABROAD session 1 950.00 | 0.00 AE
        """,
        statements=NO_USE,
    ),
    Scenario(
        # What was credited comes anew by who pays in the month after its own run.
        name="a bill of the wrong payer is credited and billed anew",
        agreed=YEARLY,
        events=[
            ("2026-02", paid_by("LATE", "2026-01/")),
            ("2026-02", credited("2025-12", anew=True)),
        ],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2025-12 credit 2026-01/2027-01 -1350.00, credit 2026-01/2026-02 -250.00 | -336.00 S
            2025-12 @LATE fee 12 1350.00, setup 1 250.00 | 336.00 S
        """,
        statements=NO_USE,
    ),
)

TAKEOVERS = (
    Scenario(
        name="a client is taken over from July; who took it over pays its last bill",
        agreed={"until_month": None},
        hours={"2026-05": 4},
        events=[("2026-05", taken_over("HEIR", "2026-07", successor_pays=True))],
        documents=f"""
            {FIRST}
            2026-03 fee 3 337.50 | 70.88 S
            2026-06 @HEIR overage 3 405.00 | 85.05 S
        """,
        # 2 hours x 6/12 = 1 of a year that has become short: 3 hours of 135.00
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 3 exact 4 of 1 over 3
        """,
    ),
    Scenario(
        name="a client of 20 people is taken over with its contract year, paid for until then",
        agreed={"until_month": None, "headcount": 20, "billing_interval": 3},
        events=[
            ("2026-05", paid_by("HEIR", "2026-07/")),
            ("2026-05", taken_over("HEIR", "2027-01")),
        ],
        # 423.75 x 21 % = 88.9875; 173.75 x 21 % = 36.4875
        documents="""
            2025-12 fee 3 173.75, setup 1 250.00 | 88.99 S
            2026-03 fee 3 173.75 | 36.49 S
            2026-06 2026-09 @HEIR fee 3 173.75 | 36.49 S
        """,
        statements="2026-12 12 exact 0 of 0 over 0",
    ),
)

ORDERS = (
    Scenario(
        name="an order that nobody asked for is used while it holds",
        events=[("2025-12", order("PO-1", "2026-01/2026-07"))],
        documents="""
            2025-12 #PO-1 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 #PO-1 fee 3 337.50 | 70.88 S
            2026-06 2026-09 fee 3 337.50 | 70.88 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        # 925.00 x 21 % = 194.25
        name="what waits for an order is drafted anew in the run after it came",
        agreed={"po_required": True},
        events=[("2026-03", order("PO-9", "2026-01/"))],
        documents="""
            2026-03 #PO-9 fee 2026-01/2026-04 337.50, fee 3 337.50, setup 2026-01/2026-02 250.00 \
                | 194.25 S
            2026-06 2026-09 #PO-9 fee 3 337.50 | 70.88 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="an order that never comes",
        agreed={"po_required": True, "billing_interval": 12},
        documents="2025-12 !po_missing fee 12 1350.00, setup 1 250.00 | 336.00 S",
        statements=NO_USE,
    ),
    Scenario(
        # Overage takes the order of the run's month, a fee that of its first month.
        name="two orders in one run",
        hours={"2026-02": 4},
        events=[
            ("2025-12", order("A", "2026-01/2026-04")),
            ("2026-02", order("B", "2026-04/2027-01")),
        ],
        documents="""
            2025-12 #A fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 #A overage 3 270.00 | 56.70 S
            2026-03 2026-06 2026-09 #B fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 4 of 2 over 2
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
)

SESSIONS = (
    Scenario(
        # An extended year includes one; the earlier is free.
        name="the first of two sessions is included",
        agreed=YEARLY | {"tier": "extended"},
        events=[
            ("2026-02", workshop("2026-02-05", 400, included_eligible=True)),
            ("2026-02", workshop("2026-02-20", 500, included_eligible=True)),
        ],
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-02 session 1 0.00, session 1 500.00 | 105.00 S
        """,
        statements=of_extended("20"),
    ),
    Scenario(
        # 50 km x 0.40 = 20.00, also for a free session
        name="travel to a free session and to one with a price",
        agreed=YEARLY | {"tier": "extended"},
        events=[
            ("2026-02", workshop("2026-02-05", 400, included_eligible=True, on_site_km=50)),
            ("2026-05", workshop("2026-05-20", 500, on_site_km=50)),
        ],
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-02 session 1 0.00, travel 1 20.00 | 4.20 S
            2026-05 session 1 500.00, travel 1 20.00 | 109.20 S
        """,
        statements=of_extended("20"),
    ),
    Scenario(
        # 20 days before: 50 %; 41 days: 50 %; 42 days: nothing; 13 days: all; by us: nothing
        name="sessions that were cancelled",
        agreed=YEARLY,
        events=[
            ("2026-02", workshop("2026-03-12", 950, on="2026-02-20")),
            ("2026-04", workshop("2026-06-01", 500, on="2026-04-21")),
            ("2026-05", workshop("2026-07-02", 500, on="2026-05-21")),
            ("2026-08", workshop("2026-09-10", 500, on="2026-08-28")),
            ("2026-10", workshop("2026-11-02", 500, on="2026-10-31", by="agency")),
        ],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2026-02 cancellation 2026-03/2026-04 475.00 | 99.75 S
            2026-04 cancellation 2026-06/2026-07 250.00 | 52.50 S
            2026-08 cancellation 2026-09/2026-10 500.00 | 105.00 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="a free session in each contract year",
        agreed=YEARLY | {"tier": "extended", "until_month": "2028-01"},
        events=[
            ("2026-06", workshop("2026-06-05", 400, included_eligible=True)),
            ("2026-12", workshop("2026-12-05", 400, included_eligible=True)),
            ("2027-01", workshop("2027-01-05", 400, included_eligible=True)),
        ],
        # a line of 0 alone makes no document
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 3600.00, session 1 400.00 | 840.00 S
        """,
        statements="2026-03..2027-12/3 3 exact 0 of 20 over 0",
    ),
)

PAUSES = (
    Scenario(
        # 2 h x 9/12 = 1.5 once the pause follows
        name="quarterly, a quarter's pause",
        events=[("2026-02", pause("2026-04/2026-07"))],
        documents=f"""
            {FIRST}
            2026-06 2026-09 fee 3 337.50 | 70.88 S
        """,
        statements="2026-03 2026-09 2026-12 3 exact 0 of 1.5 over 0",
    ),
    Scenario(
        # (675.00 + 250.00) x 21 % = 194.25
        name="yearly, a pause that is known parts the year",
        agreed=YEARLY,
        events=[("2025-12", pause("2026-07/2026-10"))],
        documents="""
            2025-12 fee 6 675.00, setup 1 250.00 | 194.25 S
            2026-09 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 2026-12 3 exact 0 of 1.5 over 0
        """,
    ),
    Scenario(
        name="yearly, a year's pause, and the price of the year after it",
        agreed=YEARLY | {"until_month": "2029-01"},
        events=[("2026-11", pause("2027-01/2028-01"))],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2027-12 fee 12 1410.00 | 296.10 S
        """,
        statements="2026-03..2026-12/3 2028-03..2028-12/3 3 exact 0 of 2 over 0",
    ),
    Scenario(
        # hours: 3 months of basic and 6 of extended: (3 x 2 + 6 x 20) / 12 = 10.5
        name="quarterly, an upgrade in a pause counts from its end",
        events=[
            ("2026-02", pause("2026-04/2026-07")),
            ("2026-03", tier("extended", "2026-05")),
        ],
        documents=f"""
            {FIRST}
            2026-06 2026-09 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 1.5 over 0
            2026-09 2026-12 3 exact 0 of 10.5 over 0
        """,
    ),
    Scenario(
        # 5 = 1.5 + 3.5 of the card; the month of the pause holds no hours
        name="monthly, a pause, a card and an order",
        agreed={"billing_interval": 1},
        hours={"2026-08": 5},
        events=[
            ("2025-12", order("PO-1", "2026-01/2026-05")),
            ("2026-02", pause("2026-04/2026-07")),
            ("2026-06", card(4, 440, "2026-07/2027-01")),
        ],
        documents="""
            2025-12 #PO-1 fee 1 112.50, setup 1 250.00 | 76.13 S
            2026-01 2026-02 #PO-1 fee 1 112.50 | 23.63 S
            2026-06 fee 1 112.50, topup 6 440.00 | 116.03 S
            2026-07..2026-11 fee 1 112.50 | 23.63 S
        """,
        # 552.50 x 21 % = 116.025
        statements="""
            2026-03 2026-12 3 exact 0 of 1.5 over 0
            2026-09 3 exact 5 of 1.5 over 0
        """,
    ),
)

CREDITS = (
    Scenario(
        # of the line's VAT of 70.88: 100.00 / 337.50 of it = 21.00
        name="a part of a fee is credited",
        events=[("2026-02", credited("2025-12", "fee", 100_00))],
        documents=f"""
            {FIRST}
            2025-12 credit 2026-01/2026-04 -100.00 | -21.00 S
            2026-03..2026-09/3 fee 3 337.50 | 70.88 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        name="credited and billed anew with the order that came late",
        events=[
            ("2026-02", order("PO-2", "2026-01/2026-04")),
            ("2026-02", credited("2025-12", anew=True)),
        ],
        documents=f"""
            {FIRST}
            2025-12 credit 2026-01/2026-04 -337.50, credit 2026-01/2026-02 -250.00 | -123.38 S
            2025-12 #PO-2 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03..2026-09/3 fee 3 337.50 | 70.88 S
        """,
        statements=NO_USE,
    ),
    Scenario(
        # 1 of 2 hours: half of 270.00 and of its VAT, 56.70
        name="an hour of what was charged is credited",
        hours={"2026-02": 4},
        events=[("2026-04", credited("2026-03", "overage", 100))],
        documents=f"""
            {FIRST}
            2026-03 fee 3 337.50, overage 3 270.00 | 127.58 S
            2026-03 credit 2026-01/2026-04 -135.00 | -28.35 S
            2026-06 2026-09 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 4 of 2 over 2
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # The year's 1,350.00 goes back; its six months before the pause are billed anew in June.
        name="a year that was paid is credited, so that the contract can rest in it",
        agreed=YEARLY,
        events=[
            ("2026-06", credited("2025-12", "fee", 1_350_00)),
            ("2026-06", pause("2026-07/2026-10")),
        ],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2025-12 credit 2026-01/2027-01 -1350.00 | -283.50 S
            2026-06 fee 2026-01/2026-07 675.00 | 141.75 S
            2026-09 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 2026-12 3 exact 0 of 1.5 over 0
        """,
    ),
)
