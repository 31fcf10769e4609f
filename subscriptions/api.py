"""Statements and invoices in the read-only API."""

from __future__ import annotations

from rest_framework import serializers

from agency.api import HoursField, MonthField, VisibleViewSet
from subscriptions.models import Invoice, InvoiceLine, Statement


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """What was published of a period; ``used_hours`` is null unless the display is exact."""

    organisation = serializers.CharField(source="organisation.code", read_only=True)
    from_month = MonthField(read_only=True)
    until_month = MonthField(read_only=True)
    used_hours = HoursField(source="used_quarters", read_only=True, allow_null=True)
    allowance_hours = HoursField(source="allowance_quarters", read_only=True)
    overage_hours = HoursField(source="overage_quarters", read_only=True)
    published_on = serializers.DateField(
        source="publication.published_on", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = Statement
        fields = (
            "id",
            "organisation",
            "from_month",
            "until_month",
            "version",
            "display",
            "used_hours",
            "allowance_hours",
            "overage_hours",
            "published_on",
        )


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    from_month = MonthField(read_only=True)
    until_month = MonthField(read_only=True)

    class Meta:
        model = InvoiceLine
        fields = (
            "kind",
            "description",
            "quantity_hundredths",
            "unit_cents",
            "net_cents",
            "vat_category",
            "vat_rate_basis_points",
            "vat_cents",
            "from_month",
            "until_month",
        )


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    """A document of who pays it; ``organisation`` is who was served, most often the same."""

    organisation = serializers.CharField(source="organisation.code", default=None, read_only=True)
    payer = serializers.CharField(source="payer.code", default=None, read_only=True)
    run_month = MonthField(read_only=True)
    lines = InvoiceLineSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = (
            "id",
            "organisation",
            "payer",
            "kind",
            "state",
            "number",
            "run_month",
            "po_number",
            "currency",
            "net_cents",
            "vat_cents",
            "total_cents",
            "invoice_on",
            "due_on",
            "paid_on",
            "hosted_url",
            "pdf_url",
            "lines",
        )


class StatementViewSet(VisibleViewSet):
    queryset = Statement.objects.select_related("organisation", "publication")
    serializer_class = StatementSerializer


class InvoiceViewSet(VisibleViewSet):
    queryset = Invoice.objects.select_related("organisation", "payer").prefetch_related("lines")
    serializer_class = InvoiceSerializer
