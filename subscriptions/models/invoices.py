"""What was billed. A drafted line never changes; corrections are documents that point back."""

from __future__ import annotations

from enum import nonmember
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agency.fields import MonthField, MonthRangeField
from agency.models import Entity, Organisation, Role, User
from subscriptions.models.conditions import Collection
from subscriptions.models.prices import VatCategory


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("invoice")
    CREDIT = "credit", _("credit note")


class InvoiceState(models.TextChoices):
    """Where a document stands; it only moves forward, except that a paid debit may bounce.

    `subscriptions.billing` moves draft, blocked and approved; `subscriptions.push` moves on to
    open; `subscriptions.inbox` follows Stripe from there. Overdue is not a state but a date.
    """

    DRAFT = "draft", _("draft")
    BLOCKED = "blocked", _("blocked")
    APPROVED = "approved", _("approved")
    PARKED = "parked", _("parked")
    OPEN = "open", _("open")
    PAID = "paid", _("paid")
    VOID = "void", _("void")
    UNCOLLECTIBLE = "uncollectible", _("uncollectible")
    # All lines are 0: settled without a document.
    SETTLED = "settled", _("settled")

    unsent = nonmember(frozenset({"draft", "blocked", "approved", "parked"}))
    released = nonmember(frozenset({"open", "paid", "void", "uncollectible"}))
    # What was given up may be paid all the same: Stripe takes it, and so does our bank.
    payable = nonmember(frozenset({"open", "uncollectible"}))


class BlockedReason(models.TextChoices):
    """Why a document cannot be approved (design 5.9); the first that applies is named."""

    VAT_ID_PENDING = "vat_id_pending", _("VAT id not checked")
    INCOMPLETE = "incomplete", _("address or KVK number missing")
    PO_MISSING = "po_missing", _("purchase order missing")
    PO_SPENT = "po_spent", _("budget of the purchase order used up")
    BOUND = "bound", _("unusually high: look first")


# Few rows credit another one: only these are looked up by it, and a run writes thousands.
CREDITS_SOMETHING = Q(credit_of__isnull=False)


class CreditReason(models.TextChoices):
    """Why staff credit what was sent; what a run gives back of overage names no reason."""

    PARTICULARS = "particulars", _("particulars or order number wrong")
    AMOUNT = "amount", _("price or amount wrong")
    TWICE = "twice", _("billed twice")
    NOT_DELIVERED = "not_delivered", _("not delivered")
    CONTRACT = "contract", _("contract ended or changed")
    GOODWILL = "goodwill", _("goodwill")


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: User) -> InvoiceQuerySet:
        """Staff read all; a contact reads what was sent to an own organisation, which pays it."""
        if user.is_staff:
            return self.all()
        sent = self.filter(state__in=InvoiceState.released)
        is_contact = user.role == Role.CONTACT
        return sent.filter(payer__contacts__user=user) if is_contact else self.none()


class Invoice(Entity):
    """A document of a run: one per client served and purchase order, both parties frozen."""

    kind = models.CharField(_("kind"), max_length=10, choices=InvoiceKind, default="invoice")
    state = models.CharField(
        _("state"), max_length=15, choices=InvoiceState, default=InvoiceState.DRAFT
    )
    blocked_reason = models.CharField(
        _("blocked because"), max_length=20, choices=BlockedReason, blank=True
    )
    run_month = MonthField(_("run"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    # Whose document it is: the client itself, or who pays for it then; none of a one-off buyer.
    payer = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payable",
        verbose_name=_("payer"),
    )
    # Who was served, as printed; empty where that is the buyer.
    served_name = models.CharField(_("for"), max_length=200, blank=True)
    credit_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="credits", db_index=False
    )
    credit_reason = models.CharField(
        _("credited because"), max_length=20, choices=CreditReason, blank=True
    )
    po_number = models.CharField(_("purchase order"), max_length=100, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    net_cents = models.BigIntegerField(_("net"))
    vat_cents = models.BigIntegerField(_("VAT"))
    total_cents = models.BigIntegerField(_("total"))
    due_days = models.PositiveSmallIntegerField(_("payment days"))
    collection = models.CharField(_("collection"), max_length=10, choices=Collection)
    language = models.CharField(_("language"), max_length=2)

    buyer_name = models.CharField(_("buyer"), max_length=200)
    buyer_street = models.CharField(max_length=200, blank=True)
    buyer_postcode = models.CharField(max_length=20, blank=True)
    buyer_city = models.CharField(max_length=100, blank=True)
    buyer_country = models.CharField(max_length=2)
    buyer_kvk_number = models.CharField(max_length=20, blank=True)
    buyer_vat_id = models.CharField(max_length=20, blank=True)
    buyer_email = models.EmailField(blank=True)
    seller_name = models.CharField(max_length=200)
    seller_street = models.CharField(max_length=200)
    seller_postcode = models.CharField(max_length=20)
    seller_city = models.CharField(max_length=100)
    seller_country = models.CharField(max_length=2)
    seller_kvk_number = models.CharField(max_length=8)
    seller_vat_id = models.CharField(max_length=20)
    seller_iban = models.CharField(max_length=34)

    number = models.CharField(_("number"), max_length=40, blank=True)
    invoice_on = models.DateField(_("invoice date"), null=True, blank=True)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    debit_failed_on = models.DateField(_("debit failed on"), null=True, blank=True)
    # At our own bank; a payment that came through Stripe has none.
    received_on = models.DateField(_("received by the bank on"), null=True, blank=True)
    parked_because = models.CharField(_("parked because"), max_length=300, blank=True)
    # Of a large document only; see `subscriptions.bounds`. Nobody looks documents up by them.
    approved_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
        db_index=False,
    )
    seconded_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("and by"),
        db_index=False,
    )
    stripe_id = models.CharField(_("Stripe id"), max_length=60, blank=True)
    # Whether that is a document of real money; unknown of what was sent before this was kept.
    livemode = models.BooleanField(_("real money"), null=True)
    hosted_url = models.URLField(_("payment page"), max_length=500, blank=True)
    pdf_url = models.URLField(_("PDF"), max_length=500, blank=True)

    objects = InvoiceQuerySet.as_manager()

    # Others are looked for by the names of who was served and of who pays; see `agency.search`.
    SEARCHED_WITHOUT: ClassVar = {"buyer_name": "organisation"}

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering: ClassVar = ["-run_month", "organisation", "po_number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="one_invoice_per_stripe_id"
            ),
            models.UniqueConstraint(
                fields=["number"], condition=~Q(number=""), name="one_invoice_per_number"
            ),
            models.CheckConstraint(
                condition=Q(total_cents=F("net_cents") + F("vat_cents")),
                name="total_is_net_and_vat",
            ),
            models.CheckConstraint(
                condition=Q(organisation__isnull=True, payer__isnull=True)
                | Q(organisation__isnull=False, payer__isnull=False),
                name="document_of_a_client_says_who_pays",
            ),
            models.CheckConstraint(
                condition=Q(state="blocked") & ~Q(blocked_reason="")
                | ~Q(state="blocked") & Q(blocked_reason=""),
                name="blocked_invoice_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["open", "paid"]) | ~Q(number=""),
                name="sent_invoice_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", credit_of__isnull=True)
                | Q(kind="credit", credit_of__isnull=False),
                name="credit_points_to_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(received_on__isnull=True) | ~Q(number="") & Q(kind="invoice"),
                name="what_the_bank_received_pays_a_sent_invoice",
            ),
            models.CheckConstraint(
                condition=Q(credit_reason="")
                | Q(kind="credit", credit_reason__in=CreditReason.values),
                name="credit_is_given_for_a_known_reason",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by__isnull=True)
                | Q(approved_by__isnull=False) & ~Q(seconded_by=F("approved_by")),
                name="large_document_takes_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state__in=InvoiceState.values), name="invoice_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=InvoiceKind.values)
                & Q(collection__in=Collection.values)
                & Q(blocked_reason__in=["", *BlockedReason.values]),
                name="invoice_is_of_a_known_kind_and_collection",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run_month", "state"], name="invoice_by_run"),
            # All that the list of a state is ordered and added up by.
            models.Index(
                fields=["state", "-run_month", "buyer_name", "kind", "due_on", "total_cents"],
                name="invoice_by_state",
            ),
            models.Index(
                fields=["credit_of"], name="credits_of_an_invoice", condition=CREDITS_SOMETHING
            ),
            # Searched for parts, and read through for it: with the key nothing else is read.
            models.Index(
                fields=["number", "id"], name="invoice_by_part_of_number", condition=~Q(number="")
            ),
            models.Index(
                fields=["po_number", "id"],
                name="invoice_by_part_of_order",
                condition=~Q(po_number=""),
            ),
            # What our bank received is held against these; a run writes none of them.
            models.Index(
                fields=["id", "received_on", "state", "total_cents"],
                name="invoices_paid_by_bank",
                condition=Q(received_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number or str(self.id)[:8]

    @property
    def is_given_up(self) -> bool:
        """Whether nobody is expected to pay, so far: nothing of it is credited then."""
        is_written_off = self.state == InvoiceState.OPEN and hasattr(self, "write_off")
        return is_written_off or self.state == InvoiceState.UNCOLLECTIBLE


class LineKind(models.TextChoices):
    """Kinds of lines, in the order in which a document names them (design 5.8)."""

    FEE = "fee", pgettext_lazy("kind of line", "subscription")
    SETUP = "setup", _("setup")
    TIER_CHANGE = "tier_change", _("tier change")
    OVERAGE = "overage", _("overage")
    SESSION = "session", _("session")
    TRAVEL = "travel", _("travel")
    CANCELLATION = "cancellation", _("cancellation")
    TOPUP = "topup", _("top-up card")
    SEAT = "seat", _("seat")
    SERVICE = "service", _("service")
    INTEREST = "interest", _("interest")
    CREDIT = "credit", _("credit")


class InvoiceLine(Entity):
    """A line with everything that its amount follows from.

    ``quantity_hundredths`` times ``unit_cents`` need not be ``net_cents``: a fee for part of a
    year is rounded so that the parts add up.
    """

    # The unique position finds the lines of an invoice.
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("kind"), max_length=20, choices=LineKind)
    description = models.CharField(_("description"), max_length=300)
    quantity_hundredths = models.IntegerField(_("quantity"), default=100)
    unit_cents = models.BigIntegerField(_("price per unit"))
    net_cents = models.BigIntegerField(_("net"))
    vat_category = models.CharField(_("VAT category"), max_length=2, choices=VatCategory)
    vat_rate_basis_points = models.PositiveSmallIntegerField(_("VAT rate"))
    vat_cents = models.BigIntegerField(_("VAT"))
    from_month = MonthField()
    until_month = MonthField()
    reference = models.CharField(max_length=60, blank=True)
    occurrence = models.ForeignKey(
        "subscriptions.BilledOccurrence", models.PROTECT, null=True, related_name="lines"
    )
    credit_of = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="credits", db_index=False
    )

    months = MonthRangeField()

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering: ClassVar = ["invoice", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "position"], name="one_line_per_position"),
            models.CheckConstraint(
                condition=Q(kind__in=LineKind.values) & Q(vat_category__in=VatCategory.values),
                name="line_is_of_a_known_kind_and_category",
            ),
            models.CheckConstraint(
                condition=Q(until_month__gt=F("from_month")), name="line_covers_a_month"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["credit_of"], name="credits_of_a_line", condition=CREDITS_SOMETHING
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def kind_of_thing(self) -> str:
        """The kind of what the line bills; of a credit, of what it gives back."""
        return self.credit_of.kind if self.credit_of else self.kind


class OccurrenceState(models.TextChoices):
    """Held by a blocked draft, billed on a document, or settled because its lines are all 0."""

    BILLED = "billed", _("billed")
    HELD = "held", _("held by a blocked document")
    SETTLED = "settled", _("settled, nothing to pay")
    CREDITED = "credited", _("credited in full")


class BilledOccurrence(Entity):
    """A billable thing of one run: the unique key makes a second run a no-op (decision 6).

    The subject is the subscription, card, session, enrolment or credit of overage; ``from_month``
    the first month of what is billed. ``tier`` is the tier a fee was drafted at; ``free`` marks a
    session that the subscription includes. Crediting in full opens the next revision.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="occurrences"
    )
    kind = models.CharField(max_length=20, choices=LineKind)
    subject_id = models.UUIDField()
    from_month = MonthField()
    revision = models.PositiveSmallIntegerField(default=1)
    run_month = MonthField()
    state = models.CharField(max_length=10, choices=OccurrenceState)
    tier = models.CharField(max_length=10, blank=True)
    free = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("billed occurrence")
        verbose_name_plural = _("billed occurrences")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "from_month", "revision"],
                name="nothing_is_billed_twice",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=LineKind.values) & Q(state__in=OccurrenceState.values),
                name="occurrence_is_of_a_known_kind_and_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run_month", "state"], name="occurrence_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.from_month}"
