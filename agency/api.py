"""What all of the read-only API shares, and organisations.

A person sees what `visible_to` says; anything else is not found, as if it did not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.viewsets import ReadOnlyModelViewSet

from agency.accounts import signed_in
from agency.models import Organisation
from agency.money import plain_hours

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from agency.month import Month


class Pages(CursorPagination):
    """Pages in the order of the random key: the next page costs as much as the first."""

    page_size = 100
    ordering = "id"


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d{2}$", "example": "2026-03"})
class MonthField(serializers.Field[Any, Any, str, Any]):
    """A month as ``YYYY-MM``."""

    def to_representation(self, value: Month) -> str:
        return str(value)


@extend_schema_field({"type": "string", "example": "3.5"})
class HoursField(serializers.Field[Any, Any, str, Any]):
    """Quarter-hours as a decimal number of hours, in text so that nothing is rounded."""

    def to_representation(self, value: int) -> str:
        return plain_hours(value)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("organisation", str, description="Only what is of this client's code.")
        ]
    )
)
class VisibleViewSet(ReadOnlyModelViewSet[Any]):
    """Lists and single rows of what the person may see, by `visible_to` of the rows' query set."""

    pagination_class = Pages
    lookup_value_converter = "uuid"
    code_lookup = "organisation__code"

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the schema is made without a person
            rows = rows.none()
        else:
            rows = rows.visible_to(signed_in(self.request))
        code = self.request.query_params.get("organisation")
        found: QuerySet[Any] = rows.filter(**{self.code_lookup: code}) if code else rows
        return found


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = (
            "id",
            "code",
            "legal_name",
            "street",
            "postcode",
            "city",
            "country",
            "kvk_number",
            "oin",
            "vat_id",
            "language",
            "parent",
        )


class OrganisationViewSet(VisibleViewSet):
    queryset = Organisation.objects.order_by("code")
    serializer_class = OrganisationSerializer
    code_lookup = "code"
