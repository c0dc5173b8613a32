"""Changing the fee rules: one person proposes, the month's replay is shown, another approves (E-047, X-047, W-015)."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.catalogue.models import Category
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid, NotFound
from backoffice.creators.models import Creator
from backoffice.finance.models import RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies import fee_rules as policy
from backoffice.finance.policies.fee_rules import Action, Proposal, Terms
from backoffice.finance.services import commission, fee_replay
from backoffice.finance.services.fee_replay import Month, Replay

KIND = "fee_rule"
EDIT, APPROVE = "fees.edit", "fees.approve"


def moment(at: datetime) -> str:
    """A moment in the reader's form and time zone, for sentences."""
    return str(formats.date_format(timezone.localtime(at), "DATETIME_FORMAT"))


def check(proposal: Proposal, *, at: datetime) -> RuleVersion | None:
    """Whether the proposal could be applied now; the rule that it ends, if any.

    Raises Invalid with the field, Conflict with the rule in the way, or NotFound.
    """
    ending = _ending(proposal, at=at)
    # What goes on in the place of a cancelled rule was checked when it was approved.
    if proposal.terms is not None and proposal.action != Action.CANCEL:
        policy.check_terms(proposal.terms, at=at)
        _check_picks(proposal.terms)
    rules = _living(proposal.effective_at)
    if proposal.terms is not None:
        in_the_way = policy.overlap(proposal.terms, rules, besides=proposal.rule_id)
        if in_the_way is not None:
            raise overlapping(in_the_way)
    since = proposal.effective_at
    if policy.leaves_a_gap(policy.after(proposal, rules), since=since) and not policy.leaves_a_gap(rules, since=since):
        raise Conflict(
            _(
                "After this some sales would have no commission at all and could not be booked. Replace the rule "
                "instead of ending it."
            ),
            code="no_commission_left",
        )
    return ending


def overlapping(rule: RuleVersion) -> Conflict:
    """The refusal that names the rule in the way."""
    values = {"rule": policy.name(rule), "rate": policy.rate(rule), "since": moment(rule.valid_from)}
    if rule.valid_to is None:
        text = _("The rule “%(rule)s” (%(rate)s, since %(since)s) covers this time. Replace it or end it first.")
    else:
        text = _("The rule “%(rule)s” (%(rate)s, since %(since)s) covers part of this time, until %(until)s.")
        values["until"] = moment(rule.valid_to)
    return Conflict(text % values, code="rule_overlap", field="valid_from")


def _living(since: datetime) -> list[RuleVersion]:
    """The rules that are in force at that moment or later."""
    rows = RuleVersion.objects.filter(Q(valid_to=None) | Q(valid_to__gt=since)).exclude(valid_to=F("valid_from"))
    return list(rows.select_related("creator", "category"))


def _ending(proposal: Proposal, *, at: datetime) -> RuleVersion | None:
    if proposal.rule_id is None:
        return None
    rules = RuleVersion.objects.select_related("creator", "category", "approval")
    rule = rules.filter(pk=proposal.rule_id).first()
    if rule is None:
        raise NotFound(_("There is no such fee rule."))
    if rule.is_cancelled:
        raise Conflict(
            _("The rule “%(rule)s” was cancelled before it started.") % {"rule": policy.name(rule)},
            code="rule_cancelled",
        )
    if proposal.action == Action.CANCEL:
        _check_future(rule, at=at)
        if proposal != cancellation(rule):
            raise Conflict(
                _("Other versions of the rule have changed what would go on in its place. Propose it again."),
                code="cancellation_changed",
            )
        if proposal.terms == Terms.of(rule):
            raise Conflict(
                _("The version before it says the same and would go on in its place. End or replace this one instead."),
                code="nothing_changes",
            )
        return rule
    field = "valid_from" if proposal.action == Action.REPLACE else "ends_at"
    if rule.valid_to is not None:
        raise Conflict(
            _("The rule “%(rule)s” ends on %(until)s already, and an end is set once. Add a rule from then on.")
            % {"rule": policy.name(rule), "until": moment(rule.valid_to)},
            code="rule_ended",
        )
    if proposal.effective_at <= at:
        raise Invalid(_("A change of the fees starts in the future."), field=field)
    if proposal.effective_at <= rule.valid_from:
        raise Invalid(
            _("The rule “%(rule)s” starts on %(since)s: it cannot end before that.")
            % {"rule": policy.name(rule), "since": moment(rule.valid_from)},
            field=field,
        )
    if proposal.terms is not None and proposal.terms.identity != policy.identity(rule):
        raise Invalid(_("A replacement is a new version of the same rule, for the same sales."), field="scope")
    return rule


def _check_future(rule: RuleVersion, *, at: datetime) -> None:
    if rule.valid_from <= at:
        raise Conflict(
            _("The rule “%(rule)s” is in force since %(since)s: it can be ended or replaced, no longer cancelled.")
            % {"rule": policy.name(rule), "since": moment(rule.valid_from)},
            code="rule_started",
        )


def cancellation(rule: RuleVersion) -> Proposal:
    """What calls a rule off before it starts. Where it took the place of a version, the one that is in force until then
    goes on, for as long as the rule would have been.
    """
    asked = proposal_of(rule.approval) if rule.approval is not None else None
    if asked is None or asked.action == Action.NEW:
        return Proposal.cancellation(rule, None)
    # Not the version that the request names: it may have been called off since, and another goes on in its place.
    before = next(
        (
            other
            for other in RuleVersion.objects.filter(component=rule.component, valid_to=rule.valid_from)
            if not other.is_cancelled and policy.identity(other) == policy.identity(rule)
        ),
        None,
    )
    if before is None:
        return Proposal.cancellation(rule, None)
    goes_on = {**Terms.of(before).as_dict(), "valid_from": rule.valid_from, "valid_to": rule.valid_to}
    return Proposal.cancellation(rule, Terms(**goes_on))


def _check_picks(terms: Terms) -> None:
    """Whether what the rule is narrowed to exists and is what the columns say."""
    match terms.scope:
        case Scope.CREATOR:
            known = terms.scope_value == str(terms.creator_id)
            if not known or not Creator.objects.filter(pk=terms.scope_value).exists():
                raise Invalid(_("There is no such creator."), field="scope_creator")
        case Scope.CATEGORY:
            known = terms.scope_value == str(terms.category_id)
            if not known or not Category.objects.filter(pk=terms.scope_value).exists():
                raise Invalid(_("There is no such category."), field="scope_category")
    try:
        terms.as_rule().clean_fields(exclude=["approval", "created_by", "creator", "category"])
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise Invalid(sentences[0], field=field) from error


def propose(
    *, proposal: Proposal, reason: str, by: User, month: Month | None = None, at: datetime | None = None
) -> ApprovalRequest:
    """Asks for a change of the fee rules; needs ``fees.edit`` and a reason. The totals of a month's replay (by default
    the last full month) are kept with the request.

    Raises what `check` raises, Invalid without a reason, AlreadyAsked when a change of the same rule waits.
    """
    at = at or clock.now()
    permissions.require(by, EDIT)
    if not reason.strip():
        raise Invalid(_("Say why the fees change: the approver reads it."), field="reason")
    ending = check(proposal, at=at)
    replayed = replay(proposal, month or Month.last_full(at))
    with translation.override("en"):
        # Everybody reads what is stored: in English, as a setting's.
        named = label(proposal, ending)
    payload = {"proposal": proposal.as_payload(), "replay": replayed.summary()}
    return requests.open(
        kind=KIND,
        by=by,
        label=named,
        payload=payload,
        before={"terms": Terms.of(ending).as_dict()} if ending is not None else None,
        subject=ending,
        reason=reason,
        needed=policy.approvals_needed(proposal),
        at=at,
    )


def label(proposal: Proposal, ending: RuleVersion | None) -> str:
    """The proposal in one line, with references instead of names."""
    if proposal.action == Action.CANCEL:
        assert ending is not None
        return _("Cancel: %(rule)s, %(rate)s") % {"rule": policy.name(ending), "rate": policy.rate(ending)}
    if proposal.terms is None:
        assert ending is not None
        return _("End: %(rule)s") % {"rule": policy.name(ending)}
    values = {"rule": policy.name(proposal.terms.as_rule()), "rate": policy.rate(proposal.terms)}
    if proposal.action == Action.REPLACE:
        return _("Replace: %(rule)s, now %(rate)s") % values
    return _("New: %(rule)s, %(rate)s") % values


def proposal_of(request: ApprovalRequest) -> Proposal:
    """What a request asks for."""
    return Proposal.read(request.payload["proposal"])


def replay(proposal: Proposal, month: Month, *, request: ApprovalRequest | None = None) -> Replay:
    """The month's sales under the rules as the proposal leaves them, or left them with this request; writes nothing."""
    return fee_replay.of(proposal, month, request=request)


def check_approver(request: ApprovalRequest, by: User) -> None:
    """Nobody approves a fee of their own sales. Raises Forbidden."""
    terms = proposal_of(request).terms
    keys = {terms.creator_id} if terms is not None else set()
    before = (request.before or {}).get("terms") or {}
    if before.get("creator_id"):
        keys.add(UUID(before["creator_id"]))
    if Creator.objects.filter(pk__in=[key for key in keys if key], user=by).exists():
        raise Forbidden(_("This fee is taken from your own sales: somebody else has to decide."), code="own_fee")


def apply(*, request: ApprovalRequest, by: User, at: datetime | None = None) -> RuleVersion | None:
    """Carries an approved request out, all of it or nothing; the rule that starts, if any.

    Checked again as it is now: another rule may be in the way, or the start may have passed. Changes of the fees are
    carried out one after another, so what is checked here stays true until it is written.
    """
    at = at or clock.now()
    proposal = proposal_of(request)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", ["finance.fee_rules"])
        if proposal.effective_at <= at and proposal.action != Action.CANCEL:
            raise Conflict(
                _("The change should have started on %(start)s, which has passed. Propose it again with a later start.")
                % {"start": moment(proposal.effective_at)},
                code="too_late",
            )
        ending = check(proposal, at=at)
        if ending is not None and proposal.action == Action.CANCEL:
            commission.cancel_rule(rule=ending, by=by, request=request, at=at)
        elif ending is not None:
            commission.end_rule(rule=ending, by=by, valid_to=proposal.effective_at, request=request, at=at)
        if proposal.terms is None:
            return None
        terms = proposal.terms
        return commission.add_rule(
            component=Component(terms.component),
            by=by,
            valid_from=terms.valid_from,
            valid_to=terms.valid_to,
            percent_bp=terms.percent_bp,
            fixed_minor=terms.fixed_minor,
            currency=terms.currency,
            min_minor=terms.min_minor,
            max_minor=terms.max_minor,
            scope=Scope(terms.scope),
            scope_value=terms.scope_value,
            creator=Creator.objects.get(pk=terms.creator_id) if terms.creator_id else None,
            category=Category.objects.get(pk=terms.category_id) if terms.category_id else None,
            agreement=terms.agreement,
            promotion_code=terms.promotion_code,
            bearer=Bearer(terms.bearer),
            priority=terms.priority,
            request=request,
            at=at,
        )
