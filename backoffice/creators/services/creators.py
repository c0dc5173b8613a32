"""The creator's own record: admission, verification (S-012 to S-017), holds, facts from finance, profile."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from backoffice.accounts import permissions
from backoffice.accounts.services import sessions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.core.stored import Sentence
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorAgreement, CreatorApplication, Sanction, SocialAccount
from backoffice.creators.services import badges, documents, renewals
from backoffice.media.models import Asset
from backoffice.notifications.services import notify

# Why payouts are held, as `core.stored` reads it.
SUSPENDED = Sentence(gettext_noop("Suspended: %(reason)s"))
REFUSED = Sentence(gettext_noop("Verification refused: %(reason)s"))
OVERDUE = gettext_noop("Re-verification overdue")
PICTURES = (Asset.Kind.AVATAR, Asset.Kind.IMAGE)
UNASKED: dict[str, Any] = {"reverify_by": None, "reverify_asked_at": None}
ID_EXPIRED = gettext_lazy("Your ID has expired.")
PROFILE_FIELDS = (
    "stage_name",
    "bio",
    "country",
    "categories",
    "languages",
    "cultural_affiliations",
    "avatar",
    "payout_schedule",
)


def admit(*, application: CreatorApplication, by: Any, at: dt.datetime) -> Creator:
    """Makes or finds the applicant's creator and verifies it (S-007, S-012). Not active yet."""
    with transaction.atomic():
        creator = Creator.objects.select_for_update().filter(user=application.applicant).first()
        if creator is None:
            creator = Creator.objects.create(
                user=application.applicant,
                stage_name=application.stage_name,
                slug=free_slug(application.stage_name),
                bio=application.bio,
                country=application.country,
                currency=application.currency,
                categories=application.categories,
                languages=application.languages,
                cultural_affiliations=application.cultural_affiliations,
                created_at=at,
            )
        if creator.verification_status == states.VerificationStatus.REJECTED:
            advance(creator, "reopen", by=None, at=at)
        if creator.verification_status != states.VerificationStatus.VERIFIED:
            advance(
                creator,
                "verify",
                by=by,
                at=at,
                changes={**UNASKED, "refused_at": None, "verified_at": at, "tier": states.Tier.VERIFIED},
            )
            _vouch(creator, by=by, at=at)
        known = set(creator.social_accounts.values_list("platform", "handle"))
        for account in application.social_accounts.all():
            if (account.platform, account.handle) not in known:
                SocialAccount.objects.filter(pk=account.pk).update(creator=creator)
    return creator


def _vouch(creator: Creator, *, by: Any, at: dt.datetime) -> None:
    """The badge that goes with the verification (S-012)."""
    if not creator.badges.filter(badge=states.Badge.VERIFIED, revoked_at=None).exists():
        badges.give(
            creator=creator, badge=states.Badge.VERIFIED, by=by, reason=gettext_noop("Identity verified"), at=at
        )


def create_imported(
    *,
    user: Any,
    stage_name: str,
    by: Any,
    bio: str = "",
    country: str = "",
    currency: str = "USD",
    categories: Sequence[str] = (),
    languages: Sequence[str] = (),
    verified: bool = False,
    active: bool = False,
    slug: str = "",
    at: dt.datetime | None = None,
) -> Creator:
    """A creator taken over from another system, audited as such; `verified` keeps the old system's word.

    Raises Conflict when the person has a creator already, Invalid for an empty name, or for active without
    verified.
    """
    at = at or clock.now()
    if not stage_name.strip():
        raise Invalid(_("Enter the stage name."), field="stage_name")
    if active and not verified:
        raise Invalid(_("Only a verified creator can be active."), field="active")
    with transaction.atomic():
        if Creator.objects.filter(user=user).exists():
            raise Conflict(_("This person is a creator already."), code="already_creator")
        creator = Creator.objects.create(
            user=user,
            stage_name=stage_name.strip(),
            slug=free_slug(slug or stage_name),
            bio=bio,
            country=country,
            currency=currency,
            categories=list(categories),
            languages=list(languages),
            is_active=active,
            activated_at=at if active else None,
            created_at=at,
        )
        entries.record(action="creator.import", by=by, subject=creator, at=at)
        if verified:
            changes = {"tier": states.Tier.VERIFIED, "verified_at": at}
            advance(creator, "verify", by=by, at=at, reason="imported", changes=changes)
            _vouch(creator, by=by, at=at)
    return creator


def free_slug(name: str) -> str:
    """An unused slug for a stage name; a name without Latin letters gets a neutral one."""
    base = slugify(name)[:70].strip("-") or "creator"
    taken = set(Creator.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug


def activate(*, creator: Creator, by: Any, at: dt.datetime) -> None:
    """Lets a creator go live (S-009). The guards are asked by `applications.activate`."""
    with transaction.atomic():
        Creator.objects.filter(pk=creator.pk).update(is_active=True, activated_at=at, updated_at=at)
        creator.is_active, creator.activated_at = True, at
        entries.record(action="creator.activate", by=by, subject=creator, after={"is_active": True}, at=at)


def update_profile(*, creator: Creator, by: Any, fields: Mapping[str, Any], at: dt.datetime | None = None) -> Creator:
    """Changes the public profile and the payout schedule (U-019). Unknown fields raise Invalid.

    Only the creator changes the schedule, and is told: Forbidden for anybody else. Runs put together from then on
    follow it.
    """
    at = at or clock.now()
    unknown = sorted(set(fields) - set(PROFILE_FIELDS))
    if unknown:
        raise Invalid(_("This field cannot be changed here."), field=unknown[0])
    if "stage_name" in fields and not str(fields["stage_name"]).strip():
        raise Invalid(_("Enter your stage name."), field="stage_name")
    if "stage_name" in fields:
        fields = {**fields, "stage_name": " ".join(str(fields["stage_name"]).split())}
    if fields.get("payout_schedule", creator.payout_schedule) not in states.PayoutSchedule.values:
        raise Invalid(_("Choose one of the schedules."), field="payout_schedule")
    avatar = fields.get("avatar")
    if avatar is not None and avatar.owner_user_id != creator.user_id:
        raise Invalid(_("This picture is not yours."), field="avatar")
    if avatar is not None and avatar.kind not in PICTURES:
        # What is shown to everybody is nobody's proof document by mistake.
        raise Invalid(_("This file is not of the right kind."), field="avatar", code="wrong_kind")
    with transaction.atomic():
        creator = Creator.objects.select_for_update().get(pk=creator.pk)
        before = {name: getattr(creator, name) for name in fields}
        changed = {name: value for name, value in fields.items() if before[name] != value}
        if not changed:
            return creator
        if "payout_schedule" in changed and (by is None or by.pk != creator.user_id):
            raise Forbidden(_("Only the creator chooses how often they are paid."), code="not_the_creator")
        for name, value in changed.items():
            setattr(creator, name, value)
        creator.save(update_fields=[*changed, "updated_at"])
        entries.record(
            action="creator.update",
            by=by,
            subject=creator,
            before={name: before[name] for name in changed},
            after=changed,
            at=at,
        )
        if "payout_schedule" in changed:
            notify(
                user=creator.user,
                event="payout.schedule_changed",
                data={"before": before["payout_schedule"], "after": changed["payout_schedule"]},
                by=by,
            )
    return creator


def sign_agreement(*, creator: Creator, by: Any, version: str, at: dt.datetime | None = None) -> None:
    """Records that the creator signed the agreement in force (`creator.agreement_version`). Only they can."""
    at = at or clock.now()
    if by is None or by.pk != creator.user_id:
        raise Conflict(_("Only the creator can sign the agreement."), code="not_the_creator")
    in_force = values.get("creator.agreement_version")
    if version != in_force:
        raise Invalid(
            _("This is not the version in force, which is %(version)s.") % {"version": in_force}, field="version"
        )
    with transaction.atomic():
        signature, is_new = CreatorAgreement.objects.get_or_create(
            creator=creator,
            version=version,
            defaults={"language": by.language, "signed_at": at, "signed_by": by, "created_at": at},
        )
        if not is_new and creator.agreement_version == version:
            return
        _set(
            creator,
            by=by,
            at=at,
            action="creator.sign_agreement",
            agreement_version=version,
            agreement_signed_at=signature.signed_at,
        )


def record_tax_form(*, creator: Creator, status: str, by: Any, at: dt.datetime | None = None) -> None:
    """Keeps the state of the tax form, a fact that finance pushes down (one of `TaxFormStatus`)."""
    if status not in states.TaxFormStatus.values:
        raise Invalid(_("There is no such state of a tax form."), field="status")
    _set(creator, by=by, at=at or clock.now(), action="creator.tax_form", tax_form_status=status)


def record_payout_account(*, creator: Creator, ready: bool, by: Any, at: dt.datetime | None = None) -> None:
    """Keeps whether a usable payout account exists, a fact that finance pushes down."""
    _set(creator, by=by, at=at or clock.now(), action="creator.payout_account", payout_account_ready=ready)


def hold_payouts(*, creator: Creator, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Keeps money from being paid out until released; `by` None is the system. The reason is required."""
    at = at or clock.now()
    if not reason.strip():
        raise Invalid(_("Say why payouts are held."), field="reason")
    _set(
        creator,
        by=by,
        at=at,
        reason=reason,
        action="creator.hold_payouts",
        payout_hold=True,
        payout_hold_reason=reason.strip(),
        payout_hold_at=at,
    )


def release_payouts(*, creator: Creator, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Ends a hold after review (S-015). Needs ``payouts.edit``; nobody releases their own money.

    Conflict while suspended or with an overdue re-verification.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, "payouts.edit")
        if by.pk == creator.user_id:
            raise Forbidden(_("These are your own payouts: somebody else has to decide."), code="own_payouts")
    with transaction.atomic():
        # As it stands now: somebody may have suspended the creator since the page was opened.
        current = Creator.objects.select_for_update().get(pk=creator.pk)
        if current.verification_status == states.VerificationStatus.SUSPENDED:
            raise Conflict(_("Restore the creator before releasing payouts."), code="suspended")
        if current.reverification_overdue(at):
            raise Conflict(_("The re-verification is overdue."), code="reverification_overdue")
        if not current.payout_hold:
            raise Conflict(_("Payouts are not held."), code="not_held")
        _set(
            creator,
            by=by,
            at=at,
            reason=reason,
            action="creator.release_payouts",
            payout_hold=False,
            payout_hold_reason="",
            payout_hold_at=None,
        )


def suspend(
    *,
    creator: Creator,
    by: Any,
    reason: str,
    until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Hides a creator and holds the payouts (S-014); `by` None is the system on a critical alert.

    `until` ends the suspension by itself; the payouts stay held until somebody has looked.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, states.SUSPEND)
    if not reason.strip():
        raise Invalid(_("Say why the creator is suspended."), field="reason")
    if until is not None and until <= at:
        raise Invalid(_("The end of a suspension lies in the future."), field="until")
    with transaction.atomic():
        advance(
            creator,
            "suspend",
            by=by,
            at=at,
            reason=reason,
            changes={"suspended_at": at, "suspended_until": until, "suspension_reason": reason.strip()},
        )
        Sanction.objects.create(
            creator=creator, reason=reason.strip(), issued_by=by, issued_at=at, until=until, created_at=at
        )
        badges.take(creator=creator, badge=states.Badge.VERIFIED, by=by, reason=reason, at=at)
        sessions.end_all(user=creator.user, by=by, reason="suspended", at=at)
        if not creator.payout_hold:
            hold_payouts(creator=creator, by=by, reason=SUSPENDED(reason=reason), at=at)
        notify(
            user=creator.user,
            event="creator.suspended",
            data={
                "stage_name": creator.stage_name,
                "reason": reason.strip(),
                "until": until.date().isoformat() if until else "",
            },
            by=by,
        )


def restore(*, creator: Creator, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Shows a suspended creator again (S-015), never oneself. Payouts stay held until `release_payouts`."""
    at = at or clock.now()
    if by is not None:
        permissions.require(by, states.SUSPEND)
    policies.check_not_oneself(creator.user_id, by)
    if not reason.strip():
        raise Invalid(_("Say why the creator is restored."), field="reason")
    with transaction.atomic():
        advance(
            creator,
            "restore",
            by=by,
            at=at,
            reason=reason,
            changes={"suspended_at": None, "suspended_until": None, "suspension_reason": ""},
        )
        Sanction.objects.filter(creator=creator, kind=Sanction.Kind.SUSPENSION, ended_at=None).update(
            ended_at=at,
            ended_as=Sanction.Ended.EXPIRED if by is None else Sanction.Ended.LIFTED,
            ended_by=by,
            end_reason=reason.strip(),
            updated_at=at,
        )
        _vouch(creator, by=by, at=at)
        if creator.reverify_by is not None:
            # The suspension came in the middle of a re-verification: that one still has to be passed (S-017).
            advance(creator, "reverify", by=by, at=at)
        notify(user=creator.user, event="creator.restored", data={"stage_name": creator.stage_name}, by=by)


def reverify(*, creator: Creator, by: Any, reason: str | Promise, at: dt.datetime | None = None) -> None:
    """Asks a verified creator to prove identity again, by an ID that comes from now on (S-017).

    The creator stays live; after `creator.reverify_days` payouts are held. A lazy reason is read in the creator's
    language.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, states.DECIDE)
    policies.check_not_oneself(creator.user_id, by)
    deadline = at + dt.timedelta(days=values.get("creator.reverify_days"))
    with transaction.atomic():
        changes = {"reverify_by": deadline, "reverify_asked_at": at}
        advance(creator, "reverify", by=by, at=at, reason=str(reason), changes=changes)
        renewals.end(creator=creator, by=by, outcome="asked", at=at)
        notify(
            user=creator.user,
            event="creator.reverify",
            data={
                "stage_name": creator.stage_name,
                "reason": reason if isinstance(reason, Promise) else reason.strip(),
                "deadline": deadline.date().isoformat(),
            },
            by=by,
        )


def confirm_verification(*, creator: Creator, by: Any, at: dt.datetime | None = None) -> None:
    """Ends a re-verification well (S-012). Raises `policies.NotReady` without a valid ID that came after the request
    and was verified since, Forbidden for one's own.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    policies.check_not_oneself(creator.user_id, by)
    with transaction.atomic():
        current = Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        unmet = policies.missing_to_confirm(current, at=at)
        if unmet:
            raise policies.NotReady(_("The identity cannot be confirmed yet."), unmet=unmet)
        advance(creator, "verify", by=by, at=at, changes={**UNASKED, "verified_at": at})
        renewals.end(creator=creator, by=by, outcome="confirmed", at=at)
        _vouch(creator, by=by, at=at)


def reject_verification(*, creator: Creator, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Refuses a pending verification (S-013): not live any more, payouts held, documents get their purge date.

    The creator reads why, and from when they may apply again (S-016). An approved application that was not activated
    ends with it. Never one's own.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    policies.check_not_oneself(creator.user_id, by)
    if not reason.strip():
        raise Invalid(_("Say why the verification is refused."), field="reason")
    with transaction.atomic():
        approved = creator.applications.select_for_update().filter(status=states.ApplicationStatus.APPROVED).first()
        if approved is not None:
            changes = {
                "decision_code": states.RejectReason.IDENTITY,
                "decision_reason": reason.strip(),
                "decided_by": by,
                "decided_at": at,
            }
            advance(approved, "refuse", by=by, at=at, reason=reason, changes=changes)
        changes = {**UNASKED, "is_active": False, "refused_at": at}
        advance(creator, "reject", by=by, at=at, reason=reason, changes=changes)
        renewals.end(creator=creator, by=by, outcome="refused", at=at)
        badges.take(creator=creator, badge=states.Badge.VERIFIED, by=by, reason=reason, at=at)
        if not creator.payout_hold:
            hold_payouts(
                creator=creator,
                by=by,
                reason=REFUSED(reason=reason),
                at=at,
            )
        documents.schedule_purge(subject=creator.user, at=at)
        again = policies.refused_may_apply_at(creator)
        notify(
            user=creator.user,
            event="creator.verification_refused",
            data={
                "stage_name": creator.stage_name,
                "reason": reason.strip(),
                "again_from": again.date().isoformat() if again is not None else "",
            },
            by=by,
        )


def lapse(*, creator: Creator, at: dt.datetime) -> None:
    """Ends the verification of a creator who was approved and never went live (S-011). Part of closing the
    application.
    """
    advance(creator, "lapse", by=None, at=at, reason="lapsed", changes={**UNASKED, "refused_at": at})
    renewals.end(creator=creator, by=None, outcome="", at=at)
    badges.take(creator=creator, badge=states.Badge.VERIFIED, by=None, reason="lapsed", at=at)


def hold_overdue(*, at: dt.datetime | None = None) -> int:
    """Holds payouts of creators whose re-verification deadline has passed (S-017); returns how many."""
    at = at or clock.now()
    due = Creator.objects.filter(
        verification_status=states.VerificationStatus.PENDING, reverify_by__lte=at, payout_hold=False
    )
    done = 0
    for creator in due:
        hold_payouts(creator=creator, by=None, reason=OVERDUE, at=at)
        done += 1
    return done


def expire_documents(*, at: dt.datetime | None = None) -> int:
    """Expires documents past their date and asks creators left without a valid ID for a new one (S-020, S-017).

    Returns how many documents expired. Runs daily; a run that was cut off is completed by the next.
    """
    at = at or clock.now()
    expired = documents.expire_due(at=at)
    for creator in queries.without_valid_id(at=at):
        reverify(creator=creator, by=None, reason=ID_EXPIRED, at=at)
    return expired


def end_suspensions(*, at: dt.datetime | None = None) -> int:
    """Restores creators whose suspension has reached its end date; returns how many."""
    at = at or clock.now()
    due = Creator.objects.select_related("user").filter(
        verification_status=states.VerificationStatus.SUSPENDED, suspended_until__lte=at
    )
    done = 0
    for creator in due:
        restore(creator=creator, by=None, reason=gettext_noop("The suspension has ended."), at=at)
        done += 1
    return done


def _set(creator: Creator, *, by: Any, at: dt.datetime, action: str, reason: str = "", **changes: Any) -> None:
    """Writes fields and their audit row; a call that changes nothing writes nothing."""
    with transaction.atomic():
        current = Creator.objects.select_for_update().get(pk=creator.pk)
        before = {name: getattr(current, name) for name in changes}
        if before != changes:
            Creator.objects.filter(pk=creator.pk).update(**changes, updated_at=at)
            entries.record(action=action, by=by, subject=creator, reason=reason, before=before, after=changes, at=at)
    for name, value in changes.items():
        setattr(creator, name, value)
