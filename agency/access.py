"""The role matrix: what each role may do with each kind of row and at each address.

`agency.gate` holds every request against it, and Django's admin asks `may` for the rest: which
buttons, actions and parts of a page a person is shown. Whose rows they are is a second question,
which the query sets answer (`visible_to`). An address or a table without a line is open to nobody.

Hours have no line: no role reads them through the admin, an administrator included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

ANONYMOUS = "anonymous"
STAFF = ("planner", "controller", "administrator", "auditor")
PEOPLE = (*STAFF, "advisor", "contact")
GROUPS = {
    "-": (),
    "staff": STAFF,
    "workers": ("planner", "controller", "administrator"),
    "people": PEOPLE,
    "anybody": (*PEOPLE, ANONYMOUS),
    "books": ("controller", "auditor"),
    "planning": ("planner", "controller"),
    "office": ("controller", "administrator", "auditor"),
    "clients": (*STAFF, "contact"),  # who may read what clients are told
}

# Tables in which each entry would tell that somebody called. No page reads them but the advisor's
# own (`agency.gate`), and none writes them but that of moving in, while no client is here; a
# client's page does not even learn who has handed in a month, what a band took from a card, or that
# somebody looked behind a statement.
HOURS_MODELS = frozenset({"drafthours", "monthhours", "hoursadjustment"})
LEDGER = frozenset(f"advisors_{model}" for model in HOURS_MODELS)
CLOSED_TO_CLIENTS = LEDGER | {
    "advisors_monthsubmission",
    "subscriptions_booksopening",
    "subscriptions_carduse",
}
READ_THE_LEDGER = {
    **dict.fromkeys(
        ("hours:start", "hours:month", "hours:submit", "hours:take_back"), ("advisor",)
    ),
    "admin:subscriptions_booksopening_totals": ("controller", "auditor"),  # one period, by two
    "admin:moving_in_read": ("administrator",),  # writes the hours of a workbook, tells their rows
}

# Letters: r read, a add, c change, d delete, h handle (the actions of its list).
# A planner sees what was published and what is planned, neither what advisors cost nor what we
# and Stripe say to each other. An auditor reads what a controller reads.
_ROWS = """
                                planner controller administrator auditor
agency.agency                   r       rac        rac           r
agency.auditevent               -       r          r             r
agency.contact                  racd    racd       r             r
agency.crkboregistration        r       racd       racd          r
agency.headcount                r       r          r             r
agency.legalname                r       ra         r             r
agency.organisation             rach    rach       r             r
agency.user                     rac     r          rac           r
agency.vatconsultation          r       r          r             r

advisors.absence                racd    r          r             r
advisors.advisor                rac     rc         r             r
advisors.assignment             rac     r          r             r
advisors.closedmonth            r       r          r             r
advisors.costrate               -       rac        -             r
advisors.cpdentry               rac     r          r             r
advisors.monthsubmission        r       r          r             r
advisors.qualification          rac     r          r             r

workshops.cancellationrung      r       racd       r             r
workshops.enrolment             racd    r          r             r
workshops.offering              rac     rac        r             r
workshops.session               rach    r          r             r

subscriptions.acceptedrun       r       ra         r             r
subscriptions.billedoccurrence  r       r          r             r
subscriptions.bookkeepingcode   -       racd       r             r
subscriptions.booksopening      -       rah        -             rh
subscriptions.carduse           -       r          -             r
subscriptions.collectionpolicy  r       rac        r             r
subscriptions.contest           r       rah        r             r
subscriptions.cpivalue          r       rac        r             r
subscriptions.einvoicemail      -       r          r             r
subscriptions.debitnotice       r       r          r             r
subscriptions.headcountdeclaration  rah  rah       r             r
subscriptions.indexationrun     r       racdh      r             r
subscriptions.indexedcontract   r       r          r             r
subscriptions.interestrate      r       rac        r             r
subscriptions.invoice           r       rh         r             r
subscriptions.invoiceline       r       r          r             r
subscriptions.job               r       r          r             r
subscriptions.mandate           r       rah        r             r
subscriptions.overagecredit     r       r          r             r
subscriptions.parkedorganisation r      racd       r             r
subscriptions.pause             r       rad        r             r
subscriptions.payer             r       racd       r             r
subscriptions.paymentplan       r       rh         r             r
subscriptions.planpart          r       r          r             r
subscriptions.priceband         r       rac        r             r
subscriptions.pricebook         r       rac        r             r
subscriptions.publication       r       r          r             r
subscriptions.purchaseorder     r       rac        r             r
subscriptions.quote             racdh   racdh      r             r
subscriptions.receipt           r       r          r             r
subscriptions.releasepolicy     r       r          r             r
subscriptions.reminder          r       r          r             r
subscriptions.statement         r       r          r             r
subscriptions.stripecustomer    -       r          r             r
subscriptions.stripedifference  -       rh         r             r
subscriptions.stripeevent       -       r          r             r
subscriptions.stripestep        -       r          r             r
subscriptions.subscription      r       rac        r             r
subscriptions.takeover          r       rad        r             r
subscriptions.taxtreatment      r       rac        r             r
subscriptions.terms             r       ra         r             r
subscriptions.tierchangerequest r       rh         r             r
subscriptions.topupcard         r       rac        r             r
subscriptions.writeoff          -       rh         r             r
subscriptions.yearprice         r       r          r             r
"""

# Columns that fewer people read or change than the row they stand in; a row is entered whole.
# Codes to sign in go to the address, and with an advisor's sign-in go the open hours.
_FIELDS = """
                                reads    changes
agency.user.password            -        -
agency.user.email               staff    administrator
agency.user.role                staff    administrator
advisors.advisor.user           staff    -
advisors.advisor.code           staff    planner
advisors.advisor.phone          staff    planner
advisors.advisor.languages      staff    planner
advisors.advisor.provinces      staff    planner
advisors.advisor.capacity_quarters  staff  planner
advisors.advisor.kvk_number     books    controller
advisors.advisor.vat_id         books    controller
advisors.advisor.iban           books    controller
subscriptions.invoice.stripe_id  office  -
"""

# Who reads (GET, HEAD) and who writes (POST); other methods are used nowhere. The pages of a
# table in the admin follow from the lines above.
_ADDRESSES = """
                                reads    writes
start                           people   -
set_language                    -        anybody
healthz                         anybody  -
readyz                          anybody  -
stripe_webhook                  -        anybody
info                            anybody  -
info_in_english                 anybody  -

account_login                   anybody  anybody
account_request_login_code      anybody  anybody
account_confirm_login_code      anybody  anybody
account_inactive                anybody  -
account_logout                  anybody  anybody
account_reauthenticate          people   people
account_change_password         people   people
account_go_on                   people   -
account_sessions                people   people
mfa_authenticate                anybody  anybody
mfa_reauthenticate              people   people
mfa_index                       people   -
mfa_activate_totp               people   people
mfa_deactivate_totp             people   people
mfa_view_recovery_codes         people   -
mfa_generate_recovery_codes     people   people
mfa_download_recovery_codes     people   -
mfa_login_webauthn              anybody  anybody
mfa_reauthenticate_webauthn     people   people
mfa_list_webauthn               people   -
mfa_add_webauthn                people   people
mfa_edit_webauthn               people   people
mfa_remove_webauthn             people   people

admin:index                     staff    -
admin:find                      staff    -
admin:filters                   -        staff
admin:app_list                  staff    -
admin:autocomplete              staff    -
admin:jsi18n                    staff    -
admin:login                     -        -
admin:logout                    -        -
admin:password_change           -        -
admin:password_change_done      -        -
admin:view_on_site              -        -
admin:agency_organisation_overview  staff  -
admin:month_list               staff    -
admin:month                    staff    -
admin:month_step               staff    -
admin:month_remind             -        planning
admin:month_close              -        controller
admin:month_draft              -        controller
admin:month_approve            -        controller
admin:month_push               -        controller
admin:month_workbooks          -        controller
admin:first_start               administrator  -
admin:first_start_test          -        administrator
admin:mails                     staff    -
admin:mails_body                staff    -
admin:mails_send                -        workers
admin:moving_in                 administrator  -
admin:moving_in_read            -        administrator
admin:moving_in_template        administrator  -
admin:subscriptions_invoice_credit  controller  controller
admin:subscriptions_bookkeepingcode_export  books  -
admin:subscriptions_invoice_einvoice  staff  -
admin:subscriptions_invoice_explain  staff  -
admin:subscriptions_invoice_received  controller  controller
admin:subscriptions_invoice_late  books  -
admin:subscriptions_invoice_plan  controller  controller
admin:subscriptions_invoice_write_off  controller  controller
admin:subscriptions_booksopening_totals  books  -
admin:subscriptions_job_state  staff    -
admin:subscriptions_job_go_on  -        controller
admin:subscriptions_job_result  books   -
admin:subscriptions_quote_document  staff  -
admin:subscriptions_quote_sign  controller  controller
admin:subscriptions_reminder_plan  staff  -
admin:subscriptions_taxtreatment_return  books  -
admin:subscriptions_indexationrun_dry_run  staff  -
admin:subscriptions_indexationrun_letters  staff  -
admin:subscriptions_indexationrun_workbook  staff  -

hours:start                     advisor  -
hours:month                     advisor  advisor
hours:submit                    -        advisor
hours:take_back                 -        advisor

portal:start                    contact  -
portal:overview                 contact  -
portal:statements               contact  -
portal:workbook                 contact  -
portal:invoices                 contact  -
portal:invoice                  contact  -
portal:einvoice                 contact  -
portal:orders                   contact  contact
portal:details                  contact  contact
portal:sessions                 contact  -
portal:employees                contact  contact
portal:poster                   contact  -
portal:intranet                 contact  -
portal:subscription             contact  contact
portal:people                   contact  contact
portal:person                   contact  contact
portal:removal                  contact  contact
portal:transfer                 contact  contact
portal:uninvite                 -        contact
portal:notices                  contact  contact
portal:promise                  contact  -

schema                          clients  -
api:organisation-list           clients  -
api:organisation-detail         clients  -
api:statement-list              clients  -
api:statement-detail            clients  -
api:invoice-list                clients  -
api:invoice-detail              clients  -
api:session-list                clients  -
api:session-detail              clients  -
"""

# Who writes at an address that begins so has to have proven lately who it is (`agency.again`).
MONEY_AND_RIGHTS = (
    "admin:agency_user_",
    "admin:agency_agency_",
    "admin:advisors_advisor_",  # where we pay to
    "admin:advisors_costrate_",
    "admin:subscriptions_invoice_",
    "admin:month_approve",
    "admin:month_push",
    "admin:subscriptions_writeoff_",
    "admin:subscriptions_mandate_",
    "admin:subscriptions_payer_",
    "admin:subscriptions_pricebook_",
    "admin:subscriptions_indexationrun_",
    "admin:subscriptions_quote_sign",
    "admin:subscriptions_booksopening_",
    "admin:moving_in_read",
    "portal:details",  # where invoices go
    "portal:people",
    "portal:person",
    "portal:removal",
    "portal:transfer",
)

_LETTERS = {"view": "r", "add": "a", "change": "c", "delete": "d", "handle": "h"}
# The pages of a table in the admin: the letters that open it, and those that write there.
_PAGES = {
    "changelist": ("r", "dh"),
    "add": ("a", "a"),
    "change": ("r", "c"),
    "delete": ("d", "d"),
    "history": ("r", ""),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Who may read an address and who may write there, by role."""

    readers: frozenset[str]
    writers: frozenset[str]

    def admits(self, method: str) -> frozenset[str]:
        if method in {"GET", "HEAD"}:
            return self.readers
        return self.writers if method == "POST" else frozenset()


def _lines(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line.strip()]


def _read_rows() -> dict[str, dict[str, str]]:
    """Give the letters by table and role."""
    roles, *lines = _lines(_ROWS)
    return {label: dict(zip(roles, letters, strict=True)) for label, *letters in lines}


def _read_pairs(table: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Give who reads and who writes, by name."""
    found = {}
    for name, *whos in _lines(table)[1:]:
        readers, writers = (frozenset(GROUPS.get(who, (who,))) for who in whos)
        found[name] = (readers, writers)
    return found


def _read_addresses(rows: Mapping[str, Mapping[str, str]]) -> dict[str, Address]:
    """Give the addresses by name, those of tables in the admin among them."""
    found = {name: Address(*whos) for name, whos in _read_pairs(_ADDRESSES).items()}
    events = rows["agency.auditevent"]
    for label, letters in rows.items():
        for page, needed in _PAGES.items():
            readers, writers = (
                frozenset(role for role, has in letters.items() if set(has) & set(wanted))
                for wanted in needed
            )
            if page == "history":  # it shows the row's audit events
                readers = frozenset(role for role in readers if "r" in events[role])
            found[f"admin:{label.replace('.', '_')}_{page}"] = Address(readers, writers)
    return found


ROWS = _read_rows()
FIELDS = _read_pairs(_FIELDS)
ADDRESSES = _read_addresses(ROWS)


@cache
def may(role: str, permission: str) -> bool:
    """Tell whether a role has a Django permission such as ``agency.change_organisation``.

    ``handle`` is the permission to run the actions of a table's list.
    """
    app, _, name = permission.partition(".")
    action, _, model = name.partition("_")
    letters = ROWS.get(f"{app}.{model}", {}).get(role, "")
    return _LETTERS.get(action, "?") in letters


def reads(role: str, label: str, column: str) -> bool:
    """Tell whether a role reads a column of a table, such as ``iban`` of ``advisors.advisor``."""
    line = FIELDS.get(f"{label}.{column}")
    return "r" in ROWS.get(label, {}).get(role, "") and (line is None or role in line[0])


def changes(role: str, label: str, column: str) -> bool:
    """Tell whether a role changes a column of a row that is there."""
    line = FIELDS.get(f"{label}.{column}")
    return "c" in ROWS.get(label, {}).get(role, "") and (line is None or role in line[1])
