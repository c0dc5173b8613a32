"""What is known about staff besides their account, and their roles with a time limit (E-008, P-035)."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.roles import ROLES
from backoffice.core.models import Record


class StaffProfile(Record):
    """Languages, skills and working state of a staff person, and the networks they may come from (E-008)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_profile", verbose_name=_("person")
    )
    languages = ArrayField(models.CharField(max_length=5), verbose_name=_("languages"), default=list, blank=True)
    skills = ArrayField(models.CharField(max_length=40), verbose_name=_("skills"), default=list, blank=True)
    cultural_reviewer = models.BooleanField(_("cultural reviewer"), default=False)
    max_open_items = models.PositiveSmallIntegerField(_("open items at most"), default=10)
    on_duty = models.BooleanField(_("on duty"), default=True)
    # Networks in CIDR form; empty means anywhere.
    allowed_ips = ArrayField(models.CharField(max_length=43), verbose_name=_("networks"), default=list, blank=True)

    class Meta:
        verbose_name = _("staff profile")
        verbose_name_plural = _("staff profiles")

    def __str__(self) -> str:
        return f"staff profile {str(self.id)[-8:]}"


class RoleAccess(Record):
    """The networks from which holders of a role may come in; without a row, or with none, from anywhere."""

    role = models.CharField(_("role"), max_length=40, choices=list(ROLES.items()), unique=True)
    allowed_ips = ArrayField(models.CharField(max_length=43), verbose_name=_("networks"), default=list, blank=True)

    class Meta:
        verbose_name = _("networks of a role")
        verbose_name_plural = _("networks of roles")

    def __str__(self) -> str:
        return self.role


class RoleGrant(Record):
    """Who gave a role to whom, why, and until when. A grant that ran out gives nothing from that moment on."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="role_grants", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=40, choices=list(ROLES.items()))
    # the languages that a cultural reviewer decides on; empty means all.
    languages = ArrayField(models.CharField(max_length=5), verbose_name=_("languages"), default=list, blank=True)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("given by")
    )
    # The second person, for the roles of `roles.two_people`.
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    reason = models.TextField(_("reason"), blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )

    class Meta:
        verbose_name = _("role grant")
        verbose_name_plural = _("role grants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "role"], condition=Q(ended_at=None), name="role_grant_one_live"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("granted_by")) & ~Q(approved_by=F("user"))),
                name="role_grant_two_people",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="role_grant_due"),
        ]

    def __str__(self) -> str:
        return f"role grant {str(self.id)[-8:]}"


class StaffInvitation(Record):
    """The way into a staff account: a link, good once and for some time (P-001). The account is closed until then.

    Of the link only a hash of its secret is kept; every mail carries a new secret, which ends the one before.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="invitations", verbose_name=_("person")
    )
    # None: the command line of the server.
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("invited by")
    )
    roles = ArrayField(models.CharField(max_length=40), verbose_name=_("roles"), default=list, blank=True)
    roles_until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.TextField(_("reason"))
    key_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)
    expires_at = models.DateTimeField(_("good until"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("staff invitation")
        verbose_name_plural = _("staff invitations")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(accepted_at=None, revoked_at=None), name="staff_invitation_one_open"
            ),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="staff_invitation_one_end"),
        ]

    def __str__(self) -> str:
        return f"staff invitation {str(self.id)[-8:]}"

    @property
    def is_open(self) -> bool:
        """Whether it was neither accepted nor taken back; its time may be over."""
        return self.accepted_at is None and self.revoked_at is None
