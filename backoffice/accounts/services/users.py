"""Making people."""

import zoneinfo
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.configuration import switches
from backoffice.core import clock
from backoffice.core.errors import Invalid


def register(
    *,
    email: str,
    password: str,
    display_name: str,
    language: str = "en",
    country: str = "",
    verified: bool = False,
    by: Any = None,
    at: datetime | None = None,
) -> User:
    """A new member (U-001). Invalid names the field: address, password, name, language.

    Who registers without help (``by`` None) is refused while the kill switch is off: SwitchedOff (C-005).
    ``verified`` marks the address as confirmed; only imports and demo data set it.
    """
    if by is None:
        switches.require(switches.REGISTRATION)
    email = email.strip().lower()
    display_name = " ".join(display_name.split())
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(_("This is not an e-mail address."), field="email") from error
    if not display_name or len(display_name) > 100:
        raise Invalid(_("A name of at most 100 characters is needed."), field="display_name")
    if language not in User.Language.values:
        raise Invalid(_("This language is not offered."), field="language")
    try:
        validate_password(password, User(email=email, display_name=display_name))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password", code="weak_password") from error
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                email,
                password,
                display_name=display_name,
                language=language,
                country=country,
                date_joined=at or clock.now(),
            )
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=verified)
            entries.record(action="user.register", by=by or user, subject=user, at=at)
    except IntegrityError as error:
        raise Invalid(_("This address cannot be used."), field="email", code="email_unusable") from error
    return user


def make_staff(*, email: str, display_name: str, by: Any, password: str | None = None, **fields: Any) -> User:
    """A new staff person without roles; without a password they set one by the reset mail."""
    with transaction.atomic():
        user = User.objects.create_user(email, password, display_name=display_name, is_staff=True, **fields)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        entries.record(action="staff.create", by=by, subject=user)
    return user


def update(user: User, *, by: Any, **fields: Any) -> User:
    """Changes name, language, time zone or country; what changed is in the audit row."""
    if "display_name" in fields:
        fields["display_name"] = " ".join(fields["display_name"].split())
        if not fields["display_name"]:
            raise Invalid(_("A name of at most 100 characters is needed."), field="display_name")
    if "timezone" in fields and fields["timezone"] not in zoneinfo.available_timezones():
        raise Invalid(_("There is no such time zone."), field="timezone")
    changed = {name: value for name, value in fields.items() if getattr(user, name) != value}
    if not changed:
        return user
    with transaction.atomic():
        before = {name: getattr(user, name) for name in changed}
        for name, value in changed.items():
            setattr(user, name, value)
        user.save(update_fields=[*changed, "updated_at"])
        entries.record(action="user.update", by=by, subject=user, before=before, after=changed)
    return user
