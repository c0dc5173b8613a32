"""What support sends people so that they can help themselves: the address confirmation and the reset mail (P-016).

The links are made when the mail is sent and stand in the mail alone: no job, notice, page or audit row holds one.
"""

from datetime import datetime

from allauth.account import app_settings
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import attempts, factors, security
from backoffice.audit import entries
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.notifications.services import render

SEND_CONFIRMATION = "accounts.send_confirmation"
SEND_RESET = "accounts.send_reset"
MOST_REASON = 500
SECONDS_OF_A_DAY = 24 * 3600


class EnoughMails(Conflict):
    """The person has had as many of these mails as they get in an hour."""

    default_code = "enough_mails"


def may_help(by: User, user: User) -> bool:
    """Whether this colleague helps this person with their account: whoever may unlock it."""
    return factors.may_unlock(by, user)


def is_confirmed(user: User) -> bool:
    """Whether the person has shown that the address is theirs."""
    return EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


def confirm_address(*, user: User, by: User, reason: str, at: datetime | None = None) -> None:
    """Asks for a mail with the link that confirms the person's address.

    Raises Forbidden, Invalid (reason), Conflict (closed account, confirmed already), EnoughMails.
    """
    at = at or clock.now()
    _check(user, by=by, reason=reason)
    if is_confirmed(user):
        raise Conflict(_("This address is confirmed already."), code="confirmed")
    with transaction.atomic():
        _count("confirm", user, at=at)
        EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
        entries.record(action="user.confirmation_mail", by=by, subject=user, reason=reason.strip(), at=at)
        jobs.enqueue(SEND_CONFIRMATION, {"user_id": str(user.pk)}, by=by)


def reset_password(*, user: User, by: User, reason: str, at: datetime | None = None) -> None:
    """Asks for a mail with the link to choose a new password. The present one stays good until then.

    Raises Forbidden, Invalid (reason), Conflict (closed account), EnoughMails.
    """
    at = at or clock.now()
    _check(user, by=by, reason=reason)
    with transaction.atomic():
        _count("reset", user, at=at)
        security.record(kind=SecurityEvent.Kind.PASSWORD_RESET_ASKED, user=user, by=by, at=at)
        entries.record(action="user.reset_mail", by=by, subject=user, reason=reason.strip(), at=at)
        jobs.enqueue(SEND_RESET, {"user_id": str(user.pk)}, by=by)


def send_confirmation(user_id: str) -> None:
    """Sends the link; nothing when the account was closed or the address confirmed meanwhile."""
    user = User.objects.get(pk=user_id)
    address = EmailAddress.objects.filter(user=user, email=user.email, verified=False).first()
    if address is None or not user.is_active:
        return
    link = reverse("account_confirm_email", args=[EmailConfirmationHMAC.create(address).key])
    _send(user, "member.confirm_address", link=link, days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)


def send_reset(user_id: str) -> None:
    """Sends the link; nothing when the account was closed meanwhile."""
    user = User.objects.get(pk=user_id)
    if not user.is_active:
        return
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    link = reverse("account_reset_password_from_key", kwargs=key)
    _send(user, "member.reset_password", link=link, days=settings.PASSWORD_RESET_TIMEOUT // SECONDS_OF_A_DAY)


def _send(user: User, event: str, *, link: str, days: int) -> None:
    facts = {"user": user, "link": settings.SITE_URL + link, "days": days}
    subject, body = render(event, user.language, facts)
    EmailMessage(subject=subject, body=body, to=[user.email], headers={"Auto-Submitted": "auto-generated"}).send()


def _check(user: User, *, by: User, reason: str) -> None:
    if not may_help(by, user):
        raise Forbidden(_("Your roles do not let you do this."))
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("At most %(most)s characters.") % {"most": MOST_REASON}, field="reason")
    if not user.is_active:
        raise Conflict(_("This account is closed."), code="closed")


def _count(kind: str, user: User, *, at: datetime) -> None:
    if not attempts.mail_by_staff(kind, email=user.email, at=at):
        raise EnoughMails(_("This person has had enough of these mails for now. Try again in an hour."))
