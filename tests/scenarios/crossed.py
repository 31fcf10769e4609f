"""Several rules at once: each client meets three or more of them in one contract."""

from __future__ import annotations

from tests.scenarios.papers import BELGIAN
from tests.scenarios.use import CARRIES_ALL
from tests.scenarios.walk import Scenario, card, chosen, end, order, pause, people, tier

CROSSED = (
    Scenario(
        # Six months: 1 hour of basic, 4 - 1 = 3 of the card. Then (3 x 2 + 3 x 20) / 12 = 5.5:
        # 11 - 5.5 - 3 = 2.5, of which 1 is on the card and 1.5 at 125.00 is above.
        name="Belgian, monthly, an order that ends, an upgrade, a card and an end",
        agreed={"organisation": BELGIAN | {"vat_id_checked": True}, "billing_interval": 1}
        | {"until_month": "2026-07"},
        hours={"2026-02": 4, "2026-05": 7},
        events=[
            ("2025-12", order("BE-1", "2026-01/2026-04")),
            ("2026-02", tier("extended", "2026-04")),
            ("2026-02", card(4, 440, "2026-03/2027-03")),
        ],
        documents="""
            2025-12 #BE-1 fee 1 112.50, setup 1 250.00 | 0.00 AE
            2026-01 #BE-1 fee 1 112.50 | 0.00 AE
            2026-02 #BE-1 fee 1 112.50, topup 12 440.00 | 0.00 AE
            2026-03..2026-05 fee 1 300.00 | 0.00 AE
            2026-06 overage 3 187.50 | 0.00 AE
        """,
        statements="""
            2026-03 3 exact 4 of 1 over 0
            2026-06 3 exact 7 of 5.5 over 1.5
        """,
    ),
    Scenario(
        # 1,150.00 and 4 hours, then 525.00 and 2. 5.75 -> 6, 2 above: 250.00. Quarters of 287.50
        # (x 21 % = 60.375) and 131.25 (27.5625); 737.50 (154.875); 381.25 (80.0625)
        name="8 people, quarterly, a downgrade and a cap for the next year",
        agreed={"tier": "extended", "headcount": 8, "until_month": "2028-01"},
        hours={"2026-03": 5.75, "2027-04": 9},
        events=[
            ("2026-05", tier("basic", "2026-06")),
            ("2026-10", chosen("2027-01", overage="cap")),
        ],
        documents="""
            2025-12 fee 3 287.50, setup 1 450.00 | 154.88 S
            2026-03..2026-09/3 fee 3 287.50 | 60.38 S
            2026-12 fee 3 131.25, overage 12 250.00 | 80.06 S
            2027-03..2027-09/3 fee 3 131.25 | 27.56 S
        """,
        statements="""
            2026-12 12 band - of 4 over 2
            2027-12 12 band - of 2 over 0
        """,
    ),
    Scenario(
        # The year that began with 20 people stays one figure; 26 are stated by quarter from 2027.
        name="20 people grow to 26: the price and the quarters come with the next year",
        agreed={"headcount": 20, "billing_interval": 12, "until_month": "2028-01"},
        hours={"2026-05": 1, "2027-02": 1},
        events=[("2026-03", people(26, "2026-06"))],
        documents="""
            2025-12 fee 12 695.00, setup 1 250.00 | 198.45 S
            2026-12 fee 12 950.00, overage 12 135.00 | 227.85 S
            2027-03 overage 3 135.00 | 28.35 S
        """,
        statements="""
            2026-12 12 exact 1 of 0 over 1
            2027-03 3 exact 1 of 0 over 1
            2027-06..2027-12/3 3 exact 0 of 0 over 0
        """,
    ),
    Scenario(
        # 5 hours are carried into the year that rests, and end with it.
        name="Swiss, yearly, carry-over into a year that rests",
        agreed={"organisation": {"country": "CH", "kvk_number": ""}, "tier": "extended"}
        | {"billing_interval": 12, "until_month": "2029-01"}
        | CARRIES_ALL,
        hours={"2026-02": 15},
        events=[("2026-11", pause("2027-01/2028-01"))],
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 0.00 O
            2027-12 fee 12 3660.00 | 0.00 O
        """,
        statements="""
            2026-03 3 exact 15 of 20 over 0
            2026-06..2026-12/3 3 exact 0 of 20 over 0
            2028-03..2028-12/3 3 exact 0 of 20 over 0
        """,
    ),
    Scenario(
        # 8 hours x 3/12 = 2. January 4: 2 of the card; February 5: 3 of it, the rest is capped.
        # 2,600.00 / 12 = 216.67, 433.33, 650.00; 1,016.67 x 21 % = 213.5007
        name="300 people, monthly, a card under a cap and an end",
        agreed={"headcount": 300, "billing_interval": 1, "overage": "cap"}
        | {"until_month": "2026-04"},
        hours={"2026-01": 4, "2026-02": 5, "2026-03": 1},
        events=[("2025-12", card(5, 550, "2026-01/2027-01"))],
        documents="""
            2025-12 fee 1 216.67, setup 1 250.00, topup 12 550.00 | 213.50 S
            2026-01 fee 1 216.66 | 45.50 S
            2026-02 fee 1 216.67 | 45.50 S
        """,
        statements="""
            2026-01 1 exact 4 of 2 over 0
            2026-02 1 exact 5 of 2 over 0
            2026-03 1 exact 1 of 2 over 0
        """,
    ),
    Scenario(
        # The year from April ends after six months: 2 hours x 6/12 = 1, and 2 were used.
        name="a year from April, an order for half of it, and an end",
        agreed={"start": "2026-04", "until_month": None},
        hours={"2026-08": 2},
        events=[
            ("2026-03", order("PO-1", "2026-01/2026-07")),
            ("2026-08", end("2026-10")),
        ],
        documents="""
            2026-03 #PO-1 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-06 fee 3 337.50 | 70.88 S
            2026-09 overage 3 135.00 | 28.35 S
        """,
        statements="""
            2026-06 3 exact 0 of 2 over 0
            2026-09 3 exact 2 of 1 over 1
        """,
    ),
    Scenario(
        name="yearly, a downgrade into a year with fewer people",
        agreed={"tier": "extended", "billing_interval": 12, "until_month": "2028-01"},
        events=[
            ("2026-05", tier("basic", "2026-06")),
            ("2026-10", people(20, "2027-01")),
        ],
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 695.00 | 145.95 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 20 over 0
            2027-12 12 exact 0 of 0 over 0
        """,
    ),
    Scenario(
        # (2 x 2 + 10 x 20) / 12 = 17; no second set-up
        name="monthly, down at the new year and up again in March",
        agreed={"tier": "extended", "billing_interval": 1, "until_month": "2028-01"},
        events=[
            ("2026-03", tier("basic", "2026-04")),
            ("2027-01", tier("extended", "2027-03")),
        ],
        documents="""
            2025-12 fee 1 300.00, setup 1 450.00 | 157.50 S
            2026-01..2026-11 2027-02..2027-11 fee 1 300.00 | 63.00 S
            2026-12 2027-01 fee 1 112.50 | 23.63 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 20 over 0
            2027-03..2027-12/3 3 exact 0 of 17 over 0
        """,
    ),
)
