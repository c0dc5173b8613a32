"""The trace of how people come in, and the counts that limit guessing (E-007, N-040)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import AppendOnly, Record


class SecurityEvent(AppendOnly):
    """One event around somebody's account. Written once; the table refuses change and deletion (E-007)."""

    class Kind(models.TextChoices):
        LOGIN_OK = "login_ok", _("Signed in")
        LOGIN_FAILED = "login_failed", _("Wrong password")
        LOCKOUT = "lockout", _("Too many wrong tries")
        UNLOCKED = "unlocked", _("Unlocked by a colleague")
        LOGOUT = "logout", _("Signed out")
        STEP_UP = "step_up", _("Second factor given again")
        MFA_FAILED = "mfa_failed", _("Wrong code")
        MFA_ADDED = "mfa_added", _("Second factor added")
        MFA_REMOVED = "mfa_removed", _("Second factor removed")
        MFA_CODES = "mfa_codes", _("New recovery codes")
        MFA_RESET = "mfa_reset", _("Second factor reset by colleagues")
        PASSWORD_RESET_ASKED = "password_reset_asked", _("Password reset asked for")
        PASSWORD_RESET = "password_reset", _("Password reset")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        NEW_DEVICE = "new_device", _("New device")
        NEW_COUNTRY = "new_country", _("New country")
        SESSION_REVOKED = "session_revoked", _("Session ended")
        SESSION_EXPIRED = "session_expired", _("Session ran out")
        ADDRESS_REFUSED = "address_refused", _("Network address not allowed")
        API_REFUSED = "api_refused", _("Refused by the API")
        SUSPICIOUS = "suspicious", _("Suspicious")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), default=clock.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="security_events",
        verbose_name=_("person"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    kind = models.CharField(_("what"), max_length=24, choices=Kind.choices)
    # What was typed for an account that does not exist is kept as a keyed hash: people type passwords there.
    account = models.CharField(_("account"), max_length=64, blank=True)
    ip = models.CharField(_("address"), max_length=45, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    device = models.CharField(_("device"), max_length=64, blank=True)
    fingerprint = models.CharField(_("browser's fingerprint"), max_length=32, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)
    risk_score = models.PositiveSmallIntegerField(_("risk"), default=0)
    data = models.JSONField(_("data"), default=dict)

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="security_of_person"),
            models.Index(fields=["kind", "-id"], name="security_kind"),
            models.Index(fields=["ip", "-id"], name="security_ip"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class KnownDevice(Record):
    """A browser or app from which this person has signed in fully. It keeps a budget of tries of its own."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="known_devices", verbose_name=_("person")
    )
    key = models.CharField(max_length=64, editable=False)
    fingerprint = models.CharField(_("browser's fingerprint"), max_length=32, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)
    last_ip = models.CharField(_("last address"), max_length=45, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    last_seen_at = models.DateTimeField(_("last sign-in"), default=clock.now)
    forgotten_at = models.DateTimeField(_("forgotten"), null=True, blank=True)

    class Meta:
        verbose_name = _("known device")
        verbose_name_plural = _("known devices")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="known_device_once")]

    def __str__(self) -> str:
        return f"device {self.key[:8]}"


class AttemptCount(models.Model):
    """How many tries a key has used in its window. Changed by one statement at a time; see `services.attempts`."""

    key = models.CharField(max_length=64, primary_key=True)
    account = models.CharField(max_length=64)
    scope = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()
    next_at = models.DateTimeField()

    class Meta:
        verbose_name = _("count of tries")
        verbose_name_plural = _("counts of tries")
        indexes: ClassVar = [
            models.Index(fields=["account"], name="attempt_account"),
            models.Index(fields=["until"], name="attempt_until"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key[:8]}"


class FactorReset(Record):
    """The wish that somebody's second factor be taken away: one person asks, another does it (W-027)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="factor_resets", verbose_name=_("person")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    reason = models.TextField(_("reason"))
    expires_at = models.DateTimeField(_("good until"))
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("factor reset")
        verbose_name_plural = _("factor resets")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(closed_at=None), name="factor_reset_one_open"),
            models.CheckConstraint(
                condition=Q(done_by=None) | ~Q(done_by=F("requested_by")), name="factor_reset_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(user=F("requested_by")) & (Q(done_by=None) | ~Q(done_by=F("user"))),
                name="factor_reset_not_oneself",
            ),
        ]

    def __str__(self) -> str:
        return f"factor reset {str(self.id)[-8:]}"
