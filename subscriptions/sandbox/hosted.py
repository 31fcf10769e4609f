"""The pages that a client sees: the invoice with a pay button, its PDF, Checkout; a list of all."""

from datetime import UTC, datetime
from html import escape
from string import Template

from subscriptions.sandbox import checkout, invoices, pdf
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, no_such
from subscriptions.sandbox.state import Json, State

PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
table { width: 100%; border-collapse: collapse } th { text-align: left }
td, th { padding: .4rem 0; border-bottom: 1px solid; vertical-align: top }
td:last-child, th:last-child { text-align: right; white-space: nowrap; padding-left: 1rem }
button { font: inherit; padding: .5rem 1rem; margin: 0 .5rem .5rem 0 }
</style>
<p><strong>Stripe sandbox.</strong> This page stands in for Stripe's. No money moves.</p>
$body
</html>""")
BUTTONS = {
    "pay": "Pay {amount}",
    "settle": "The direct debit settles",
    "refuse": "The bank refuses the direct debit",
}


def index(state: State) -> str:
    rows = "".join(
        f"<tr><td>{link(invoice)}<td>{escape(invoice['customer_name'] or '')}"
        f"<td>{escape(invoice['status'])}<td>{euros(invoice['total'])}"
        for invoice in state.newest("invoice")
    )
    table = f"<table><tr><th>Number<th>Customer<th>Status<th>Total{rows}</table>"
    return page("Stripe sandbox", f"<h1>Invoices</h1>{table if rows else '<p>None yet.'}")


def link(invoice: Json) -> str:
    number = escape(invoice["number"] or "draft")
    url = escape(invoice["hosted_invoice_url"] or "")
    return f'<a href="{url}">{number}</a>' if url else number


def invoice_page(state: State, token: str) -> str:
    invoice = invoices.by_token(state, token)
    lines = "".join(
        f"<tr><td>{escape(line['description'] or '')}<td>{euros(line['amount'])}"
        for line in invoices.all_lines(state, invoice["id"])
    )
    vat = sum(tax["amount"] for tax in invoice["total_taxes"])
    fields = "".join(
        f"<p>{escape(item['name'])}: {escape(item['value'])}"
        for item in invoice["custom_fields"] or []
    )
    return page(
        f"Invoice {invoice['number']}",
        f"<h1>Invoice {escape(invoice['number'])}</h1>"
        f"<p>{escape(invoice['customer_name'] or '')}<br>{standing(invoice)}{fields}"
        f"<table>{lines}<tr><td>VAT<td>{euros(vat)}"
        f"<tr><th>Total<th>{euros(invoice['total'])}</table>"
        f'{form(invoice)}<p><a href="{escape(invoice["invoice_pdf"])}">PDF</a>',
    )


def form(invoice: Json) -> str:
    """Return the buttons of an open invoice; a direct debit offers both of its outcomes."""
    if invoice["status"] != "open":
        return ""
    debit = invoice["collection_method"] == "charge_automatically"
    shown = ("settle", "refuse") if debit else ("pay",)
    buttons = "".join(
        f'<button name="outcome" value="{name}">'
        f"{BUTTONS[name].format(amount=euros(invoice['amount_remaining']))}</button>"
        for name in shown
    )
    return f'<form method="post"><p>{buttons}</form>'


def press(state: State, token: str, outcome: str, base_url: str) -> None:
    """Do what a button says."""
    invoice = invoices.by_token(state, token)
    call = Call(state, {"invoice": invoice["id"]}, base_url=base_url)
    if outcome not in BUTTONS:
        raise ApiError(400, f"Unknown outcome: {outcome}", param="outcome")
    if outcome == "refuse":
        invoices.fail_debit(call)
    else:
        invoices.pay(call)


def checkout_page(state: State, identity: str) -> str:
    session = session_of(state, identity)
    what = "Give a mandate for direct debits"
    if session["mode"] == "payment":
        what = f"Pay {euros(session['amount_total'])}"
    if session["status"] != "open":
        return page("Checkout", f"<h1>Checkout</h1><p>This session is {session['status']}.")
    return page(
        "Checkout",
        f'<h1>Checkout</h1><form method="post"><p>'
        f'<button name="outcome" value="complete">{what}</button>'
        f'<button name="outcome" value="cancel">Back</button></form>',
    )


def press_checkout(state: State, identity: str, outcome: str, base_url: str) -> str:
    """Do what a button says and return where the client goes then."""
    session = session_of(state, identity)
    if outcome == "complete":
        checkout.complete(Call(state, {"session": identity}, base_url=base_url))
        url: str = session["success_url"]
        return url.replace("{CHECKOUT_SESSION_ID}", identity)
    if outcome != "cancel":
        raise ApiError(400, f"Unknown outcome: {outcome}", param="outcome")
    return session["cancel_url"] or f"{base_url}/c/{identity}"


def session_of(state: State, identity: str) -> Json:
    session = state.find("session", identity)
    if session is None:
        raise no_such("checkout.session", identity, param="session")
    return session


def standing(invoice: Json) -> str:
    if invoice["status"] == "paid":
        return f"Paid on {day(invoice['status_transitions']['paid_at'])}"
    if invoice["due_date"]:
        return f"Due on {day(invoice['due_date'])}"
    tried = invoice["attempt_count"]
    return f"Direct debit, refused {tried} times" if tried else "Collected by direct debit"


def invoice_pdf(state: State, token: str) -> bytes:
    invoice = invoices.by_token(state, token)
    lines = [
        f"{line['description']}: {euros(line['amount'])}"
        for line in invoices.all_lines(state, invoice["id"])
    ]
    vat = sum(tax["amount"] for tax in invoice["total_taxes"])
    return pdf.document(
        [
            f"Invoice {invoice['number']} (Stripe sandbox, no real invoice)",
            invoice["customer_name"] or "",
            standing(invoice),
            "",
            *lines,
            "",
            f"VAT: {euros(vat)}",
            f"Total: {euros(invoice['total'])}",
        ]
    )


def page(title: str, body: str) -> str:
    return PAGE.substitute(title=escape(title), body=body)


def euros(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}€ {abs(cents) // 100:,}.{abs(cents) % 100:02}"


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
