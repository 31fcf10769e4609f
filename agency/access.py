"""What each role may do with each kind of thing, as one table.

Staff permissions follow Django's names (``app.action_model``). Hours have no row here and are
registered nowhere: no role reads them through the admin, an administrator included.
"""

from __future__ import annotations

READ_ALL = frozenset({"planner", "controller", "administrator", "auditor"})
HOURS_MODELS = frozenset({"drafthours", "monthhours", "hoursadjustment"})

CHANGES = {
    "planner": frozenset(
        {
            "agency.organisation", "agency.contact", "agency.headcount", "agency.user",
            "advisors.advisor", "advisors.assignment", "advisors.qualification",
            "advisors.cpdentry", "advisors.absence", "advisors.monthsubmission",
            "workshops.session", "workshops.offering", "workshops.enrolment",
        }
    ),
    "controller": frozenset(
        {
            "agency.organisation", "agency.contact", "agency.headcount", "agency.agency",
            "advisors.costrate",
            "subscriptions.subscription", "subscriptions.terms", "subscriptions.pricebook",
            "subscriptions.priceband", "subscriptions.purchaseorder", "subscriptions.topupcard",
            "subscriptions.invoice", "subscriptions.taxtreatment", "subscriptions.cpivalue",
            "subscriptions.tierchangerequest",
            "workshops.offering", "workshops.cancellationrung",
        }
    ),
    "administrator": frozenset({"agency.user", "agency.agency", "agency.contact"}),
}  # fmt: skip


def may(role: str, permission: str) -> bool:
    """Tell whether a role has a Django permission such as ``agency.change_organisation``."""
    app, _, name = permission.partition(".")
    action, _, model = name.partition("_")
    if role not in READ_ALL or model in HOURS_MODELS:
        return False
    return action == "view" or f"{app}.{model}" in CHANGES.get(role, frozenset())
