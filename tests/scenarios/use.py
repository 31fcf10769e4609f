"""Hours: what is stated, what is charged, cards, and what is carried over.

100 people are stated by quarter, 20 by year, 8 in a band, 300 by month. A basic year of 100 holds
2 hours at 135.00 for one above, an extended one 20 at 125.00.
"""

from __future__ import annotations

from tests.scenarios.walk import Scenario, card, chosen, corrected

FIRST = "2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S"
QUIET = "2026-03..2026-09/3 fee 3 337.50 | 70.88 S"
CARRIES_ALL = {"carry_over_basis_points": 10_000, "carry_over_cap_quarters": 400}

USE = (
    Scenario(
        # 23.25 -> 23.5, 3.5 above 20: 437.50; with the fee 1,337.50 x 21 % = 280.875
        name="hours above an extended year, rounded up to half hours",
        agreed={"tier": "extended"},
        hours={"2026-01": 20, "2026-03": 3.25},
        documents="""
            2025-12 fee 3 900.00, setup 1 450.00 | 283.50 S
            2026-03 fee 3 900.00, overage 3 437.50 | 280.88 S
            2026-06 2026-09 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 23.5 of 20 over 3.5
            2026-06..2026-12/3 3 exact 0 of 20 over 0
        """,
    ),
    Scenario(
        name="the same under a cap",
        agreed={"tier": "extended", "overage": "cap"},
        hours={"2026-01": 20, "2026-03": 3.25},
        documents="""
            2025-12 fee 3 900.00, setup 1 450.00 | 283.50 S
            2026-03..2026-09/3 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 23.5 of 20 over 0
            2026-06..2026-12/3 3 exact 0 of 20 over 0
        """,
    ),
    Scenario(
        name="the same at an all-in price",
        agreed={"tier": "extended", "overage": "all_in"},
        hours={"2026-01": 20, "2026-03": 3.25},
        documents="""
            2025-12 fee 3 900.00, setup 1 450.00 | 283.50 S
            2026-03..2026-09/3 fee 3 900.00 | 189.00 S
        """,
        statements="2026-03..2026-12/3 3 all_in - of 20 over 0",
    ),
    Scenario(
        # 1.25 + 2 = 3.25 -> 3.5; 1.5 above 2: 202.50, x 21 % = 42.525
        name="8 people: a band at the end of the year, with what was above",
        agreed={"headcount": 8, "billing_interval": 12},
        hours={"2026-02": 1.25, "2026-09": 2},
        documents="""
            2025-12 fee 12 525.00, setup 1 250.00 | 162.75 S
            2026-12 overage 12 202.50 | 42.53 S
        """,
        statements="2026-12 12 band - of 2 over 1.5",
    ),
    Scenario(
        # 1.25 + 1.5 + 0.5 = 3.25 -> 3.5 at 135.00 = 472.50, x 21 % = 99.225
        name="20 people: one figure at the end of the year, rounded once",
        agreed={"headcount": 20, "billing_interval": 12},
        hours={"2026-02": 1.25, "2026-03": 1.5, "2026-11": 0.5},
        documents="""
            2025-12 fee 12 695.00, setup 1 250.00 | 198.45 S
            2026-12 overage 12 472.50 | 99.23 S
        """,
        statements="2026-12 12 exact 3.5 of 0 over 3.5",
    ),
    Scenario(
        # quarters of 0.75, 0.5, 0.25, 0.25 count 1, 0.5, 0.5, 0.5: the last half hour is above 2
        name="each quarter is rounded up once, and the year adds the rounded ones",
        hours={f"2026-{month:02}": 0.25 for month in (1, 2, 3, 4, 6, 8, 12)},
        documents=f"""
            {FIRST}
            {QUIET}
            2026-12 overage 3 67.50 | 14.18 S
        """,
        statements="""
            2026-03 3 exact 1 of 2 over 0
            2026-06 2026-09 3 exact 0.5 of 2 over 0
            2026-12 3 exact 0.5 of 2 over 0.5
        """,
    ),
    Scenario(
        # unused hours lapse; 607.50 x 21 % = 127.575
        name="a cap agreed on in June holds from January",
        agreed={"until_month": "2028-01"},
        hours={"2026-08": 4, "2027-02": 4},
        events=[("2026-05", chosen("2026-06", overage="cap"))],
        documents=f"""
            {FIRST}
            2026-03 2026-06 2026-12..2027-09/3 fee 3 337.50 | 70.88 S
            2026-09 fee 3 337.50, overage 3 270.00 | 127.58 S
        """,
        statements="""
            2026-03 2026-06 2026-12 3 exact 0 of 2 over 0
            2026-09 3 exact 4 of 2 over 2
            2027-03 3 exact 4 of 2 over 0
            2027-06..2027-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        name="years by choice",
        agreed={"release": "year"},
        hours={"2026-02": 3},
        documents=f"""
            {FIRST}
            {QUIET}
            2026-12 overage 12 135.00 | 28.35 S
        """,
        statements="2026-12 12 exact 3 of 2 over 1",
    ),
    Scenario(
        name="bands by choice",
        agreed={"release": "band"},
        hours={"2026-02": 3},
        documents=f"""
            {FIRST}
            {QUIET}
            2026-12 overage 12 135.00 | 28.35 S
        """,
        statements="2026-12 12 band - of 2 over 1",
    ),
    Scenario(
        # 11 - 8 = 3 h at 135.00 = 405.00; with a quarter of 2,600.00: 1,055.00 x 21 % = 221.55
        name="300 people: quarters by choice",
        agreed={"headcount": 300, "release": "quarter"},
        hours={"2026-01": 6, "2026-02": 5},
        documents="""
            2025-12 fee 3 650.00, setup 1 250.00 | 189.00 S
            2026-03 fee 3 650.00, overage 3 405.00 | 221.55 S
            2026-06 2026-09 fee 3 650.00 | 136.50 S
        """,
        statements="""
            2026-03 3 exact 11 of 8 over 3
            2026-06..2026-12/3 3 exact 0 of 8 over 0
        """,
    ),
    Scenario(
        # November and December: 2/12 of 1,350.00; 2 h x 2/12 -> 0.5; the 5 hours count nowhere
        name="two months of a first year are withheld, and not charged",
        agreed={"start": "2026-11", "year_starts_in": 1, "until_month": "2028-01"},
        hours={"2026-11": 5, "2027-02": 2},
        documents="""
            2026-10 fee 2 225.00, setup 1 250.00 | 99.75 S
            2026-12..2027-09/3 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-12 2 withheld - of 0.5 over 0
            2027-03 3 exact 2 of 2 over 0
            2027-06..2027-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # five months are fewer than six: 695.00 x 5/12 = 289.58 (695.00 - 405.42); + 250 = 539.58
        name="20 people, five months of a first year are withheld",
        agreed={"headcount": 20, "start": "2026-08", "year_starts_in": 1, "billing_interval": 12},
        hours={"2026-09": 5},
        documents="2026-07 fee 5 289.58, setup 1 250.00 | 113.31 S",
        statements="2026-12 5 withheld - of 0 over 0",
    ),
    Scenario(
        # 525.00 x 6/12 = 262.50; (262.50 + 250.00) x 21 % = 107.625; 2 h x 6/12 = 1
        name="8 people, six months of a first year are a band",
        agreed={"headcount": 8, "start": "2026-07", "year_starts_in": 1, "billing_interval": 12},
        hours={"2026-09": 2.5},
        documents="""
            2026-06 fee 6 262.50, setup 1 250.00 | 107.63 S
            2026-12 overage 6 202.50 | 42.53 S
        """,
        statements="2026-12 6 band - of 1 over 1.5",
    ),
    Scenario(
        # Of 10 hours 4 were wrong and 1 came later: 7 used. Overage 8 was billed, 3 of them too
        # many: 405.00, and of the line's VAT of 226.80 3/8. 1,417.50 x 21 % = 297.675
        name="hours corrected below zero are given back at the end of the year",
        hours={"2026-02": 10, "2026-08": 1},
        events=[("2026-05", corrected(-16))],
        documents=f"""
            {FIRST}
            2026-03 fee 3 337.50, overage 3 1080.00 | 297.68 S
            2026-06 2026-09 fee 3 337.50 | 70.88 S
            2026-12 credit 2026-01/2026-04 -405.00 | -85.05 S
        """,
        statements="""
            2026-03 3 exact 10 of 2 over 8
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # work of March noted in April counts in the quarter that is open: 1.5 + 1 = 2.5, 0.5 above
        name="late work counts in the period that is open",
        hours={"2026-05": 1.5},
        events=[("2026-04", corrected(4))],
        documents=f"""
            {FIRST}
            2026-03 2026-09 fee 3 337.50 | 70.88 S
            2026-06 fee 3 337.50, overage 3 67.50 | 85.05 S
        """,
        statements="""
            2026-03 2026-09 2026-12 3 exact 0 of 2 over 0
            2026-06 3 exact 2.5 of 2 over 0.5
        """,
    ),
)

CARDS = (
    Scenario(
        # 8 = 2 included + 6 of the card; then 6 = 4 of the card + 2 above: 270.00
        name="a card of 10 hours is used before hours are charged",
        hours={"2026-05": 8, "2026-08": 6},
        events=[("2026-02", card(10, 1100, "2026-04/2027-04"))],
        documents=f"""
            {FIRST}
            2026-03 fee 3 337.50, topup 12 1100.00 | 301.88 S
            2026-06 fee 3 337.50 | 70.88 S
            2026-09 fee 3 337.50, overage 3 270.00 | 127.58 S
        """,
        statements="""
            2026-03 2026-12 3 exact 0 of 2 over 0
            2026-06 3 exact 8 of 2 over 0
            2026-09 3 exact 6 of 2 over 2
        """,
    ),
    Scenario(
        # 1,687.50 x 21 % = 354.375
        name="a card that has expired is not used",
        hours={"2026-05": 4},
        events=[("2025-12", card(10, 1100, "2026-01/2026-04"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00, topup 3 1100.00 | 354.38 S
            2026-03 2026-09 fee 3 337.50 | 70.88 S
            2026-06 fee 3 337.50, overage 3 270.00 | 127.58 S
        """,
        statements="""
            2026-03 2026-09 2026-12 3 exact 0 of 2 over 0
            2026-06 3 exact 4 of 2 over 2
        """,
    ),
    Scenario(
        # 6: 2 included, 2 of the older card, 2 of the newer; 4 more: 3 of the newer, 1 above.
        # 807.50 x 21 % = 169.575
        name="two cards, the older one first",
        hours={"2026-02": 6, "2026-11": 4},
        events=[
            ("2025-12", card(2, 220, "2026-01/2027-01")),
            ("2026-01", card(5, 550, "2026-02/2027-02")),
        ],
        documents=f"""
            2025-12 fee 3 337.50, setup 1 250.00, topup 12 220.00 | 169.58 S
            2026-01 topup 12 550.00 | 115.50 S
            {QUIET}
            2026-12 overage 3 135.00 | 28.35 S
        """,
        statements="""
            2026-03 3 exact 6 of 2 over 0
            2026-06 2026-09 3 exact 0 of 2 over 0
            2026-12 3 exact 4 of 2 over 1
        """,
    ),
    Scenario(
        name="a card counts for a period of which it holds in one month",
        hours={"2026-01": 4},
        events=[("2026-02", card(2, 220, "2026-03/2026-04"))],
        documents=f"""
            {FIRST}
            2026-02 topup 1 220.00 | 46.20 S
            {QUIET}
        """,
        statements="""
            2026-03 3 exact 4 of 2 over 0
            2026-06..2026-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # A card that outlives the year: 3 of 5 used in 2026, 2 left for the next year.
        name="a card is valid across the end of a year",
        agreed={"until_month": "2028-01"},
        hours={"2026-11": 5, "2027-01": 5},
        events=[("2026-09", card(5, 550, "2026-10/2027-10"))],
        documents=f"""
            {FIRST}
            2026-03 2026-06 2026-12 2027-06 2027-09 fee 3 337.50 | 70.88 S
            2026-09 fee 3 337.50, topup 12 550.00 | 186.38 S
            2027-03 fee 3 337.50, overage 3 135.00 | 99.23 S
        """,
        # 887.50 x 21 % = 186.375; 472.50 x 21 % = 99.225; 2027: 5 - 2 - 2 = 1 above
        statements="""
            2026-03..2026-09/3 3 exact 0 of 2 over 0
            2026-12 3 exact 5 of 2 over 0
            2027-03 3 exact 5 of 2 over 1
            2027-06..2027-12/3 3 exact 0 of 2 over 0
        """,
    ),
)

CARRY_OVER = (
    Scenario(
        # 10 of 20 unused, half of them carried: 25; 26 - 25 = 1 at 125.00
        name="half of what was unused is carried over",
        agreed={"tier": "extended", "billing_interval": 12, "until_month": "2028-01"}
        | {"carry_over_basis_points": 5000, "carry_over_cap_quarters": 400},
        hours={"2026-02": 10, "2027-02": 26},
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 3600.00 | 756.00 S
            2027-03 overage 3 125.00 | 26.25 S
        """,
        statements="""
            2026-03 3 exact 10 of 20 over 0
            2026-06..2026-12/3 3 exact 0 of 20 over 0
            2027-03 3 exact 26 of 25 over 1
            2027-06..2027-12/3 3 exact 0 of 25 over 0
        """,
    ),
    Scenario(
        name="at most the cap is carried over",
        agreed={"tier": "extended", "billing_interval": 12, "until_month": "2028-01"}
        | {"carry_over_basis_points": 5000, "carry_over_cap_quarters": 12},
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 3600.00 | 756.00 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 20 over 0
            2027-03..2027-12/3 3 exact 0 of 23 over 0
        """,
    ),
    Scenario(
        # 15 of 20 used: 5 into 2027. Its 3 hours are of those 5, so all 20 of 2027 into 2028.
        name="carried hours are used first and last one year",
        agreed={"tier": "extended", "billing_interval": 12, "until_month": "2029-01"} | CARRIES_ALL,
        hours={"2026-02": 15, "2027-02": 3},
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 3600.00 | 756.00 S
            2027-12 fee 12 3660.00 | 768.60 S
        """,
        statements="""
            2026-03 3 exact 15 of 20 over 0
            2026-06..2026-12/3 3 exact 0 of 20 over 0
            2027-03 3 exact 3 of 25 over 0
            2027-06..2027-12/3 3 exact 0 of 25 over 0
            2028-03..2028-12/3 3 exact 0 of 40 over 0
        """,
    ),
    Scenario(
        name="a band carries nothing over",
        agreed={"headcount": 8, "billing_interval": 12, "until_month": "2028-01"} | CARRIES_ALL,
        documents="""
            2025-12 fee 12 525.00, setup 1 250.00 | 162.75 S
            2026-12 fee 12 525.00 | 110.25 S
        """,
        statements="2026-12 2027-12 12 band - of 2 over 0",
    ),
    Scenario(
        # 2/12 of 3,600.00 = 600.00; 20 h x 2/12 = 3.33 -> 3.5
        name="a year with a withheld statement carries nothing over",
        agreed={"tier": "extended", "start": "2026-11", "year_starts_in": 1}
        | {"billing_interval": 12, "until_month": "2028-01"}
        | CARRIES_ALL,
        documents="""
            2026-10 fee 2 600.00, setup 1 450.00 | 220.50 S
            2026-12 fee 12 3600.00 | 756.00 S
        """,
        statements="""
            2026-12 2 withheld - of 3.5 over 0
            2027-03..2027-12/3 3 exact 0 of 20 over 0
        """,
    ),
    Scenario(
        # 18 of 20 used leaves 2: 22 in 2027. 25: 22, then 3 of the card. Then 4: 2 of it, 2 above.
        name="carried hours first, then the card, then what is charged",
        agreed={"tier": "extended", "billing_interval": 12, "until_month": "2028-01"} | CARRIES_ALL,
        hours={"2026-02": 18, "2027-02": 25, "2027-05": 4},
        events=[("2026-11", card(5, 550, "2027-01/2028-01"))],
        documents="""
            2025-12 fee 12 3600.00, setup 1 450.00 | 850.50 S
            2026-12 fee 12 3600.00, topup 12 550.00 | 871.50 S
            2027-06 overage 3 250.00 | 52.50 S
        """,
        statements="""
            2026-03 3 exact 18 of 20 over 0
            2026-06..2026-12/3 3 exact 0 of 20 over 0
            2027-03 3 exact 25 of 22 over 0
            2027-06 3 exact 4 of 22 over 2
            2027-09 2027-12 3 exact 0 of 22 over 0
        """,
    ),
)
