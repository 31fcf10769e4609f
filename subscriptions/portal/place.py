"""Where a contact looks: the own organisation that an address names, and the frame of its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from agency.accounts import signed_in
from agency.models import Contact, ContactRole
from agency.today import today

if TYPE_CHECKING:
    from agency.models import Organisation

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact looks: the organisation, their role there, and the others they may see."""

    contact: Contact
    contacts: list[Contact]

    @property
    def organisation(self) -> Organisation:
        return self.contact.organisation

    @property
    def is_owner(self) -> bool:
        return self.contact.role == ContactRole.OWNER

    @property
    def sees_to_invoices(self) -> bool:
        return self.contact.role in {ContactRole.OWNER, ContactRole.BILLING}

    def only_for_owners(self) -> None:
        """Raise PermissionDenied for anybody but an owner."""
        if not self.is_owner:
            raise PermissionDenied


def of_own_organisation(view: View) -> View:
    """Hand the view the place that the address names; 404 for anybody else's, or for none."""

    @wraps(view)
    def wrapped(
        request: HttpRequest, organisation_id: UUID, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        contacts = own_contacts(request)
        for contact in contacts:
            if contact.organisation_id == organisation_id:
                return view(request, Place(contact, contacts), *args, **kwargs)
        raise Http404

    return wrapped


def own_contacts(request: HttpRequest) -> list[Contact]:
    """Give the places that the person behind a request has, by the organisations' names."""
    own = Contact.objects.filter(user=signed_in(request)).select_related("organisation", "user")
    return list(own.order_by("organisation__legal_name"))


def page(
    request: HttpRequest, place: Place, name: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    common = {"place": place, "organisation": place.organisation, "page": name, "today": today()}
    return render(request, f"portal/{name}.html", common | context, status=status)


def download(content: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
