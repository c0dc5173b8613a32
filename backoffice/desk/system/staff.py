"""Staff: who they are, what their roles allow, from where and until when (P-035, P-046, W-028)."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import devices, factor, networks, roles, stepup
from backoffice.accounts.models import RoleAccess, RoleGrant, StaffInvitation, User
from backoffice.accounts.services import roles as role_services
from backoffice.accounts.services import staff as services
from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import DomainError, NotFound
from backoffice.desk.screens import StaffRequest, render, screen

VIEW, EDIT, DECIDE = "staff.view", "staff.edit", "staff.decide"
TIMELINE = 40
LANGUAGES = User.Language.choices
ROLES = list(roles.ROLES.items())


class GrantForm(forms.Form):
    """A role, its end and its languages, with the reason."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[("", gettext_lazy("Choose a role")), *ROLES])
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("Empty: for good. Your time zone."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Only these languages"),
        choices=LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For cultural reviewers; none chosen: all."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class ProfileForm(forms.Form):
    """How somebody works."""

    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Languages"), choices=LANGUAGES, required=False, widget=forms.CheckboxSelectMultiple
    )
    skills = forms.CharField(
        label=gettext_lazy("Skills"), required=False, max_length=400, help_text=gettext_lazy("With commas between.")
    )
    cultural_reviewer = forms.BooleanField(label=gettext_lazy("Cultural reviewer"), required=False)
    max_open_items = forms.IntegerField(label=gettext_lazy("Open items at most"), min_value=1, max_value=200)
    on_duty = forms.BooleanField(label=gettext_lazy("On duty"), required=False)

    def clean_skills(self) -> list[str]:
        """The words between the commas, each once."""
        words = (word.strip().lower()[:40] for word in self.cleaned_data["skills"].split(","))
        return sorted({word for word in words if word})[:30]


class NetworksForm(forms.Form):
    """Networks, and why."""

    allowed_ips = forms.CharField(
        label=gettext_lazy("Networks"),
        required=False,
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One per line, such as 203.0.113.0/24. Empty: from anywhere."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


@screen(permission=VIEW, title=gettext_lazy("Staff"), methods=("GET", "HEAD"))
def staff_list(request: StaffRequest) -> HttpResponse:
    """Everybody with a staff account: roles and their end, second factor, last sign-in."""
    now = clock.now()
    later = now + dt.timedelta(days=1)
    people = (
        User.objects.filter(is_staff=True)
        .annotate(has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=factor.FACTORS)))
        .prefetch_related(
            "groups",
            Prefetch("role_grants", RoleGrant.objects.filter(ended_at=None), to_attr="live_grants"),
            Prefetch("invitations", StaffInvitation.objects.order_by("created_at"), to_attr="all_invitations"),
        )
        .order_by("-is_active", "display_name", "id")
    )
    rows = []
    for person in people:
        ends = {grant.role: grant.expires_at for grant in cast("list[RoleGrant]", person.live_grants)}
        held = [
            (str(roles.ROLES.get(group.name, group.name)), ends.get(group.name))
            for group in person.groups.all()
            if (ends.get(group.name) or later) > now
        ]
        rows.append((person, held, state_of(person, cast("list[StaffInvitation]", person.all_invitations), now)))
    return render(request, "desk/system/staff/list.html", {"rows": rows, "may_invite": request.user.may(EDIT)})


class State(NamedTuple):
    """How an account stands, in words, with its badge."""

    code: str
    label: str | Promise
    badge: str


ACTIVE = State("active", gettext_lazy("active"), "ok")
INVITED = State("invited", gettext_lazy("invited"), "info")
LATE = State("late", gettext_lazy("invitation ran out"), "warn")
REVOKED = State("revoked", gettext_lazy("invitation taken back"), "muted")
CLOSED = State("closed", gettext_lazy("deactivated"), "muted")


def state_of(person: User, invitations: Sequence[StaffInvitation], now: dt.datetime) -> State:
    """Whether somebody is active, invited or closed; ``invitations`` are theirs, the oldest first."""
    if person.is_active:
        return ACTIVE
    if not invitations or any(invitation.accepted_at for invitation in invitations):
        return CLOSED
    if not invitations[-1].is_open:
        return REVOKED
    return INVITED if invitations[-1].expires_at > now else LATE


@screen(permission=VIEW, title=gettext_lazy("Roles"), methods=("GET", "HEAD"))
def role_list(request: StaffRequest) -> HttpResponse:
    """The published matrix: areas down, roles across, verbs in the cells; below it the networks per role."""
    return _roles(request)


def _roles(
    request: StaffRequest, *, form: NetworksForm | None = None, opened: str = "", status: int = 200
) -> HttpResponse:
    matrix = [(area, [row.get(role, "").split() for role in roles.ROLES]) for area, row in roles.MATRIX.items()]
    kept = dict(RoleAccess.objects.values_list("role", "allowed_ips"))
    access = []
    for role, name in ROLES:
        shown = form if role == opened else None
        initial = {"allowed_ips": "\n".join(kept.get(role, []))}
        access.append((role, name, kept.get(role, []), shown or NetworksForm(initial=initial, auto_id=f"{role}-%s")))
    return render(
        request,
        "desk/system/staff/roles.html",
        {
            "roles": list(roles.ROLES.values()),
            "matrix": matrix,
            "access": access,
            "actors": list(roles.ACTORS.values()),
            "api": [
                (resource, [row.get(actor, "").split() for actor in roles.ACTORS])
                for resource, row in roles.API.items()
            ],
            "opened": opened,
            "may_edit": request.user.may(EDIT),
            "address": devices.visit(request).ip,
        },
        status=status,
    )


@screen(permission=EDIT, title=gettext_lazy("Roles"), methods=("POST",))
@stepup.required
def role_networks(request: StaffRequest, role: str) -> HttpResponse:
    """Sets the networks from which holders of a role may come in."""
    if role not in roles.ROLES:
        raise NotFound(_("There is no such role."))
    form = NetworksForm(request.POST)
    if form.is_valid():
        try:
            services.allow_role(
                role=role,
                allowed=networks.parse(form.cleaned_data["allowed_ips"]),
                by=request.user,
                address=devices.visit(request).ip,
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("desk:role_list")
    return _roles(request, form=form, opened=role, status=400)


def find(pk: UUID) -> User:
    """The staff person. Raises NotFound."""
    person = User.objects.filter(pk=pk, is_staff=True).first()
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


@screen(permission=VIEW, title=gettext_lazy("Staff"), methods=("GET", "HEAD"))
def staff_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One person: roles with their ends, profile, networks, and what happened."""
    return _page(request, find(pk))


def _page(
    request: StaffRequest, person: User, *, form: forms.Form | None = None, opened: str = "", status: int = 200
) -> HttpResponse:
    request.desk["title"] = person.display_name
    profile = services.profile_of(person)
    grants = person.role_grants.select_related("granted_by", "approved_by", "ended_by").order_by("-created_at")
    made: dict[str, forms.Form] = {
        "grant": GrantForm(auto_id="grant-%s"),
        "take": ReasonForm(auto_id="take-%s"),
        "profile": ProfileForm(
            auto_id="profile-%s",
            initial={
                "languages": profile.languages,
                "skills": ", ".join(profile.skills),
                "cultural_reviewer": profile.cultural_reviewer,
                "max_open_items": profile.max_open_items,
                "on_duty": profile.on_duty,
            },
        ),
        "networks": NetworksForm(auto_id="networks-%s", initial={"allowed_ips": "\n".join(profile.allowed_ips)}),
        "account": ReasonForm(auto_id="account-%s"),
        "revoke": ReasonForm(auto_id="revoke-%s"),
    }
    if form is not None:
        made[opened.split(":")[0]] = form
    held = [(role, roles.ROLES.get(role, role)) for role in person.role_codes]
    now = clock.now()
    invited = list(person.invitations.select_related("invited_by").order_by("created_at"))
    asked = [(wish, roles.ROLES[wish.payload["role"]], wish.payload) for wish in role_services.waiting(person)]
    return render(
        request,
        "desk/system/staff/detail.html",
        {
            "person": person,
            "profile": profile,
            "profile_languages": [name for code, name in LANGUAGES if code in profile.languages],
            "live": [(grant, roles.ROLES[grant.role]) for grant in grants if grant.ended_at is None],
            "past": [(grant, roles.ROLES[grant.role]) for grant in grants if grant.ended_at is not None][:20],
            "held": held,
            "has_factor": factor.enrolled(person),
            "forms": made,
            "opened": opened,
            "may_edit": request.user.may(EDIT),
            "may_decide": request.user.may(DECIDE),
            "is_me": person == request.user,
            "address": devices.visit(request).ip,
            "entries": audit.for_subject(person)[:TIMELINE],
            "now": now,
            "state": state_of(person, invited, now),
            "invitation": invited[-1] if invited else None,
            "wanted": [roles.ROLES.get(role, role) for role in invited[-1].roles] if invited else [],
            "asked": asked,
            "nobody_else": role_services.nobody_else()
            if asked and not role_services.approvers(user=person, by=asked[0][0].requested_by).exists()
            else "",
        },
        status=status,
    )


def act(
    request: StaffRequest,
    pk: UUID,
    form: forms.Form,
    verb: Callable[[User, dict[str, Any]], object],
    *,
    opened: str,
    done: str,
) -> HttpResponse:
    """Runs a verb; a refusal shows the page again with what was typed."""
    person = find(pk)
    if form.is_valid():
        try:
            verb(person, form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            if done:
                messages.success(request, done)
            return redirect("desk:staff_detail", pk=pk)
    return _page(request, person, form=form, opened=opened, status=400)


@screen(permission=DECIDE, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def role_give(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives a role, for good or until a time, or asks another Super Admin to say yes."""

    def give(person: User, given: dict[str, Any]) -> None:
        until: dt.datetime | None = given["until"]
        outcome = role_services.give(
            user=person,
            role=given["role"],
            by=request.user,
            reason=given["reason"],
            until=until,
            languages=given["languages"],
        )
        if isinstance(outcome, RoleGrant):
            messages.success(request, _("The role is given."))
        elif role_services.approvers(user=person, by=request.user).exists():
            sentence = _("This role takes two Super Admins. The others are asked: %(reference)s.")
            messages.info(request, sentence % {"reference": outcome.reference})
        else:
            messages.warning(request, role_services.nobody_else())

    form = GrantForm(request.POST, auto_id="grant-%s")
    return act(request, pk, form, give, opened="grant", done="")


@screen(permission=DECIDE, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def role_take(request: StaffRequest, pk: UUID, role: str) -> HttpResponse:
    """Takes a role away; it is gone at the person's next request."""
    if role not in roles.ROLES:
        raise NotFound(_("There is no such role."))

    def take(person: User, given: dict[str, Any]) -> None:
        role_services.take(user=person, role=role, by=request.user, reason=given["reason"])

    form = ReasonForm(request.POST, auto_id="take-%s")
    return act(request, pk, form, take, opened=f"take:{role}", done=_("The role is taken away."))


@screen(permission=EDIT, title=gettext_lazy("Staff"), methods=("POST",))
def staff_profile(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Saves how somebody works."""
    form = ProfileForm(request.POST, auto_id="profile-%s")
    return act(
        request,
        pk,
        form,
        lambda person, given: services.update_profile(user=person, by=request.user, **given),
        opened="profile",
        done=_("Saved."),
    )


@screen(permission=EDIT, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def staff_networks(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Sets the networks from which this person may come in."""
    form = NetworksForm(request.POST, auto_id="networks-%s")
    return act(
        request,
        pk,
        form,
        lambda person, given: services.allow_person(
            user=person,
            allowed=networks.parse(given["allowed_ips"]),
            by=request.user,
            address=devices.visit(request).ip,
            reason=given["reason"],
        ),
        opened="networks",
        done=_("Saved."),
    )


@screen(permission=DECIDE, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def staff_deactivate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Closes the account; sessions and tokens end."""
    form = ReasonForm(request.POST, auto_id="account-%s")
    return act(
        request,
        pk,
        form,
        lambda person, given: services.deactivate(user=person, by=request.user, reason=given["reason"]),
        opened="account",
        done=_("The account is closed and its sessions have ended."),
    )


@screen(permission=DECIDE, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def staff_reactivate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Opens the account again."""
    form = ReasonForm(request.POST, auto_id="account-%s")
    return act(
        request,
        pk,
        form,
        lambda person, given: services.reactivate(user=person, by=request.user, reason=given["reason"]),
        opened="account",
        done=_("The account is open again."),
    )
