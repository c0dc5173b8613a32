"""Staff accounts are made by invitation: a link, good once and for some hours (P-001, W-028).

The account is closed until the invited person sets a password by the link, and nothing opens before they have enrolled
a second factor. Roles that one person gives are given then; those of `roles.two_people` wait for a second Super Admin
from the invitation on.
"""

import hashlib
import hmac
import secrets
import zoneinfo
from collections.abc import Sequence
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.accounts.models import RoleGrant, StaffInvitation, User
from backoffice.accounts.permissions import require
from backoffice.accounts.roles import ROLES, SUPER
from backoffice.accounts.services import roles
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Invalid
from backoffice.notifications.services import render

INVITE = "staff.edit"
SEND = "accounts.send_invitation"
SALT = "backlot.invitation"
EVENT = "staff.invited"
SECRET_BYTES = 32


class NotGood(DomainError):
    """The link is wrong, used, taken back or too old; deliberately one sentence for all of them."""

    default_code = "invitation_not_good"
    http_status = 410


def invite(
    *,
    email: str,
    display_name: str,
    by: User | None,
    reason: str,
    language: str = "en",
    timezone: str = "UTC",
    wanted: Sequence[str] = (),
    until: datetime | None = None,
    mail: bool = True,
    at: datetime | None = None,
) -> StaffInvitation:
    """Makes a closed staff account and its invitation, and asks for the mail.

    ``wanted`` roles, ``until`` a time or for good, are given for ``reason``. ``by=None`` is the command line, which the
    list of domains does not bind. Raises Forbidden, Invalid naming the field, and Conflict for a staff address.
    """
    at = at or clock.now()
    if by is not None:
        require(by, INVITE)
        if wanted:
            require(by, roles.GIVE)
    email, display_name = email.strip().lower(), " ".join(display_name.split())
    _check(email=email, display_name=display_name, language=language, timezone=timezone, reason=reason)
    unknown = set(wanted) - set(ROLES)
    if unknown:
        raise Invalid(_("There is no role “%(role)s”.") % {"role": min(unknown)}, field="roles")
    if until is not None and until <= at:
        raise Invalid(_("The end has to be in the future."), field="until")
    if by is not None:
        _check_domain(email)
    _check_free(email, by=by)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                email,
                None,
                display_name=display_name,
                is_staff=True,
                is_active=False,
                language=language,
                timezone=timezone,
                date_joined=at,
            )
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
            entries.record(action="staff.create", by=by, subject=user, reason=reason, at=at)
            return _open(user=user, by=by, reason=reason, wanted=wanted, until=until, mail=mail, at=at)
    except IntegrityError as error:
        _check_free(email, by=by)
        raise Conflict(_("Somebody else has just used this address.")) from error


def again(*, user: User, by: User | None, mail: bool = True, at: datetime | None = None) -> StaffInvitation:
    """A new link for somebody who has not come yet; the one before ends. Conflict when they have.

    After an invitation was taken back, this is a new one, without roles.
    """
    at = at or clock.now()
    if by is not None:
        require(by, INVITE)
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if not never_came(user):
            raise Conflict(_("This person has accepted already."), code="accepted")
        invitation = StaffInvitation.objects.filter(user=user, accepted_at=None, revoked_at=None).first()
        if invitation is None:
            last = StaffInvitation.objects.filter(user=user).latest("created_at")
            return _open(user=user, by=by, reason=last.reason, wanted=(), until=None, mail=mail, at=at)
        StaffInvitation.objects.filter(pk=invitation.pk).update(key_hash=None, expires_at=_end(at), updated_at=at)
        invitation.refresh_from_db()
        entries.record(action="staff.invite_again", by=by, subject=user, data={"until": invitation.expires_at}, at=at)
        if mail:
            jobs.enqueue(SEND, {"invitation_id": str(invitation.pk)}, by=by)
    return invitation


def revoke(*, user: User, by: User, reason: str, at: datetime | None = None) -> None:
    """Takes an invitation back: the link ends, what waits for approval is withdrawn, roles given already are taken."""
    at = at or clock.now()
    require(by, INVITE)
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    with transaction.atomic():
        rows = StaffInvitation.objects.filter(user=user, accepted_at=None, revoked_at=None)
        if not rows.update(revoked_at=at, revoked_by=by, key_hash=None, updated_at=at):
            raise Conflict(_("There is no open invitation."))
        entries.record(action="staff.invite_revoke", by=by, subject=user, reason=reason, at=at)
        roles.withdraw_all(user=user, reason=reason, at=at)
        for role in RoleGrant.objects.filter(user=user, ended_at=None).values_list("role", flat=True):
            roles.take(user=user, role=role, by=by, reason=reason, at=at)


def never_came(user: User) -> bool:
    """Whether the account was made by an invitation that nobody has accepted."""
    if user.is_active or not user.is_staff:
        return False
    accepted = [row.accepted_at is not None for row in StaffInvitation.objects.filter(user=user)]
    return bool(accepted) and not any(accepted)


def new_link(invitation: StaffInvitation, *, at: datetime | None = None) -> str:
    """A fresh link; the one before ends. Only its hash is kept, so whoever asks has to hand it over at once."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    at = at or clock.now()
    rows = StaffInvitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if not rows.update(key_hash=_hash(secret), sent_at=at, updated_at=at):
        raise NotGood(_("This invitation is not open any more."))
    token = signing.dumps([str(invitation.pk), secret], salt=SALT)
    return settings.SITE_URL + reverse("staff_invitation_link", args=[token])


def send(invitation_id: str) -> None:
    """Mails a fresh link. Nothing is sent for an invitation that was accepted or taken back meanwhile.

    A mail that is sent twice after a crash carries another link, and the last one is good.
    """
    invitation = StaffInvitation.objects.select_related("user", "invited_by").get(pk=invitation_id)
    if not invitation.is_open:
        return
    user = invitation.user
    facts = {
        "user": user,
        "link": new_link(invitation),
        "inviter": invitation.invited_by.display_name if invitation.invited_by is not None else "",
        "until": invitation.expires_at.strftime("%Y-%m-%d %H:%M UTC"),
    }
    subject, body = render(EVENT, user.language, facts)
    EmailMessage(subject=subject, body=body, to=[user.email], headers={"Auto-Submitted": "auto-generated"}).send()


def find(token: str, *, at: datetime | None = None) -> StaffInvitation:
    """The open invitation of a link. Raises NotGood."""
    try:
        key, secret = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise _not_good() from error
    return of_key(key, _hash(secret), at=at)


def of_key(key: str, key_hash: str, *, at: datetime | None = None) -> StaffInvitation:
    """The open invitation with this hash, as a browser that showed the link keeps it. Raises NotGood."""
    found = StaffInvitation.objects.select_related("user").filter(pk=key, accepted_at=None, revoked_at=None).first()
    if found is None or found.expires_at <= (at or clock.now()):
        raise _not_good()
    if not hmac.compare_digest(found.key_hash or "", key_hash):
        raise _not_good()
    return found


def accept(invitation: StaffInvitation, *, password: str, at: datetime | None = None) -> User:
    """Sets the password, opens the account and gives the roles of the invitation. Once; raises NotGood and Invalid.

    The second factor is the door's part: without one nothing but its enrolment opens. Roles whose end has passed, or
    whose giver may not give roles any more, are left out, and the audit row says which.
    """
    at = at or clock.now()
    user = invitation.user
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password", code="weak_password") from error
    with transaction.atomic():
        rows = StaffInvitation.objects.filter(
            pk=invitation.pk, key_hash=invitation.key_hash, accepted_at=None, revoked_at=None, expires_at__gt=at
        )
        if not rows.update(accepted_at=at, key_hash=None, updated_at=at):
            raise _not_good()
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.user_id)
        user.set_password(password)
        user.is_active = True
        user.save(update_fields=["password", "is_active", "updated_at"])
        EmailAddress.objects.filter(user=user, email=user.email).update(verified=True)
        left_out = _give_roles(invitation, user, at=at)
        entries.record(
            action="staff.accept", by=user, subject=user, data={"left_out": left_out} if left_out else None, at=at
        )
    return user


def make_super_admin(
    *, email: str, display_name: str, language: str, reason: str, at: datetime | None = None
) -> StaffInvitation | None:
    """The command line's way: an invited account with the role at once, or the role for a colleague.

    Returns the invitation whose link has to be handed over, None for somebody who is here already. Every other Super
    Admin is told. Raises Invalid for a member's address, Conflict for a closed account.
    """
    at = at or clock.now()
    email = email.strip().lower()
    with transaction.atomic():
        user = User.objects.filter(email=email, is_staff=True).first()
        invitation = None
        if user is None:
            invitation = invite(
                email=email, display_name=display_name, language=language, reason=reason, by=None, mail=False, at=at
            )
            user = invitation.user
        elif never_came(user):
            invitation = again(user=user, by=None, mail=False, at=at)
        elif not user.is_active:
            raise Conflict(_("The account is closed."))
        roles.give(user=user, role=SUPER, by=None, reason=reason, at=at)
    return invitation


def _open(
    *,
    user: User,
    by: User | None,
    reason: str,
    wanted: Sequence[str],
    until: datetime | None,
    mail: bool,
    at: datetime,
) -> StaffInvitation:
    invitation = StaffInvitation.objects.create(
        user=user,
        invited_by=by,
        roles=list(wanted),
        roles_until=until,
        reason=reason.strip(),
        expires_at=_end(at),
        created_at=at,
    )
    entries.record(
        action="staff.invite",
        by=by,
        subject=user,
        reason=reason,
        data={"roles": list(wanted), "roles_until": until, "until": invitation.expires_at},
        at=at,
    )
    for role in wanted:
        if by is not None and roles.needs_two(user=user, role=role, until=until, languages=()):
            roles.give(user=user, role=role, by=by, reason=reason, until=until, at=at)
    if mail:
        jobs.enqueue(SEND, {"invitation_id": str(invitation.pk)}, by=by)
    return invitation


def _give_roles(invitation: StaffInvitation, user: User, *, at: datetime) -> list[str]:
    """Gives the roles that wait for nobody else; returns those that cannot be given any more."""
    by, until = invitation.invited_by, invitation.roles_until
    asked = {request.payload["role"] for request in roles.asked_for(user)}
    wanted = [role for role in invitation.roles if role not in asked and role not in user.role_codes]
    if (until is not None and until <= at) or (by is not None and not by.may(roles.GIVE)):
        return wanted
    for role in wanted:
        roles.give(user=user, role=role, by=by, reason=invitation.reason, until=until, at=at)
    return []


def _check(*, email: str, display_name: str, language: str, timezone: str, reason: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(_("This is not an e-mail address."), field="email") from error
    if len(email) > 150:
        raise Invalid(_("This is not an e-mail address."), field="email")
    if not display_name or len(display_name) > 100:
        raise Invalid(_("A name of at most 100 characters is needed."), field="display_name")
    if language not in User.Language.values:
        raise Invalid(_("This language is not offered."), field="language")
    if timezone not in zoneinfo.available_timezones():
        raise Invalid(_("There is no such time zone."), field="timezone")
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")


def _check_domain(email: str) -> None:
    allowed = {domain.strip().lower().removeprefix("@") for domain in values.get("staff.email_domains")}
    domain = email.rpartition("@")[2]
    if allowed and domain not in allowed:
        raise Invalid(
            _("Staff addresses end with %(domains)s.") % {"domains": ", ".join(f"@{name}" for name in sorted(allowed))},
            field="email",
        )


def _check_free(email: str, *, by: User | None) -> None:
    """Staff who see people are told that it is a member's address; nobody else learns who is a member."""
    taken = User.objects.filter(email=email).first()
    if taken is None:
        return
    if taken.is_staff:
        raise Conflict(_("There is a staff account with this address already."), code="is_staff", field="email")
    if by is None or by.may("users.view"):
        raise Invalid(
            _("This address belongs to a member. A staff account needs an address of its own."), field="email"
        )
    raise Invalid(_("This address cannot be used for a staff account."), field="email")


def _end(at: datetime) -> datetime:
    return at + timedelta(hours=values.get("staff.invite_hours"))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _not_good() -> NotGood:
    return NotGood(_("This invitation is not good any more. Ask whoever invited you for a new one."))
