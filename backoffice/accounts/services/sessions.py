"""Whose sessions are open, and ending them: browsers and API tokens alike (X-007, X-008)."""

from collections.abc import Iterable
from datetime import datetime
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from backoffice.accounts.devices import Visit
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import security
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import NotFound

TOUCH_SECONDS = 60


def note(*, user: User, session_key: str, visit: Visit, door: str, at: datetime | None = None) -> None:
    """Keeps the session in the list, and when it was last used. Called at sign-in and once a minute of use."""
    at = at or clock.now()
    UserSession.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user,
            "ip": visit.ip or "0.0.0.0",  # noqa: S104  the column takes no empty address
            "user_agent": visit.user_agent,
            "last_seen_at": at,
            "data": {"door": door, "country": visit.country, "device": visit.device},
        },
        create_defaults={
            "user": user,
            "ip": visit.ip or "0.0.0.0",  # noqa: S104
            "user_agent": visit.user_agent,
            "created_at": at,
            "last_seen_at": at,
            "data": {"door": door, "country": visit.country, "device": visit.device},
        },
    )


def seen(session_key: str, *, at: datetime | None = None) -> None:
    """The session was used."""
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=at or clock.now())


def dropped(session_key: str) -> None:
    """The session was ended by its owner and leaves the list."""
    UserSession.objects.filter(session_key=session_key).delete()


def prune(*, at: datetime | None = None) -> int:
    """Drops sessions that ran out, and rows of the list whose session is gone; returns how many of the latter."""
    Session.objects.filter(expire_date__lt=at or clock.now()).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return UserSession.objects.filter(~Exists(alive)).delete()[0]


def open_for(user: User) -> list[UserSession]:
    """The person's live sessions, last used first; rows of sessions that are gone are dropped."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.last_seen_at, reverse=True)


def end(session_id: int, *, user: User, by: User | None, reason: str = "", at: datetime | None = None) -> None:
    """Ends one session of a person; its browser or its tokens are out at the next request. NotFound otherwise."""
    with transaction.atomic():
        row = UserSession.objects.select_for_update().filter(pk=session_id, user=user).first()
        if row is None:
            raise NotFound(_("This session is over."))
        _end([row], user=user, by=by, reason=reason, at=at)


def end_all(
    *, user: User, by: User | None, reason: str = "", except_key: str | None = None, at: datetime | None = None
) -> int:
    """Ends every session of a person, or every other one; returns how many."""
    with transaction.atomic():
        rows = list(UserSession.objects.select_for_update().filter(user=user).exclude(session_key=except_key))
        _end(rows, user=user, by=by, reason=reason, at=at)
        return len(rows)


def _end(rows: Iterable[UserSession], *, user: User, by: User | None, reason: str, at: datetime | None) -> None:
    store = _store()
    for row in rows:
        store.delete(row.session_key)
        row.delete()
        security.record(
            kind=SecurityEvent.Kind.SESSION_REVOKED,
            user=user,
            by=by,
            data={"ip": row.ip, "browser": row.user_agent[:120], "reason": reason, **row.data},
            at=at,
        )
        entries.record(
            action="session.revoke", by=by, subject=user, reason=reason, data={"ip": row.ip, **row.data}, at=at
        )


def _store() -> SessionBase:
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    return store
