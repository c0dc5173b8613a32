"""Sign-ins: one's own sessions and devices, anybody's for who helps people, and the log (E-007, W-027, X-007)."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import factor, stepup
from backoffice.accounts.models import FactorReset, KnownDevice, SecurityEvent, User
from backoffice.accounts.services import assistance, attempts, factors, security, sessions
from backoffice.core import clock
from backoffice.core.errors import DomainError, Forbidden, NotFound
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen

HELPS = ("users.assist", "users.edit", "staff.edit")
LOG = "staff.view"
RECENT = 20


def _of(person: User, current: str = "") -> dict[str, object]:
    """What both pages show of a person."""
    return {
        "sessions": [(row, row.session_key == current) for row in sessions.open_for(person)],
        "devices": KnownDevice.objects.filter(user=person, forgotten_at=None).order_by("-last_seen_at")[:50],
        "events": SecurityEvent.objects.filter(user=person).select_related("by").order_by("-id")[:RECENT],
        "knows_countries": bool(settings.COUNTRY_HEADER),
    }


@screen(permission=None, title=gettext_lazy("My sessions"), methods=("GET", "HEAD"))
def my_sessions(request: StaffRequest) -> HttpResponse:
    """Where I am signed in, from which devices, and what happened around my account."""
    return render(request, "desk/system/security/mine.html", _of(request.user, str(request.session.session_key)))


@screen(permission=None, title=gettext_lazy("My sessions"), methods=("POST",))
def my_session_end(request: StaffRequest, session_id: int) -> HttpResponse:
    """Ends one of my sessions."""
    sessions.end(session_id, user=request.user, by=request.user)
    messages.success(request, _("The session has ended."))
    return redirect("desk:my_sessions")


@screen(permission=None, title=gettext_lazy("My sessions"), methods=("POST",))
def my_sessions_end(request: StaffRequest) -> HttpResponse:
    """Ends all my sessions, this one too when asked: signed out everywhere."""
    everywhere = request.POST.get("this") == "too"
    key = None if everywhere else request.session.session_key
    count = sessions.end_all(user=request.user, by=request.user, except_key=key)
    if everywhere:
        request.session.flush()
        return HttpResponseRedirect(reverse("account_login"))
    messages.success(request, _("Ended sessions: %(count)s.") % {"count": count})
    return redirect("desk:my_sessions")


@screen(permission=None, title=gettext_lazy("My sessions"), methods=("POST",))
def my_device_forget(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Forgets one of my devices."""
    _forget(request.user, pk, by=request.user)
    messages.success(request, _("The device is forgotten."))
    return redirect("desk:my_sessions")


def find(request: StaffRequest, pk: UUID) -> User:
    """The person, when this colleague may help them in some way. Raises NotFound, Forbidden."""
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise NotFound(_("There is no such person."))
    if not _may_look(request.user, person) and not factors.may_ask(request.user, person):
        raise Forbidden(_("Your role does not include this page."))
    return person


def _may_look(by: User, person: User) -> bool:
    """Where colleagues sign in is for whoever looks after staff (PG-002); support asks for their reset and no more."""
    return not person.is_staff or by.may(LOG)


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("GET", "HEAD"))
def person_security(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Sessions, devices, tries and factor of one person, with what helps them in; of staff perhaps only the request
    for a reset.
    """
    return _page(request, find(request, pk))


def _page(request: StaffRequest, person: User, *, problem: str = "", status: int = 200) -> HttpResponse:
    request.desk["title"] = person.display_name
    wish = FactorReset.objects.filter(user=person, closed_at=None, expires_at__gt=clock.now())
    found = wish.select_related("requested_by", "user").first()
    may_look = _may_look(request.user, person)
    may_mail = assistance.may_help(request.user, person)
    shown = {**_of(person), "locked": attempts.is_locked(person)} if may_look else {}
    return render(
        request,
        "desk/system/security/person.html",
        {
            **shown,
            "may_look": may_look,
            "person": person,
            "problem": problem,
            "has_factor": factor.enrolled(person),
            "wish": found,
            "may_read_wish": found is not None and (may_look or found.requested_by_id == request.user.pk),
            "may_withdraw": found is not None and factors.may_withdraw(request.user, found),
            "may_ask": factors.may_ask(request.user, person),
            "may_carry_out": factors.may_carry_out(request.user, person)
            and (found is None or found.requested_by_id != request.user.pk),
            "may_unlock": factors.may_unlock(request.user, person),
            "may_mail": may_mail,
            "confirmed": may_mail and assistance.is_confirmed(person),
            "sees_account": request.user.may("users.view"),
            "mail_reason": request.POST.get("mail_reason", ""),
            "may_end": _may_end(request.user, person),
            "sees_staff": person.is_staff and request.user.may("staff.view"),
        },
        status=status,
    )


def _may_end(by: User, person: User) -> bool:
    return by.may(factors.EDITS_STAFF) if person.is_staff else any(by.may(right) for right in factors.HELPS)


def _act(request: StaffRequest, pk: UUID, act: Callable[[User], object], *, done: str) -> HttpResponse:
    person = find(request, pk)
    try:
        act(person)
    except NotFound:
        raise
    except DomainError as error:
        return _page(request, person, problem=str(error), status=403 if isinstance(error, Forbidden) else 400)
    messages.success(request, done)
    return redirect("desk:person_security", pk=pk)


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
def person_unlock(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Drops the person's wrong tries."""
    reason = request.POST.get("reason", "")
    return _act(
        request,
        pk,
        lambda person: factors.unlock(user=person, by=request.user, reason=reason),
        done=_("The account is unlocked."),
    )


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
def person_confirmation_mail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Sends the person the link that confirms their address. Nobody here sees it."""
    reason = request.POST.get("mail_reason", "")
    return _act(
        request,
        pk,
        lambda person: assistance.confirm_address(user=person, by=request.user, reason=reason),
        done=_("The mail with the link to confirm the address is on its way."),
    )


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
def person_reset_mail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Sends the person the link to choose a new password. Nobody here sees it."""
    reason = request.POST.get("mail_reason", "")
    return _act(
        request,
        pk,
        lambda person: assistance.reset_password(user=person, by=request.user, reason=reason),
        done=_("The mail with the link to a new password is on its way."),
    )


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
@stepup.required
def person_sessions_end(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ends one session of the person (``session``) or all of them."""
    reason = request.POST.get("reason", "")
    one = request.POST.get("session", "")

    def act(person: User) -> None:
        if not _may_end(request.user, person):
            raise Forbidden(_("Your roles do not let you do this."))
        if one.isdigit() and len(one) < 18:
            sessions.end(int(one), user=person, by=request.user, reason=reason)
        else:
            sessions.end_all(user=person, by=request.user, reason=reason)

    return _act(request, pk, act, done=_("The session has ended.") if one else _("All sessions have ended."))


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
@stepup.required
def factor_reset_ask(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Asks for the reset of the person's second factor; a second person carries it out."""
    reason = request.POST.get("reason", "")
    return _act(
        request,
        pk,
        lambda person: factors.request(user=person, by=request.user, reason=reason),
        done=_("Asked. A colleague has to carry it out within 24 hours."),
    )


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
@stepup.required
def factor_reset_do(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Carries the reset out."""
    return _act(
        request,
        pk,
        lambda person: factors.carry_out(_wish(person), by=request.user),
        done=_("The second factor is gone, all sessions have ended, and the person has been told."),
    )


@screen(permission=HELPS, title=gettext_lazy("Sign-in help"), methods=("POST",))
def factor_reset_withdraw(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Closes the request without doing anything."""
    return _act(
        request,
        pk,
        lambda person: factors.withdraw(_wish(person), by=request.user),
        done=_("The request is closed."),
    )


def _wish(person: User) -> FactorReset:
    wish = FactorReset.objects.select_related("user").filter(user=person, closed_at=None).first()
    if wish is None:
        raise NotFound(_("Nobody has asked for this."))
    return wish


def _forget(person: User, pk: UUID, *, by: User) -> None:
    device = KnownDevice.objects.select_related("user").filter(pk=pk, user=person).first()
    if device is None:
        raise NotFound(_("There is no such device."))
    security.forget_device(device, by=by)


@screen(permission=LOG, title=gettext_lazy("Sign-in log"), methods=("GET", "HEAD"))
def security_log(request: StaffRequest) -> HttpResponse:
    """Every security event, newest first; by kind, person and address."""
    kind, text = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:100]
    rows = SecurityEvent.objects.select_related("user", "by")
    if kind in SecurityEvent.Kind.values:
        rows = rows.filter(kind=kind)
    else:
        kind = ""
    if text:
        rows = rows.filter(Q(user__email__iexact=text) | Q(user__display_name__icontains=text) | Q(ip=text))
    return render(
        request,
        "desk/system/security/log.html",
        {
            "page": keyset(request, rows, by=("-id",)),
            "kind": kind,
            "kinds": SecurityEvent.Kind.choices,
            "text": text,
            "searching": bool(kind or text),
            "knows_countries": bool(settings.COUNTRY_HEADER),
        },
    )
