"""Fees, set-up and changes of tier: what is paid in advance, by interval, year, people and end.

100 people: a basic year is 1,350.00 with 2 hours, an extended one 3,600.00 with 20; set-up 250.00
and 450.00. A new book adds 60.00 to every annual fee from January 2028 on.
"""

from __future__ import annotations

from tests.scenarios.walk import Scenario, agreed_late, end, people, tier

RUNNING = {"until_month": None}

FEES = (
    Scenario(
        name="yearly, three years: each year at the book of its first month",
        agreed=RUNNING | {"billing_interval": 12},
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2026-12 fee 12 1350.00 | 283.50 S
            2027-12 2028-12 fee 12 1410.00 | 296.10 S
        """,
        statements="2026-03..2028-12/3 3 exact 0 of 2 over 0",
    ),
    Scenario(
        # 587.50 x 21 % = 123.375; 337.50 x 21 % = 70.875; 352.50 x 21 % = 74.025
        name="quarterly, three years",
        agreed=RUNNING,
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03..2027-09/3 fee 3 337.50 | 70.88 S
            2027-12..2028-12/3 fee 3 352.50 | 74.03 S
        """,
        statements="2026-03..2028-12/3 3 exact 0 of 2 over 0",
    ),
    Scenario(
        # 950.00 / 12 = 79.17, up to 158.33, up to 237.50, and so on: the year adds up to 950.00
        name="monthly, parts that are no whole cents",
        agreed={"billing_interval": 1, "headcount": 26},
        documents="""
            2025-12 fee 1 79.17, setup 1 250.00 | 69.13 S
            2026-01..2026-10/3 fee 1 79.16 | 16.62 S
            2026-02..2026-11/3 2026-03..2026-09/3 fee 1 79.17 | 16.63 S
        """,
        statements="2026-03..2026-12/3 3 exact 0 of 0 over 0",
    ),
    Scenario(
        # 2 hours x 9/12 = 1.5
        name="quarterly, a short first year from an edge of a quarter",
        agreed={"start": "2026-04", "year_starts_in": 1},
        documents="""
            2026-03 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-06 2026-09 fee 3 337.50 | 70.88 S
        """,
        statements="2026-06..2026-12/3 3 exact 0 of 1.5 over 0",
    ),
    Scenario(
        # February and March are 3/12 less 1/12 of 1,350.00; two months are too few for a quarter;
        # 2 hours x 11/12 is rounded up to 2
        name="quarterly, a short first year from inside a quarter",
        agreed={"start": "2026-02", "year_starts_in": 1},
        documents="""
            2026-01 fee 2 225.00, setup 1 250.00 | 99.75 S
            2026-03..2026-09/3 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-06 5 exact 0 of 2 over 0
            2026-09 2026-12 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # March to June: 1,350.00 less round(1,350.00 x 8/12) = 450.00; 2 hours x 4/12 -> 1
        name="yearly, a contract year from July signed for in March",
        agreed={"start": "2026-03", "year_starts_in": 7, "billing_interval": 12}
        | {"until_month": "2027-07"},
        documents="""
            2026-02 fee 4 450.00, setup 1 250.00 | 147.00 S
            2026-06 fee 12 1350.00 | 283.50 S
        """,
        statements="""
            2026-06 4 exact 0 of 1 over 0
            2026-09..2027-06/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # 9/12 x 1,350.00 = 1,012.50; (1,012.50 + 250.00) x 21 % = 265.125
        name="yearly, an end that is known shortens the year",
        agreed={"billing_interval": 12, "until_month": "2026-10"},
        documents="2025-12 fee 9 1012.50, setup 1 250.00 | 265.13 S",
        statements="2026-03..2026-09/3 3 exact 0 of 1.5 over 0",
    ),
    Scenario(
        name="quarterly, an end agreed on in May for October",
        agreed=RUNNING,
        events=[("2026-05", end("2026-10"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 2026-06 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 2026-09 3 exact 0 of 1.5 over 0
        """,
    ),
    Scenario(
        name="monthly, an end agreed on in May for July",
        agreed=RUNNING | {"billing_interval": 1},
        events=[("2026-05", end("2026-07"))],
        documents="""
            2025-12 fee 1 112.50, setup 1 250.00 | 76.13 S
            2026-01..2026-05 fee 1 112.50 | 23.63 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 3 exact 0 of 1 over 0
        """,
    ),
    Scenario(
        name="yearly, a paid interval is not refunded at the end",
        agreed=RUNNING | {"billing_interval": 12},
        events=[("2026-05", end("2026-10"))],
        documents="2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S",
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 2026-09 3 exact 0 of 1.5 over 0
        """,
    ),
    Scenario(
        name="quarterly, an own price that parts evenly",
        agreed={"own_annual_fee_cents": 1_000_00},
        documents="""
            2025-12 fee 3 250.00, setup 1 250.00 | 105.00 S
            2026-03..2026-09/3 fee 3 250.00 | 52.50 S
        """,
        statements="2026-03..2026-12/3 3 exact 0 of 2 over 0",
    ),
    Scenario(
        # 83.33, 166.67, 250.00 and so on; 333.33 x 21 % = 69.9993; 83.34 x 21 % = 17.5014
        name="monthly, an own price with a cent to place",
        agreed={"billing_interval": 1, "own_annual_fee_cents": 1_000_00},
        documents="""
            2025-12 fee 1 83.33, setup 1 250.00 | 70.00 S
            2026-01..2026-10/3 fee 1 83.34 | 17.50 S
            2026-02..2026-11/3 2026-03..2026-09/3 fee 1 83.33 | 17.50 S
        """,
        statements="2026-03..2026-12/3 3 exact 0 of 2 over 0",
    ),
    Scenario(
        name="an own price is of the tier it was signed for",
        agreed={"own_annual_fee_cents": 1_000_00, "until_month": "2026-07"},
        events=[("2026-02", tier("extended", "2026-04"))],
        # six months of contract: (3 x 2 + 3 x 20) / 12 = 5.5 hours
        documents="""
            2025-12 fee 3 250.00, setup 1 250.00 | 105.00 S
            2026-03 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 1 over 0
            2026-06 3 exact 0 of 5.5 over 0
        """,
    ),
    Scenario(
        name="50 people are the last of their band",
        agreed={"headcount": 50, "billing_interval": 12},
        documents="2025-12 fee 12 950.00, setup 1 250.00 | 252.00 S",
        statements="2026-03..2026-12/3 3 exact 0 of 0 over 0",
    ),
    Scenario(
        name="more people within a year are a price of the next year",
        agreed={"headcount": 50, "billing_interval": 12, "until_month": "2028-01"},
        events=[("2026-04", people(51, "2026-06"))],
        documents="""
            2025-12 fee 12 950.00, setup 1 250.00 | 252.00 S
            2026-12 fee 12 1350.00 | 283.50 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 0 over 0
            2027-03..2027-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        name="251 people from the first month of a year: its price, and a statement a month",
        agreed={"until_month": "2028-01"},
        events=[("2026-11", people(251, "2027-01"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03..2026-09/3 fee 3 337.50 | 70.88 S
            2026-12..2027-09/3 fee 3 650.00 | 136.50 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 2 over 0
            2027-01..2027-12 1 exact 0 of 8 over 0
        """,
    ),
    Scenario(
        # One month is too short for June's quarter: the period runs on to September.
        name="fewer than 251 people from June: quarters from then on, the price as it was",
        agreed={"headcount": 300, "billing_interval": 12},
        events=[("2026-03", people(200, "2026-06"))],
        documents="2025-12 fee 12 2600.00, setup 1 250.00 | 598.50 S",
        statements="""
            2026-01..2026-05 1 exact 0 of 8 over 0
            2026-09 4 exact 0 of 8 over 0
            2026-12 3 exact 0 of 8 over 0
        """,
    ),
    Scenario(
        name="25 people from August: what is open waits for the end of the year",
        agreed={"headcount": 26, "billing_interval": 12},
        events=[("2026-05", people(25, "2026-08"))],
        documents="2025-12 fee 12 950.00, setup 1 250.00 | 252.00 S",
        statements="""
            2026-03 2026-06 3 exact 0 of 0 over 0
            2026-12 6 exact 0 of 0 over 0
        """,
    ),
)

TIERS = (
    Scenario(
        # May and June: 2,250.00 x 2/12 = 375.00. Hours: (4 x 2 + 8 x 20) / 12 = 14
        name="quarterly, an upgrade inside a quarter",
        events=[("2026-02", tier("extended", "2026-05"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 fee 3 337.50 | 70.88 S
            2026-04 tier_change 2 375.00 | 78.75 S
            2026-06 2026-09 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06..2026-12/3 3 exact 0 of 14 over 0
        """,
    ),
    Scenario(
        # (3 x 2 + 9 x 20) / 12 = 15.5; the statement until April does not count a change in April
        name="quarterly, an upgrade at the start of a quarter",
        events=[("2026-02", tier("extended", "2026-04"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03..2026-09/3 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06..2026-12/3 3 exact 0 of 15.5 over 0
        """,
    ),
    Scenario(
        # 2,250.00 x 3/12 = 562.50, x 21 % = 118.125
        name="quarterly, an upgrade of a quarter that was billed already",
        events=[("2026-04", agreed_late("extended", "2026-04"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 fee 3 337.50 | 70.88 S
            2026-04 tier_change 2026-04/2026-07 562.50 | 118.13 S
            2026-06 2026-09 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06..2026-12/3 3 exact 0 of 15.5 over 0
        """,
    ),
    Scenario(
        # 17 - 14 = 3 hours at 135.00: the rate of April's tier. 1,305.00 x 21 % = 274.05
        name="hours of a quarter with an upgrade inside cost the rate of its first month",
        hours={"2026-06": 17},
        events=[("2026-02", tier("extended", "2026-05"))],
        documents="""
            2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
            2026-03 fee 3 337.50 | 70.88 S
            2026-04 tier_change 2 375.00 | 78.75 S
            2026-06 fee 3 900.00, overage 3 405.00 | 274.05 S
            2026-09 fee 3 900.00 | 189.00 S
        """,
        statements="""
            2026-03 3 exact 0 of 2 over 0
            2026-06 3 exact 17 of 14 over 3
            2026-09 2026-12 3 exact 0 of 14 over 0
        """,
    ),
    Scenario(
        # 2,250.00 x 6/12 = 1,125.00; (6 x 2 + 6 x 20) / 12 = 11
        name="yearly, an upgrade half way",
        agreed={"billing_interval": 12},
        events=[("2026-03", tier("extended", "2026-07"))],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2026-06 tier_change 6 1125.00 | 236.25 S
        """,
        statements="""
            2026-03 2026-06 3 exact 0 of 2 over 0
            2026-09 2026-12 3 exact 0 of 11 over 0
        """,
    ),
    Scenario(
        # 2,250.00 x 3/12: the known end cuts what is left of the year; hours (6 x 2 + 3 x 20) / 12
        name="yearly, an upgrade before an end that is known",
        agreed={"billing_interval": 12, "until_month": "2026-10"},
        events=[("2026-03", tier("extended", "2026-07"))],
        documents="""
            2025-12 fee 9 1012.50, setup 1 250.00 | 265.13 S
            2026-06 tier_change 3 562.50 | 118.13 S
        """,
        statements="""
            2026-03 2026-06 3 exact 0 of 1.5 over 0
            2026-09 3 exact 0 of 6 over 0
        """,
    ),
    Scenario(
        # (2 x 2 + 10 x 20) / 12 = 17; a monthly fee needs no line for the difference
        name="monthly, an upgrade",
        agreed={"billing_interval": 1},
        events=[("2026-01", tier("extended", "2026-03"))],
        documents="""
            2025-12 fee 1 112.50, setup 1 250.00 | 76.13 S
            2026-01 fee 1 112.50 | 23.63 S
            2026-02..2026-11 fee 1 300.00 | 63.00 S
        """,
        statements="2026-03..2026-12/3 3 exact 0 of 17 over 0",
    ),
    Scenario(
        name="quarterly, a downgrade waits for the next year",
        agreed={"tier": "extended", "until_month": "2028-01"},
        events=[("2026-05", tier("basic", "2026-06"))],
        documents="""
            2025-12 fee 3 900.00, setup 1 450.00 | 283.50 S
            2026-03..2026-09/3 fee 3 900.00 | 189.00 S
            2026-12..2027-09/3 fee 3 337.50 | 70.88 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 20 over 0
            2027-03..2027-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        # 2,250.00 x 10/12 = 1,875.00. Twelve months after March 2026 is inside 2027: so 2028.
        name="yearly, a downgrade waits for the year after the twelfth month after an upgrade",
        agreed={"billing_interval": 12, "until_month": "2029-01"},
        events=[
            ("2026-01", tier("extended", "2026-03")),
            ("2026-05", tier("basic", "2026-06")),
        ],
        documents="""
            2025-12 fee 12 1350.00, setup 1 250.00 | 336.00 S
            2026-02 tier_change 10 1875.00 | 393.75 S
            2026-12 fee 12 3600.00 | 756.00 S
            2027-12 fee 12 1410.00 | 296.10 S
        """,
        statements="""
            2026-03..2026-12/3 3 exact 0 of 17 over 0
            2027-03..2027-12/3 3 exact 0 of 20 over 0
            2028-03..2028-12/3 3 exact 0 of 2 over 0
        """,
    ),
    Scenario(
        name="a later request replaces a downgrade that waits",
        agreed={"tier": "extended", "until_month": "2028-01"},
        events=[
            ("2026-03", tier("basic", "2026-04")),
            ("2026-08", tier("extended", "2026-09")),
        ],
        documents="""
            2025-12 fee 3 900.00, setup 1 450.00 | 283.50 S
            2026-03..2027-09/3 fee 3 900.00 | 189.00 S
        """,
        statements="2026-03..2027-12/3 3 exact 0 of 20 over 0",
    ),
    Scenario(
        # 7,000.00 x 11/12 = 6,416.67; 23 h x 135.00 = 3,105.00; 9,521.67 x 21 % = 1,999.5507.
        # (1 x 8 + 11 x 60) / 12 = 55.67 -> 56. By March 80 h: 80 - 56 - 23 = 1 h at 125.00.
        name="hours billed before an upgrade are never billed twice nor given back",
        agreed={"billing_interval": 12, "headcount": 300},
        hours={"2026-01": 31, "2026-02": 24, "2026-03": 25},
        events=[("2026-01", tier("extended", "2026-02"))],
        documents="""
            2025-12 fee 12 2600.00, setup 1 250.00 | 598.50 S
            2026-01 tier_change 11 6416.67, overage 1 3105.00 | 1999.55 S
            2026-03 overage 1 125.00 | 26.25 S
        """,
        statements="""
            2026-01 1 exact 31 of 8 over 23
            2026-02 1 exact 24 of 56 over 0
            2026-03 1 exact 25 of 56 over 1
            2026-04..2026-12 1 exact 0 of 56 over 0
        """,
    ),
)
