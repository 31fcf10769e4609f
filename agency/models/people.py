"""Who signs in, what each does here, and what each did."""

from __future__ import annotations

from enum import nonmember
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from agency.models.entity import Entity


class Language(models.TextChoices):
    DUTCH = "nl", _("Dutch")
    ENGLISH = "en", _("English")


class Role(models.TextChoices):
    """What a person does here; each person has one role."""

    PLANNER = "planner", _("planner")
    CONTROLLER = "controller", _("controller")
    ADMINISTRATOR = "administrator", _("administrator")
    AUDITOR = "auditor", _("auditor")
    ADVISOR = "advisor", _("advisor")
    CONTACT = "contact", _("contact person")

    staff = nonmember(frozenset({"planner", "controller", "administrator", "auditor"}))

    @property
    def is_staff(self) -> bool:
        return self.value in Role.staff


class UserManager(BaseUserManager["User"]):
    """Users are named by their e-mail address, kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.ADMINISTRATOR, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(Entity, AbstractBaseUser, PermissionsMixin):
    """A person who signs in, by e-mail address; `agency.access` tells what the role may do."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    language = models.CharField(_("language"), max_length=2, choices=Language, default="nl")
    is_active = models.BooleanField(_("active"), default=True)
    last_login = None  # to the second, it would tell nearly when an advisor worked

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_has_a_known_role"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="email_is_lower_case"),
            models.CheckConstraint(
                condition=Q(language__in=Language.values), name="user_has_a_known_language"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        return self.role in Role.staff

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        from agency.access import may

        return self.is_active and may(self.role, perm)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


class AuditEvent(Entity):
    """Who did what to which row, by day: field names, never values. Hours are never audited."""

    on = models.DateField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=40)
    subject_model = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    fields = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes: ClassVar = [models.Index(fields=["subject_id"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_model}"


class SavedFilter(Entity):
    """A choice of filters of a list that a colleague gave a name, perhaps for all.

    It holds keys and codes of filters and no words that somebody searched for: those may be
    anybody's name.
    """

    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    listed = models.CharField(max_length=60)  # the label of the list's model
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(max_length=300)
    is_shared = models.BooleanField(_("for all colleagues"), default=False)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "listed", "name"], name="one_saved_filter_of_a_name"
            ),
            models.CheckConstraint(
                condition=Q(query__regex=r"^[A-Za-z0-9_.=&-]+$"), name="saved_filter_holds_no_words"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
