"""Price books and VAT treatments."""

from __future__ import annotations

from itertools import pairwise

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin
from agency.admin_columns import column
from agency.admin_rows import LabelledFormSet, Rows
from agency.templatetags.figures import amount, month, percent
from subscriptions.admin.vat_returns import WithReturns
from subscriptions.models import (
    InvoiceLine,
    PriceBand,
    PriceBook,
    TaxTreatment,
    YearPrice,
)


class BandFormSet(LabelledFormSet):
    """Takes the bands that the agency workbook takes: no tier overlaps or leaves a gap."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        filled = (form for form in self.forms if form.cleaned_data)
        kept = [form for form in filled if not form.cleaned_data.get("DELETE")]
        kept.sort(key=lambda form: (form.cleaned_data["tier"], form.cleaned_data["min_headcount"]))
        for below, form in pairwise(kept):
            least, most = form.cleaned_data["min_headcount"], below.cleaned_data["max_headcount"]
            if below.cleaned_data["tier"] != form.cleaned_data["tier"]:
                continue
            if most is None or least <= most:
                form.add_error("min_headcount", _("This band overlaps the one below it."))
            elif least > most + 1:
                form.add_error("min_headcount", _("This band leaves a gap after the one below it."))


class Bands(Rows):
    model = PriceBand
    formset = BandFormSet


@admin.register(PriceBook)
class PriceBookAdmin(StaffAdmin):
    list_display = (column("valid_from", _("valid from"), month),)
    ordering = ("-valid_from",)
    inlines = (Bands,)


@admin.register(TaxTreatment)
class TaxTreatmentAdmin(WithReturns):
    list_display = (
        "category",
        column("valid_from", _("valid from"), month),
        column("rate_basis_points", _("rate in %"), percent),
        "exemption_code",
    )
    ordering = ("category", "-valid_from")

    def is_used(self, obj: TaxTreatment) -> bool:
        lines = InvoiceLine.objects.filter(vat_category=obj.category)
        return lines.filter(invoice__run_month__gte=obj.valid_from).exists()


@admin.register(YearPrice)
class YearPriceAdmin(StaffAdmin):
    """Prices as they were frozen with the first line of a contract year."""

    list_display = (
        column("subscription__organisation", _("organisation"), str),
        column("year_month", _("contract year from"), month),
        "tier",
        column("annual_fee_cents", _("fee a year in €"), amount),
    )
    list_filter = ("tier",)
    list_select_related = ("subscription__organisation",)
    search_fields = ("subscription__organisation__legal_name",)
