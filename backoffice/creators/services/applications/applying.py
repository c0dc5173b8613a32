"""The applicant's side: writing, handing in, answering (S-001, S-002, S-006, S-010)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import switches, values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, states
from backoffice.creators.models import Creator, CreatorApplication, SocialAccount
from backoffice.creators.services import reviews
from backoffice.creators.services.applications import steps
from backoffice.media.models import Asset
from backoffice.notifications.services import notify
from backoffice.queues.services import items

PROFILE_FIELDS = (
    "stage_name",
    "legal_name",
    "bio",
    "country",
    "currency",
    "categories",
    "languages",
    "cultural_affiliations",
)


# Names stand in subjects of mails and in lists.
ONE_LINE = ("stage_name", "legal_name")


SAMPLE_KINDS = (Asset.Kind.SAMPLE, Asset.Kind.VIDEO)


def start(
    *, user: Any, by: Any, fields: Mapping[str, Any] | None = None, at: dt.datetime | None = None
) -> CreatorApplication:
    """A new application of this person (S-001, S-010), with `fields` as `update` takes them.

    Raises Forbidden when `by` is somebody else, Conflict when one is open, the person is a creator already,
    or it is too early to apply again, SwitchedOff by the kill switch (C-005).
    """
    at = at or clock.now()
    switches.require(switches.REGISTRATION)
    if by is None or by.pk != user.pk:
        raise Forbidden(_("You can only apply for yourself."))
    earlier = policies.check_may_start(user, at=at)
    try:
        with transaction.atomic():
            creator = Creator.objects.filter(user=user, verification_status=states.VerificationStatus.REJECTED).first()
            if creator is not None and earlier is not None and earlier.status == states.ApplicationStatus.APPROVED:
                _close_overtaken(earlier, refused_at=policies.refused_at(creator), at=at)
            application = CreatorApplication.objects.create(
                applicant=user,
                country=user.country,
                reapplication_of=earlier,
                last_activity_at=at,
                created_at=at,
            )
            entries.record(action="application.start", by=by, subject=application, at=at)
            if creator is not None:
                advance(
                    creator, "reopen", by=None, at=at, changes={"refused_at": policies.refused_at(creator)}
                )  # S-016
            if fields:
                application = update(application=application, by=by, fields=fields, at=at)
    except IntegrityError as error:
        if "application_one_open_per_person" not in str(error):
            raise
        raise Conflict(_("You have an open application already."), code="application_open") from error
    return application


def _close_overtaken(application: CreatorApplication, *, refused_at: dt.datetime, at: dt.datetime) -> None:
    """Ends an approval whose creator was refused while it stayed as it was (S-013)."""
    code = states.RejectReason.IDENTITY
    reason = reviews.rejection_text(code, language=application.applicant.language)
    changes = {"decision_code": code, "decision_reason": reason, "decided_by": None, "decided_at": refused_at}
    advance(application, "refuse", by=None, at=at, reason=reason, changes=changes)


def update(
    *,
    application: CreatorApplication,
    by: Any,
    fields: Mapping[str, Any],
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Changes the contents while being written or while information is asked for (U-017).

    `fields`: the profile fields, `sample` (an Asset of the applicant), `terms_version` (accepts the terms, which
    have to be those in force) and `social` (a list of {platform, handle, url, follower_count}, which replaces the
    accounts).
    """
    at = at or clock.now()
    steps.check_owner(application, by)
    unknown = sorted(set(fields) - {*PROFILE_FIELDS, "sample", "terms_version", "social"})
    if unknown:
        raise Invalid(_("This field cannot be changed here."), field=unknown[0])
    with transaction.atomic():
        application = steps.locked(application)
        if not application.is_editable:
            raise Conflict(_("This application takes no changes now."), code="not_editable")
        profile = {name: fields[name] for name in PROFILE_FIELDS if name in fields}
        profile |= {name: " ".join(profile[name].split()) for name in ONE_LINE if name in profile}
        changed = [name for name, value in profile.items() if getattr(application, name) != value]
        for name in changed:
            setattr(application, name, profile[name])
        if changed:
            application.profile_set_at = at
        if "sample" in fields:
            _set_sample(application, fields["sample"], at=at)
        if fields.get("terms_version"):
            _accept_terms(application, fields["terms_version"], at=at)
        application.last_activity_at = at
        application.save()
        if "social" in fields:
            _replace_accounts(application, fields["social"], at=at)
        entries.record(
            action="application.update",
            by=by,
            subject=application,
            data={"fields": sorted({*changed, *(set(fields) - set(PROFILE_FIELDS))})},
            at=at,
        )
    return application


def _accept_terms(application: CreatorApplication, version: str, *, at: dt.datetime) -> None:
    """Takes the acceptance of the terms in force (`application.terms_version`); the same again keeps its moment."""
    in_force = values.get("application.terms_version")
    if version != in_force:
        raise Invalid(
            _("This is not the version in force, which is %(version)s.") % {"version": in_force}, field="terms_version"
        )
    if application.terms_version != version or application.terms_accepted_at is None:
        application.terms_version, application.terms_accepted_at = version, at


def _set_sample(application: CreatorApplication, sample: Asset | None, *, at: dt.datetime) -> None:
    if sample is not None:
        if sample.owner_user_id != application.applicant_id:
            raise Invalid(_("This upload is not yours."), field="sample")
        if sample.kind not in SAMPLE_KINDS:
            raise Invalid(_("The sample has to be a video."), field="sample")
    if sample != application.sample:
        application.sample, application.sample_set_at = sample, at


def _replace_accounts(
    application: CreatorApplication, accounts: Sequence[Mapping[str, Any]], *, at: dt.datetime
) -> None:
    """Keeps rows of the same address (with their checks, under the new count), adds and removes the others."""
    wanted = {(a["platform"], a["handle"].strip().lstrip("@").lower()): a for a in accounts}
    if len(wanted) != len(accounts):
        raise Invalid(_("The same account stands twice."), field="social")
    present = {(a.platform, a.handle): a for a in application.social_accounts.all()}
    for key, row in present.items():
        fresh = wanted.get(key)
        if fresh is None or fresh["url"] != row.url:
            row.delete()
    for (platform, handle), account in wanted.items():
        kept = present.get((platform, handle))
        if kept is not None and kept.url == account["url"]:
            # What was checked is whose account it is; how many follow it changes every day.
            followers = account.get("follower_count", kept.follower_count)
            if followers != kept.follower_count:
                SocialAccount.objects.filter(pk=kept.pk).update(follower_count=followers, updated_at=at)
            continue
        SocialAccount.objects.create(
            application=application,
            platform=platform,
            handle=handle,
            url=account["url"],
            follower_count=account.get("follower_count", 0),
            created_at=at,
        )


def submit(*, application: CreatorApplication, by: Any, at: dt.datetime | None = None) -> CreatorApplication:
    """Hands the application in (S-002): it enters the queue with its due time and reasons.

    Raises `policies.NotReady` naming each missing thing.
    """
    at = at or clock.now()
    steps.check_owner(application, by)
    with transaction.atomic():
        application = steps.locked(application)
        if not application.machine.allows(application.status, "submit"):
            raise Conflict(_("This application was submitted already."), code="illegal_transition")
        unmet = policies.missing_to_submit(application)
        if unmet:
            raise policies.NotReady(_("Something is still missing."), unmet=unmet)
        advance(application, "submit", by=by, at=at, changes={"submitted_at": at, "last_activity_at": at})
        steps.place(application, at=at)
        notify(
            user=application.applicant,
            event="application.received",
            data={"reference": application.reference, "stage_name": application.stage_name},
            by=by,
        )
    return application


def answer(
    *, application: CreatorApplication, by: Any, text: str = "", at: dt.datetime | None = None
) -> CreatorApplication:
    """Sends the answer; the item returns to the same reviewer, its due time moved by the wait (S-006).

    Raises `policies.NotReady` naming each requested thing that has not come.
    """
    at = at or clock.now()
    steps.check_owner(application, by)
    with transaction.atomic():
        application = steps.locked(application)
        if not application.machine.allows(application.status, "answer"):
            raise Conflict(_("Nothing is asked for at present."), code="illegal_transition")
        unmet = policies.missing_to_answer(application, answer=text)
        if unmet:
            raise policies.NotReady(_("Something that was asked for is still missing."), unmet=unmet)
        advance(
            application,
            "answer",
            by=by,
            at=at,
            changes={"answer": text.strip(), "last_activity_at": at, "reviewer": None, "claimed_at": None},
        )
        items.resume(queue=steps.QUEUE, subject=application, at=at)
    return application
