"""People: one user model for members, creators and staff (E-001)."""

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import Record


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new user; the address is kept in lower case, a missing password is an unusable one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Staff get their powers from roles; there is no account that stands above them."""
        raise TypeError("there are no superusers: create a user and give it the role super_admin")


class User(Record, AbstractBaseUser, PermissionsMixin):
    """A person. What they may do comes from roles (staff) or from what they own (members, creators)."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        FRENCH = "fr", "Français"
        HAITIAN_CREOLE = "ht", "Kreyòl ayisyen"

    email = models.EmailField(_("e-mail address"), max_length=150, unique=True)
    display_name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=5, choices=Language.choices, default=Language.ENGLISH)
    timezone = models.CharField(_("time zone"), max_length=50, default="UTC")
    country = models.CharField(_("country"), max_length=2, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=clock.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.CheckConstraint(condition=models.Q(is_superuser=False), name="user_never_superuser"),
        ]

    def __str__(self) -> str:
        # The name is what colleagues call each other by; the address stays out of lists and logs.
        return self.display_name if self.is_staff else f"U-{str(self.id)[-8:]}"

    def get_full_name(self) -> str:
        """The name to show."""
        return self.display_name

    def get_short_name(self) -> str:
        """The name to show where room is short."""
        return self.display_name

    @cached_property
    def role_codes(self) -> tuple[str, ...]:
        """The codes of the staff roles this person holds now, in alphabetical order; lapsed grants do not count."""
        return tuple(sorted(self.live_groups().values_list("name", flat=True))) if self.is_staff else ()

    def live_groups(self) -> "models.QuerySet[Group]":
        """The person's groups without those whose time is over, whether or not the clean-up has run (P-035)."""
        lapsed = self.role_grants.filter(ended_at=None, expires_at__lte=clock.now())
        return self.groups.exclude(name__in=lapsed.values("role"))

    def may(self, permission: str) -> bool:
        """Whether this staff person holds ``area.verb`` (see `roles`). Never true for anybody else."""
        return self.is_active and self.is_staff and self.has_perm(f"accounts.{permission}")


class Area(models.Model):
    """No rows: the content type that the permissions ``area.verb`` of `roles` hang on."""

    class Meta:
        managed = False
        default_permissions = ()

    def __str__(self) -> str:
        return "area"
