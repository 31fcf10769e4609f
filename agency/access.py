"""What each role may do with each kind of thing, as one table.

Staff permissions follow Django's names (``app.action_model``). Hours have no row here and are
registered nowhere: no role reads them through the admin, an administrator included.
"""

from __future__ import annotations

READERS = frozenset({"planner", "controller", "administrator", "auditor"})
HOURS_MODELS = frozenset({"drafthours", "monthhours", "hoursadjustment"})

CHANGES = {
    "planner": frozenset(
        {
            "agency.organisation", "agency.contact", "agency.user",
            "advisors.advisor", "advisors.assignment", "advisors.qualification",
            "advisors.cpdentry", "advisors.absence", "advisors.monthsubmission",
            "workshops.session", "workshops.offering", "workshops.enrolment",
            "subscriptions.headcountdeclaration",
        }
    ),
    "controller": frozenset(
        {
            "agency.organisation", "agency.contact", "agency.agency",
            "advisors.advisor", "advisors.costrate",
            "subscriptions.subscription", "subscriptions.terms", "subscriptions.pricebook",
            "subscriptions.priceband", "subscriptions.purchaseorder", "subscriptions.topupcard",
            "subscriptions.invoice", "subscriptions.taxtreatment", "subscriptions.cpivalue",
            "subscriptions.tierchangerequest", "subscriptions.headcountdeclaration",
            "workshops.offering", "workshops.cancellationrung",
        }
    ),
    "administrator": frozenset({"agency.user", "agency.agency", "agency.contact"}),
}  # fmt: skip

# What a role has no need to know: what advisors cost, and what is said between us and Stripe.
# A controller, and an auditor with them, reads everything.
HIDDEN = {
    "planner": frozenset(
        {
            "advisors.costrate", "subscriptions.stripecustomer", "subscriptions.stripestep",
            "subscriptions.stripeevent",
        }
    ),
    "administrator": frozenset({"advisors.costrate"}),
}  # fmt: skip


def may(role: str, permission: str) -> bool:
    """Tell whether a role has a Django permission such as ``agency.change_organisation``."""
    app, _, name = permission.partition(".")
    action, _, model = name.partition("_")
    if role not in READERS or model in HOURS_MODELS:
        return False
    if action == "view":
        return f"{app}.{model}" not in HIDDEN.get(role, frozenset())
    return f"{app}.{model}" in CHANGES.get(role, frozenset())
