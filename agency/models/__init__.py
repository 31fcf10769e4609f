"""Who: people, organisations and what they may see. Nothing here knows of hours or contracts."""

from agency.models.entity import Entity
from agency.models.organisations import (
    Contact,
    ContactRole,
    Headcount,
    Invitation,
    LegalName,
    OfClients,
    Organisation,
    OrganisationQuerySet,
    Sector,
    VatAnswer,
    VatConsultation,
)
from agency.models.people import AuditEvent, Language, Role, SavedFilter, User, UserManager
from agency.models.seller import Agency, CrkboRegistration

__all__ = [
    "Agency",
    "AuditEvent",
    "Contact",
    "ContactRole",
    "CrkboRegistration",
    "Entity",
    "Headcount",
    "Invitation",
    "Language",
    "LegalName",
    "OfClients",
    "Organisation",
    "OrganisationQuerySet",
    "Role",
    "SavedFilter",
    "Sector",
    "User",
    "UserManager",
    "VatAnswer",
    "VatConsultation",
]
