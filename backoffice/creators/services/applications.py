"""The application to become a creator, verb by verb (S-001 to S-011)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid, NotFound
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorApplication, SocialAccount
from backoffice.creators.services import creators, documents, reviews
from backoffice.creators.states import ApplicationStatus, InfoItem, RejectReason
from backoffice.media.models import Asset
from backoffice.notifications.services import notify
from backoffice.queues import queries as work
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items

QUEUE = queries.QUEUE

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

# What makes an application wait less long: score and sentence per reason.
SCORE_REAPPLICATION = 5
AUDIENCE_STEPS = ((1_000_000, 30), (100_000, 20), (10_000, 10))


def start(
    *, user: Any, by: Any, fields: Mapping[str, Any] | None = None, at: dt.datetime | None = None
) -> CreatorApplication:
    """A new application of this person (S-001, S-010), with `fields` as `update` takes them.

    Raises Forbidden when `by` is somebody else, Conflict when one is open, the person is a creator already,
    or it is too early to apply again.
    """
    at = at or clock.now()
    if by is None or by.pk != user.pk:
        raise Forbidden(_("You can only apply for yourself."))
    earlier = policies.check_may_start(user, at=at)
    try:
        with transaction.atomic():
            application = CreatorApplication.objects.create(
                applicant=user,
                country=user.country,
                reapplication_of=earlier,
                last_activity_at=at,
                created_at=at,
            )
            entries.record(action="application.start", by=by, subject=application, at=at)
            creator = Creator.objects.filter(user=user, verification_status=states.VerificationStatus.REJECTED).first()
            if creator is not None:
                advance(creator, "reopen", by=None, at=at)  # S-016
            if fields:
                application = update(application=application, by=by, fields=fields, at=at)
    except IntegrityError as error:
        if "application_one_open_per_person" not in str(error):
            raise
        raise Conflict(_("You have an open application already."), code="application_open") from error
    return application


def update(
    *,
    application: CreatorApplication,
    by: Any,
    fields: Mapping[str, Any],
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Changes the contents while being written or while information is asked for (U-017).

    `fields`: the profile fields, `sample` (an Asset of the applicant), `terms_version` (accepts the terms)
    and `social` (a list of {platform, handle, url, follower_count}, which replaces the accounts).
    """
    at = at or clock.now()
    _check_owner(application, by)
    unknown = sorted(set(fields) - {*PROFILE_FIELDS, "sample", "terms_version", "social"})
    if unknown:
        raise Invalid(_("This field cannot be changed here."), field=unknown[0])
    with transaction.atomic():
        application = _locked(application)
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
            application.terms_version, application.terms_accepted_at = fields["terms_version"], at
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
    """Keeps rows that are unchanged (with their checks), adds and removes the others."""
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
    _check_owner(application, by)
    with transaction.atomic():
        application = _locked(application)
        if not application.machine.allows(application.status, "submit"):
            raise Conflict(_("This application was submitted already."), code="illegal_transition")
        unmet = policies.missing_to_submit(application)
        if unmet:
            raise policies.NotReady(_("Something is still missing."), unmet=unmet)
        advance(application, "submit", by=by, at=at, changes={"submitted_at": at, "last_activity_at": at})
        items.enqueue(
            queue=QUEUE,
            subject=application,
            label=f"{application.reference} {application.stage_name}",
            reasons=_reasons(application),
            due_at=at + dt.timedelta(hours=values.get("application.due_hours")),
            language=application.languages[0],
            at=at,
        )
        notify(
            user=application.applicant,
            event="application.received",
            data={"reference": application.reference, "stage_name": application.stage_name},
            by=by,
        )
    return application


def _reasons(application: CreatorApplication) -> list[dict[str, Any]]:
    """Why the item waits and how much each reason counts; the texts are English source strings."""
    reasons: list[dict[str, Any]] = [
        {"code": "new_application", "text": "New application", "score": 10},
    ]
    followers = sum(application.social_accounts.values_list("follower_count", flat=True))
    for step, score in AUDIENCE_STEPS:
        if followers >= step:
            reasons.append(
                {"code": "audience", "text": f"{followers:,} followers on the accounts named", "score": score}
            )
            break
    if application.reapplication_of_id:
        reasons.append({"code": "reapplication", "text": "Applies again", "score": SCORE_REAPPLICATION})
    return reasons


def claim(
    *, application: CreatorApplication, by: Any, at: dt.datetime | None = None
) -> tuple[CreatorApplication, WorkItem]:
    """Takes one application for review under a lease (S-003); again for the holder gives a fresh token.

    Raises `queues.services.items.NotFree` naming who has it, NotFound when it is in no queue.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        item = _item(application)
        item = items.claim(item, by=by, at=at)
        return _into_review(application.pk, by=by, at=at), item


def claim_next(*, by: Any, at: dt.datetime | None = None) -> tuple[CreatorApplication, WorkItem] | None:
    """The next application this reviewer may take, claimed; None when nothing waits."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        item = items.claim_next(queues=[QUEUE], by=by, at=at)
        if item is not None and policies.is_own(CreatorApplication.objects.get(pk=item.subject_id), by):
            # A person has one open application at most, so the next one is somebody else's.
            items.skip(item, token=item.lease_token or "", by=by, at=at)
            item = items.claim_next(queues=[QUEUE], by=by, at=at)
        if item is None:
            return None
        return _into_review(UUID(item.subject_id), by=by, at=at), item


def _into_review(pk: UUID, *, by: Any, at: dt.datetime) -> CreatorApplication:
    """Brings a just claimed application into review; an abandoned review is ended first (S-004)."""
    application = CreatorApplication.objects.select_for_update().get(pk=pk)
    policies.check_reviewer(application, by)
    if application.status == ApplicationStatus.IN_REVIEW:
        if application.reviewer_id == by.pk:
            return application
        advance(application, "release", by=None, at=at, reason="lease ran out", changes=RELEASED)
    advance(application, "claim", by=by, at=at, changes={"reviewer": by, "claimed_at": at})
    return application


RELEASED: dict[str, Any] = {"reviewer": None, "claimed_at": None}


def release(
    *, application: CreatorApplication, by: Any, token: UUID | str, at: dt.datetime | None = None
) -> CreatorApplication:
    """Gives a claimed application back to the queue (S-004). Raises LeaseLost without the lease."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.release(_item(application), token=token, by=by, at=at)
        application = _locked(application)
        advance(application, "release", by=by, at=at, changes=RELEASED)
    return application


def return_abandoned(*, at: dt.datetime | None = None) -> int:
    """Puts applications whose lease ran out back to submitted (S-004); returns how many. Every minute."""
    at = at or clock.now()
    items.expire_leases(queues=[QUEUE], at=at)
    done = 0
    for application in queries.abandoned(at=at):
        with transaction.atomic():
            current = _locked(application)
            if current.status == ApplicationStatus.IN_REVIEW and queries.is_abandoned(current, at=at):
                advance(current, "release", by=None, at=at, reason="lease ran out", changes=RELEASED)
                done += 1
    return done


def save_review(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    findings: reviews.Findings,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Keeps findings without deciding; renews the lease. Raises LeaseLost without it."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.heartbeat(_item(application), token=token, by=by, at=at)
        application = _locked(application)
        reviews.save(application=application, findings=findings, by=by, at=at)
    return application


def request_info(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    text: str = "",
    asked: Sequence[str] = (),
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Asks the applicant for `asked` (codes of `InfoItem`) and pauses the clock (S-005).

    An empty text is written from the codes in the applicant's language. The answer returns to this reviewer.
    Raises LeaseLost without the lease, Invalid when neither text nor codes are given.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    bad = [code for code in asked if code not in InfoItem.values]
    if bad:
        raise Invalid(_("There is no such thing to ask for."), field="asked")
    if not text.strip() and not asked:
        raise Invalid(_("Say what is missing."), field="text")
    with transaction.atomic():
        items.pause(_item(application), token=token, by=by, reason=_("the applicant"), return_to=by, at=at)
        application = _locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        codes = list(dict.fromkeys(asked)) or [InfoItem.NOTE.value]
        text = text.strip() or reviews.request_text(codes, language=application.applicant.language)
        advance(
            application,
            "request_info",
            by=by,
            at=at,
            reason=text,
            changes={
                "info_requested": text,
                "info_items": codes,
                "info_requested_at": at,
                "answer": "",
                "last_activity_at": at,
            },
            note={"asked": codes},
        )
        notify(
            user=application.applicant,
            event="application.info_requested",
            data={"reference": application.reference, "stage_name": application.stage_name, "text": text},
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
    _check_owner(application, by)
    with transaction.atomic():
        application = _locked(application)
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
        items.resume(queue=QUEUE, subject=application, at=at)
    return application


def approve(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Approves and makes the verified, not yet active creator (S-007, S-012).

    `findings` are saved first. Raises LeaseLost without the lease, `policies.NotReady` naming each open
    guard.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.complete(_item(application), token=token, by=by, outcome="approved", at=at)
        application = _locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        unmet = policies.missing_to_approve(application)
        if unmet:
            raise policies.NotReady(_("The application cannot be approved yet."), unmet=unmet)
        creator = creators.admit(application=application, by=by, at=at)
        advance(
            application,
            "approve",
            by=by,
            at=at,
            changes={"creator": creator, "decided_at": at, "decided_by": by},
        )
        notify(
            user=application.applicant,
            event="application.approved",
            data={
                "reference": application.reference,
                "stage_name": application.stage_name,
                "steps": [unmet.code for unmet in policies.missing_to_activate(creator)],
            },
            by=by,
        )
    return application


def reject(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    code: str,
    text: str = "",
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Rejects with a reason code and a text for the applicant (S-008); documents get their purge date.

    An empty text is the code's sentence in the applicant's language. Raises LeaseLost without the lease.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    if code not in states.STAFF_REJECT_REASONS:
        raise Invalid(_("Choose a reason."), field="code")
    if code == RejectReason.OTHER and not text.strip():
        raise Invalid(_("Say what the reason is."), field="text")
    with transaction.atomic():
        items.complete(_item(application), token=token, by=by, outcome=f"rejected: {code}", at=at)
        application = _locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        text = text.strip() or reviews.rejection_text(code, language=application.applicant.language)
        advance(
            application,
            "reject",
            by=by,
            at=at,
            reason=text,
            changes={"decision_code": code, "decision_reason": text, "decided_at": at, "decided_by": by},
            note={"code": code},
        )
        _end_verification(application, by=by, at=at)
        notify(
            user=application.applicant,
            event="application.rejected",
            data={
                "reference": application.reference,
                "stage_name": application.stage_name,
                "text": text,
                "again_from": _reapply_date(application),
            },
            by=by,
        )
    return application


def _reapply_date(application: CreatorApplication) -> str:
    again = policies.may_reapply_at(application)
    return again.date().isoformat() if again else ""


def _end_verification(application: CreatorApplication, *, by: Any, at: dt.datetime) -> None:
    documents.schedule_purge(subject=application.applicant, at=at)
    creator = Creator.objects.filter(
        user=application.applicant, is_active=False, verification_status=states.VerificationStatus.PENDING
    ).first()
    if creator is not None:
        advance(creator, "reject", by=by, at=at)  # S-013


def activate(*, application: CreatorApplication, by: Any = None, at: dt.datetime | None = None) -> CreatorApplication:
    """Lets the approved creator go live (S-009); `by` None is the system.

    Raises `policies.NotReady` naming each fact that is not there yet.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, states.DECIDE)
    with transaction.atomic():
        application = _locked(application)
        if application.creator is None or not application.machine.allows(application.status, "activate"):
            raise Conflict(_("Only an approved application can be activated."), code="illegal_transition")
        creator = Creator.objects.select_for_update(of=("self",)).select_related("user").get(pk=application.creator.pk)
        unmet = policies.missing_to_activate(creator)
        if unmet:
            raise policies.NotReady(_("The creator cannot go live yet."), unmet=unmet)
        advance(application, "activate", by=by, at=at)
        creators.activate(creator=creator, by=by, at=at)
        notify(
            user=application.applicant,
            event="application.activated",
            data={
                "reference": application.reference,
                "stage_name": creator.stage_name,
                "slug": creator.slug,
            },
            by=by,
        )
    application.creator = creator
    return application


def activate_ready(*, at: dt.datetime | None = None) -> int:
    """Activates every approved creator whose facts are all there (S-009, by the system); returns how many."""
    at = at or clock.now()
    done = 0
    for application in queries.awaiting_activation():
        if application.creator is not None and not policies.missing_to_activate(application.creator):
            activate(application=application, by=None, at=at)
            done += 1
    return done


def lapse(*, application: CreatorApplication, at: dt.datetime | None = None) -> CreatorApplication:
    """Closes an application that its applicant left alone (S-011); a paused work item goes with it."""
    at = at or clock.now()
    with transaction.atomic():
        application = _locked(application)
        text = reviews.rejection_text(RejectReason.LAPSED, language=application.applicant.language)
        advance(
            application,
            "lapse",
            by=None,
            at=at,
            reason="lapsed",
            changes={"decision_code": RejectReason.LAPSED, "decision_reason": text, "decided_at": at},
        )
        items.cancel(queue=QUEUE, subject=application, at=at)
        _end_verification(application, by=None, at=at)
        notify(
            user=application.applicant,
            event="application.lapsed",
            data={"reference": application.reference, "again_from": _reapply_date(application)},
        )
    return application


def lapse_due(*, at: dt.datetime | None = None) -> int:
    """Lapses what had no activity for `application.lapse_days`; returns how many. Runs daily."""
    at = at or clock.now()
    before = at - dt.timedelta(days=values.get("application.lapse_days"))
    done = 0
    for application in queries.inactive_since(before):
        lapse(application=application, at=at)
        done += 1
    return done


def _check_owner(application: CreatorApplication, by: Any) -> None:
    if by is None or application.applicant_id != by.pk:
        raise Forbidden(_("This application is not yours."))


def _locked(application: CreatorApplication) -> CreatorApplication:
    return (
        CreatorApplication.objects.select_for_update(of=("self",))
        .select_related("applicant", "creator")
        .get(pk=application.pk)
    )


def _item(application: CreatorApplication) -> WorkItem:
    item = work.for_subject(QUEUE, application)
    if item is None:
        raise NotFound(_("This application is in no queue."))
    return item
