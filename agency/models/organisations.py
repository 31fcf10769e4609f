"""Clients: whom we serve and invoice, and who speaks for them."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from agency import particulars
from agency.fields import MonthField
from agency.models.entity import Entity
from agency.models.people import Language, Role, User
from agency.models.seller import COUNTRY
from agency.particulars import ParticularField, is_in_eu

Row = TypeVar("Row", bound=models.Model)


class Sector(models.TextChoices):
    """What a client is in; `agency.sectors` tells what is known of each."""

    UNIVERSITY = "university", _("university")
    EDUCATION = "education", _("other education")
    CARE = "care", _("care and welfare")
    CHILDCARE = "childcare", _("childcare")
    SPORT = "sport", _("sport")
    CULTURE = "culture", _("culture and media")
    GOVERNMENT = "government", _("government")
    HOUSING = "housing", _("social housing")
    BUSINESS = "business", _("business")


class OfClients(models.QuerySet[Row]):
    """Rows of organisations: staff read all, a contact those of an own one, nobody else any."""

    def visible_to(self, user: User) -> Self:
        if user.is_staff:
            return self.all()
        if user.role == Role.CONTACT:
            return self.filter(organisation__contacts__user=user)
        return self.none()


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: User) -> OrganisationQuerySet:
        """Organisations whose data this person may read: all for staff, own ones for contacts."""
        if user.is_staff:
            return self.all()
        return self.filter(contacts__user=user) if user.role == Role.CONTACT else self.none()


class Organisation(Entity):
    """A client: the legal entity that is served and, unless said otherwise, pays."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    legal_name = models.CharField(_("legal name"), max_length=200)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = ParticularField(_("country"), max_length=2, default="NL", read=particulars.country)
    kvk_number = ParticularField(
        _("KVK number"), max_length=8, blank=True, read=particulars.kvk_number
    )
    oin = ParticularField(_("OIN"), max_length=20, blank=True, read=particulars.oin)
    vat_id = ParticularField(_("VAT id"), max_length=20, blank=True, read=particulars.vat_id)
    vat_id_checked = models.BooleanField(_("VAT id checked"), default=False)
    einvoice_address = models.CharField(_("e-invoice address"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default="nl")
    invoice_email = models.EmailField(_("e-mail address for invoices"), blank=True)
    einvoice_email = models.EmailField(
        _("e-mail address for e-invoices"),
        blank=True,
        help_text=_("Each document goes there as UBL and PDF; Stripe mails the invoice itself."),
    )
    sector = models.CharField(
        _("sector"),
        max_length=20,
        choices=Sector,
        blank=True,
        help_text=_("The page of the client says what is known of its rules for a counsellor."),
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="subsidiaries",
        verbose_name=_("parent organisation"),
    )

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="organisation_is_not_its_own_parent",
                violation_error_message=_("An organisation cannot be its own parent."),
            ),
            models.CheckConstraint(
                condition=Q(country__regex=COUNTRY),
                name="organisation_has_a_country_of_two_letters",
            ),
            models.CheckConstraint(
                condition=Q(language__in=Language.values), name="organisation_has_a_known_language"
            ),
            models.CheckConstraint(
                condition=Q(sector__in=["", *Sector.values]), name="organisation_has_a_known_sector"
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name

    def clean(self) -> None:
        """Refuse what the agency workbook refuses: a VAT id that could not be checked."""
        if self.vat_id_checked and not self.vat_id:
            raise ValidationError({"vat_id": _("There is no VAT id that could be checked.")})
        if self.vat_id_checked and self._is_refused():
            raise ValidationError(
                {"vat_id_checked": _("VIES answered that this VAT id is not valid.")}
            )
        if self.vat_id and is_in_eu(self.country) and not is_in_eu(self.vat_id[:2]):
            raise ValidationError(
                {"vat_id": _("This VAT id does not begin with the letters of a country of the EU.")}
            )

    def _is_refused(self) -> bool:
        """Tell whether the last definite answer of VIES about this VAT id says that it is none."""
        if self._state.adding:
            return False
        said = self.vat_consultations.filter(vat_id=self.vat_id).exclude(answer="unavailable")
        last = said.order_by("-number").first()
        return last is not None and last.answer == VatAnswer.INVALID


class LegalName(Entity):
    """What an organisation is called from a day on, with its KVK number and VAT id; never changed.

    Once there is one, the columns of the organisation follow the newest that holds
    (`agency.legal_names`); triggers let them be nothing else.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="legal_names", verbose_name=_("organisation")
    )
    from_on = models.DateField(_("from"))
    legal_name = models.CharField(_("legal name"), max_length=200)
    kvk_number = ParticularField(
        _("KVK number"), max_length=8, blank=True, read=particulars.kvk_number
    )
    vat_id = ParticularField(_("VAT id"), max_length=20, blank=True, read=particulars.vat_id)
    entered_on = models.DateField(_("entered on"))

    class Meta:
        verbose_name = _("legal name")
        verbose_name_plural = _("legal names")
        ordering: ClassVar = ["organisation", "-from_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "from_on"], name="one_legal_name_per_organisation_and_day"
            ),
            models.CheckConstraint(condition=~Q(legal_name=""), name="legal_name_is_given"),
        ]

    def __str__(self) -> str:
        return self.legal_name


class VatAnswer(models.TextChoices):
    VALID = "valid", _("valid")
    INVALID = "invalid", _("not valid")
    UNAVAILABLE = "unavailable", _("no answer")


class VatConsultation(Entity):
    """What VIES answered about a VAT id: the evidence for reversing the VAT, never changed.

    The highest number is the newest. ``reference`` is the consultation number that VIES gives.
    """

    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        related_name="vat_consultations",
        verbose_name=_("organisation"),
    )
    number = models.PositiveIntegerField(_("number"))
    vat_id = models.CharField(_("VAT id"), max_length=20)
    on = models.DateField(_("day"))
    answer = models.CharField(_("answer"), max_length=11, choices=VatAnswer)
    reference = models.CharField(_("consultation reference"), max_length=50, blank=True)

    class Meta:
        verbose_name = _("consultation of VIES")
        verbose_name_plural = _("consultations of VIES")
        ordering: ClassVar = ["organisation", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "number"], name="consultations_of_a_client_are_numbered"
            ),
            models.CheckConstraint(
                condition=Q(answer__in=VatAnswer.values), name="consultation_has_a_known_answer"
            ),
        ]

    def __str__(self) -> str:
        return str(self.on)


class Headcount(Entity):
    """People of the unit that the contract serves, from a month on until a later row."""

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="headcounts", verbose_name=_("organisation")
    )
    month = MonthField(_("month"))
    headcount = models.PositiveIntegerField(_("headcount"))

    class Meta:
        verbose_name = _("headcount")
        verbose_name_plural = _("headcounts")
        ordering: ClassVar = ["organisation", "month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "month"], name="one_headcount_per_organisation_and_month"
            ),
            models.CheckConstraint(condition=Q(headcount__gte=1), name="headcount_is_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.headcount} ({self.month})"


class ContactRole(models.TextChoices):
    OWNER = "owner", _("owner")
    BILLING = "billing", _("billing")
    READER = "reader", _("reader")


class Contact(Entity):
    """A person's place at one organisation; the same user may have several."""

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="contacts", verbose_name=_("organisation")
    )
    user = models.ForeignKey(User, models.PROTECT, related_name="contacts", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=20, choices=ContactRole)
    # What each is mailed about of the own choice; what has to be told goes to where invoices go.
    wants_publications = models.BooleanField(_("mail at a publication"), default=True)
    wants_invoices = models.BooleanField(_("mail at an invoice"), default=False)
    wants_failed_payments = models.BooleanField(_("mail at a failed payment"), default=False)
    wants_sessions = models.BooleanField(_("mail at a session"), default=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "user"], name="one_contact_per_organisation_and_user"
            ),
            models.CheckConstraint(
                condition=Q(role__in=ContactRole.values), name="contact_has_a_known_role"
            ),
        ]

    def __str__(self) -> str:
        return self.user.name


class Invitation(Entity):
    """Somebody whom an organisation asks to its pages: a contact from the next sign-in on.

    The row says the same of an address that nobody has, one of another client's contact, and one
    of a colleague or counsellor, who never becomes a contact.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="invitations", verbose_name=_("organisation")
    )
    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("role"), max_length=20, choices=ContactRole)
    language = models.CharField(_("language"), max_length=2, choices=Language, default="nl")
    invited_on = models.DateField(_("invited on"))
    is_sent = models.BooleanField(_("sent"), default=False)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering: ClassVar = ["organisation", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "email"], name="one_invitation_per_organisation_and_address"
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invited_email_is_in_small_letters"
            ),
            models.CheckConstraint(
                condition=Q(role__in=ContactRole.values), name="invitation_has_a_known_role"
            ),
            models.CheckConstraint(
                condition=Q(language__in=Language.values), name="invitation_has_a_known_language"
            ),
        ]

    def __str__(self) -> str:
        return self.name
