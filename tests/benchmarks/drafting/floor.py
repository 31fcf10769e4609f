"""The floor: the same rows made inside the database, by a few statements that insert and select.

It knows what `world` never makes (negative amounts, downgrades, short years, credits) and leaves
it out; the texts of lines stand ready in a table. So it does less than any run could.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from django.db import connection, transaction

from agency.month import Month, MonthRange
from subscriptions.descriptions import describe
from subscriptions.models import LineKind, Tier
from tests.benchmarks.drafting.world import RUN
from workshops.models import Offering

NEXT = RUN + 1
DIALECTS = {
    "sqlite": {
        "uuid": "lower(hex(randomblob(16)))",
        "key": "char(32)",
        "days": "CAST(julianday(date(s.starts_at)) - julianday(s.cancelled_on) AS integer)",
        "planned": "CAST(strftime('%%Y', s.starts_at) AS integer) * 12"
        " + CAST(strftime('%%m', s.starts_at) AS integer) - 1",
    },
    "postgresql": {
        "uuid": "gen_random_uuid()",
        "key": "uuid",
        "days": "(s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date - s.cancelled_on",
        "planned": "(extract(year FROM s.starts_at AT TIME ZONE 'Europe/Amsterdam') * 12"
        " + extract(month FROM s.starts_at AT TIME ZONE 'Europe/Amsterdam') - 1)::int",
    },
}
# Contracts with the tier in force in a month, and the year that the month lies in.
AGREED = """
    SELECT s.id, s.organisation_id, s.billing_interval,
        {month} - ({month} - s.start_month) %% 12 AS year_month,
        coalesce((SELECT t.tier FROM subscriptions_terms t WHERE t.subscription_id = s.id
            AND t.from_month <= {month} ORDER BY t.from_month DESC LIMIT 1), '') AS tier
    FROM subscriptions_subscription s WHERE s.start_month <= {month}
        AND ({month} - s.start_month) %% {interval} = 0
"""
YEAR_PRICES = """
    INSERT INTO subscriptions_yearprice (id, subscription_id, year_month, tier, annual_fee_cents,
        setup_fee_cents, included_quarters, included_sessions, overage_rate_cents)
    SELECT {uuid}, a.id, a.year_month, b.tier,
        CASE WHEN b.tier = t.tier THEN coalesce(t.own_annual_fee_cents, b.annual_fee_cents)
            ELSE b.annual_fee_cents END,
        b.setup_fee_cents, b.included_quarters, b.included_sessions, b.overage_rate_cents
    FROM ({agreed_next}) a
    JOIN subscriptions_terms t ON t.subscription_id = a.id AND t.reason = 'start'
    JOIN subscriptions_priceband b ON b.book_id = (SELECT id FROM subscriptions_pricebook
        WHERE valid_from <= {next} ORDER BY valid_from DESC LIMIT 1)
    JOIN agency_headcount h ON h.organisation_id = a.organisation_id
        AND h.month = {headcount} AND h.headcount >= b.min_headcount
        AND (b.max_headcount IS NULL OR h.headcount <= b.max_headcount)
    WHERE NOT EXISTS (SELECT 1 FROM subscriptions_yearprice y WHERE y.subscription_id = a.id
        AND y.year_month = a.year_month AND y.tier = b.tier)
"""
DUE_TABLE = """
    CREATE TEMP TABLE due (id {key}, organisation_id {key}, kind text, subject_id {key},
        from_month int, until_month int, quantity int, unit int, net bigint, reference text,
        exempt boolean, free boolean, tier text, place int, travels int, wording text, month int)
"""
FEES = """
    INSERT INTO due SELECT {uuid}, a.organisation_id, 'fee', a.id, {next},
        {next} + a.billing_interval, 100, 0,
        (2 * y.annual_fee_cents * ({next} - a.year_month + a.billing_interval) + 12) / 24
        - (2 * y.annual_fee_cents * ({next} - a.year_month) + 12) / 24,
        '', false, false, a.tier, 0, 0, a.tier, {next}
    FROM ({agreed_next}) a
    JOIN subscriptions_yearprice y ON y.subscription_id = a.id AND y.year_month = a.year_month
        AND y.tier = a.tier
    WHERE NOT EXISTS (SELECT 1 FROM subscriptions_billedoccurrence o WHERE o.kind = 'fee'
        AND o.subject_id = a.id AND o.from_month = {next})
"""
OVERAGE = """
    INSERT INTO due SELECT {uuid}, t.organisation_id, 'overage', t.subscription_id, t.from_month,
        t.until_month, t.overage_quarters * 25, y.overage_rate_cents,
        (t.overage_quarters * y.overage_rate_cents + 2) / 4, '', false, false, '', 3, 0, '', {run}
    FROM subscriptions_statement t
    JOIN ({agreed_first}) a ON a.id = t.subscription_id
    JOIN subscriptions_yearprice y ON y.subscription_id = a.id AND y.year_month = a.year_month
        AND y.tier = a.tier
    WHERE t.until_month = {next} AND t.overage_quarters > 0
        AND NOT EXISTS (SELECT 1 FROM subscriptions_billedoccurrence o WHERE o.kind = 'overage'
            AND o.subject_id = t.subscription_id AND o.from_month = t.from_month)
"""
SESSIONS = """
    INSERT INTO due
    SELECT {uuid}, organisation_id, kind, id, planned, planned + 1, 100, 0,
        CASE WHEN free THEN 0 ELSE (2 * price_cents * percent + 100) / 200 END,
        reference, vocational, free, '',
        CASE kind WHEN 'session' THEN 4 WHEN 'cancellation' THEN 6 ELSE 9 END, 0, code, {run}
    FROM (SELECT c.*, c.included_eligible AND row_number() OVER (
            PARTITION BY c.organisation_id, c.included_eligible ORDER BY c.starts_at, c.reference)
            <= (y.included_sessions - coalesce(f.used, 0)) AS free
        FROM (SELECT s.id, s.organisation_id, s.starts_at, s.reference, o.vocational,
                o.included_eligible, o.price_cents, o.code, {planned} AS planned,
                CASE WHEN s.status = 'cancelled' THEN 'cancellation'
                    WHEN o.kind = 'service' THEN 'service' ELSE 'session' END AS kind,
                CASE WHEN s.status = 'held' OR {days} < 14 THEN 100
                    WHEN {days} < 42 THEN 50 ELSE 0 END AS percent
            FROM workshops_session s JOIN workshops_offering o ON o.id = s.offering_id
            WHERE (s.status = 'held' AND s.starts_at >= %s AND s.starts_at < %s
                OR s.cancelled_by = 'client' AND s.cancelled_on >= %s AND s.cancelled_on < %s)
                AND NOT EXISTS (SELECT 1 FROM subscriptions_billedoccurrence b
                    WHERE b.kind IN ('session', 'service', 'cancellation')
                    AND b.subject_id = s.id)) c
        JOIN ({agreed_run}) a ON a.organisation_id = c.organisation_id
        JOIN subscriptions_yearprice y ON y.subscription_id = a.id
            AND y.year_month = a.year_month AND y.tier = a.tier
        LEFT JOIN (SELECT o.organisation_id, s.start_month, count(*) AS used
            FROM subscriptions_billedoccurrence o
            JOIN subscriptions_subscription s ON s.organisation_id = o.organisation_id
            WHERE o.free AND o.run_month >= {run} - ({run} - s.start_month) %% 12
            GROUP BY o.organisation_id, s.start_month) f ON f.organisation_id = c.organisation_id
        WHERE c.percent > 0) charged
"""
TRAVEL = """
    INSERT INTO due SELECT {uuid}, s.organisation_id, 'travel', s.id, d.from_month, d.until_month,
        s.on_site_km * 100, g.km_rate_cents, s.on_site_km * g.km_rate_cents, d.reference, d.exempt,
        false, '', d.place, 1, '', {run}
    FROM due d JOIN workshops_session s ON s.id = d.subject_id
    JOIN agency_agency g ON true
    WHERE s.status = 'held' AND s.on_site_km > 0
"""
# Each line with its order number, place and document.
PLACED = """
    CREATE TEMP TABLE placed AS
    SELECT d.*, coalesce(p.number, '') AS po_number, g.language, g.country,
        row_number() OVER (PARTITION BY d.organisation_id, coalesce(p.number, '')
            ORDER BY d.place, d.from_month, d.reference, d.travels) AS position,
        CASE WHEN g.country <> 'NL' THEN 'AE' WHEN d.exempt THEN 'E' ELSE 'S' END AS category,
        CASE WHEN g.country = 'NL' AND NOT d.exempt THEN 2100 ELSE 0 END AS rate
    FROM due d
    JOIN agency_organisation g ON g.id = d.organisation_id
    LEFT JOIN subscriptions_purchaseorder p ON p.organisation_id = d.organisation_id
        AND p.from_month <= d.month AND (p.until_month IS NULL OR p.until_month > d.month)
"""
# Lines of one category and rate of a document: VAT rounded once, the rest to the largest parts.
TAXED = """
    CREATE TEMP TABLE taxed AS
    SELECT id, organisation_id, po_number, net, net * rate / 10000 + CASE WHEN row_number() OVER (
            PARTITION BY organisation_id, po_number, category, rate
            ORDER BY net * rate %% 10000 DESC, position)
        <= (CAST(sum(net) OVER w AS bigint) * rate + 5000) / 10000
            - CAST(sum(net * rate / 10000) OVER w AS bigint)
        THEN 1 ELSE 0 END AS vat
    FROM placed
    WINDOW w AS (PARTITION BY organisation_id, po_number, category, rate)
"""
DOCUMENTS = """
    CREATE TEMP TABLE document AS
    SELECT {uuid} AS id, t.organisation_id, t.po_number, s.collection, s.payment_days,
        sum(t.net) AS net, sum(t.vat) AS vat, max(t.net) = 0 AS settled,
        CASE WHEN max(t.net) = 0 THEN ''
            WHEN s.po_required AND t.po_number = '' THEN 'po_missing'
            WHEN g.city = '' THEN 'incomplete' ELSE '' END AS blocked_reason
    FROM taxed t
    JOIN agency_organisation g ON g.id = t.organisation_id
    JOIN subscriptions_subscription s ON s.organisation_id = t.organisation_id
    GROUP BY t.organisation_id, t.po_number, s.id, s.collection, s.payment_days, s.po_required,
        g.city
"""
INVOICES = """
    INSERT INTO subscriptions_invoice (id, kind, state, blocked_reason, run_month, organisation_id,
        payer_id, served_name, po_number, currency, net_cents, vat_cents, total_cents, due_days,
        collection, language,
        buyer_name, buyer_street, buyer_postcode, buyer_city, buyer_country, buyer_kvk_number,
        buyer_vat_id, buyer_email, seller_name, seller_street, seller_postcode, seller_city,
        seller_country, seller_kvk_number, seller_vat_id, seller_iban, number, parked_because,
        stripe_id, hosted_url, pdf_url, credit_reason)
    SELECT d.id, 'invoice', CASE d.blocked_reason WHEN '' THEN 'draft' ELSE 'blocked' END,
        d.blocked_reason, {run}, d.organisation_id, d.organisation_id, '', d.po_number, 'EUR',
        d.net, d.vat, d.net + d.vat, d.payment_days, d.collection, o.language, o.legal_name,
        o.street, o.postcode, o.city,
        o.country, CASE o.kvk_number WHEN '' THEN o.oin ELSE o.kvk_number END, o.vat_id,
        o.invoice_email, a.legal_name, a.street, a.postcode, a.city, a.country, a.kvk_number,
        a.vat_id, a.iban, '', '', '', '', '', ''
    FROM document d JOIN agency_organisation o ON o.id = d.organisation_id
    JOIN agency_agency a ON true
    WHERE NOT d.settled
"""
OCCURRENCES = """
    INSERT INTO subscriptions_billedoccurrence (id, organisation_id, kind, subject_id, from_month,
        revision, run_month, state, tier, free)
    SELECT p.id, p.organisation_id, p.kind, p.subject_id, p.from_month, 1, {run},
        CASE WHEN d.settled THEN 'settled' WHEN d.blocked_reason <> '' THEN 'held'
            ELSE 'billed' END, p.tier, p.free
    FROM placed p
    JOIN document d ON d.organisation_id = p.organisation_id AND d.po_number = p.po_number
"""
LINES = """
    INSERT INTO subscriptions_invoiceline (id, invoice_id, position, kind, description,
        quantity_hundredths, unit_cents, net_cents, vat_category, vat_rate_basis_points, vat_cents,
        from_month, until_month, reference, occurrence_id)
    SELECT {uuid}, d.id, p.position, p.kind, w.text, p.quantity,
        CASE p.unit WHEN 0 THEN p.net ELSE p.unit END, p.net, p.category, p.rate, t.vat,
        p.from_month, p.until_month, p.reference, p.id
    FROM placed p
    JOIN taxed t ON t.id = p.id
    JOIN document d ON d.organisation_id = p.organisation_id AND d.po_number = p.po_number
    JOIN wording w ON w.kind = p.kind AND w.about = p.wording AND w.language = p.language
        AND w.from_month = p.from_month AND w.until_month = p.until_month
    WHERE NOT d.settled
"""
TEMPORARY = ("due", "placed", "taxed", "document")


def prepare() -> None:
    """Write the texts of all lines that a run may make, outside the time that counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE wording (kind text, about text, language text, from_month int,"
            " until_month int, text text, PRIMARY KEY (kind, about, language, from_month,"
            " until_month))"
        )
        cursor.executemany("INSERT INTO wording VALUES (%s, %s, %s, %s, %s, %s)", list(_wordings()))


def _wordings() -> Iterator[tuple[str, str, str, int, int, str]]:
    def text(
        kind: str, about: str, language: str, months: MonthRange, **words: str
    ) -> tuple[str, str, str, int, int, str]:
        written = describe(kind, months, language, **words)
        return kind, about, language, months.from_month.index, months.until.index, written

    one_month = [MonthRange(RUN + n, RUN + n + 1) for n in range(3)]
    for language in ("nl", "en"):
        for tier, length in product(Tier.values, (1, 3, 12)):
            yield text(LineKind.FEE, tier, language, MonthRange(NEXT, NEXT + length), tier=tier)
        yield text(LineKind.OVERAGE, "", language, MonthRange(NEXT - 3, NEXT))
        for months in one_month:
            yield text(LineKind.TRAVEL, "", language, months)
        for offering, months in product(Offering.objects.all(), one_month):
            for kind in (LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION):
                title = offering.title(language)
                yield text(kind, offering.code, language, months, title=title)


@transaction.atomic
def draft() -> None:
    dialect = DIALECTS[connection.vendor]

    def agreed(month: Month, interval: str) -> str:
        return AGREED.format(month=month.index, interval=interval)

    names = {
        **dialect,
        "run": RUN.index,
        "next": NEXT.index,
        "headcount": Month.of(2025, 7).index,
        "agreed_next": agreed(NEXT, "s.billing_interval"),
        "agreed_run": agreed(RUN, "1"),
        "agreed_first": agreed(NEXT - 3, "1"),
    }
    moments = [connection.ops.adapt_datetimefield_value(month.starts_at) for month in (RUN, NEXT)]
    with connection.cursor() as cursor:
        for statement in (YEAR_PRICES, DUE_TABLE, FEES, OVERAGE):
            cursor.execute(statement.format(**names), [])
        cursor.execute(SESSIONS.format(**names), [*moments, RUN.first_day, NEXT.first_day])
        for statement in (TRAVEL, PLACED, TAXED, DOCUMENTS, INVOICES, OCCURRENCES, LINES):
            cursor.execute(statement.format(**names), [])
        for table in TEMPORARY:
            cursor.execute(f"DROP TABLE {table}")
