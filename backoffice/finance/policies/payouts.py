"""May this creator be paid this amount this way now, and if not, why (S-077). Every reason, not only the first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from backoffice.creators.models import Creator
from backoffice.creators.states import PayoutSchedule, TaxFormStatus, VerificationStatus
from backoffice.finance.models import PayoutAccount, PayoutItem, PayoutMethod, PayoutRun
from backoffice.finance.policies.rounding import percent
from backoffice.finance.states import AccountStatus

TAX_FORM_ACCEPTED = (TaxFormStatus.SUBMITTED, TaxFormStatus.VERIFIED)
# Which HTTP answer a reason gets (U-027): the amount is the asker's to change, the rest is not.
AMOUNT_REASONS = {"amount_not_positive", "below_minimum", "above_available", "above_ceiling"}
# N-014: 99,999,999.99 in a currency of two decimals.
CEILING_MINOR = 9_999_999_999


TEXTS = {
    "not_active": _("The creator is not active."),
    "payout_hold": _("Payouts of this creator are on hold."),
    "tax_form_missing": _("There is no valid tax form."),
    "reverification_overdue": _("The creator's re-verification is overdue."),
    "no_account": _("There is no payout account."),
    "method_disabled": _("This payout method is switched off."),
    "account_disabled": _("The payout account is disabled."),
    "account_unverified": _("The payout account is not verified yet."),
    "account_changed": _("The payout account was changed after the approval."),
    "amount_not_positive": _("The amount must be more than zero."),
    "receivable": _("The creator owes money to the platform."),
    "below_minimum": _("The amount is below the smallest payout of this method."),
    "above_available": _("The available balance does not cover this amount."),
    "above_ceiling": _("The amount is larger than a payout can be."),
    "already_open": _("Another payout is still open."),
    "on_demand": _("The creator is paid only when they ask for it."),
    "not_due": _("The creator was in a run of this week or month already, as their schedule says."),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a stable code and its sentence for the screen."""

    code: str

    @property
    def text(self) -> str:
        return str(TEXTS[self.code])

    @property
    def kept(self) -> str:
        """The sentence as a row keeps it: in English, see `core.stored`."""
        with translation.override("en"):
            return self.text

    def as_error(self) -> DomainError:
        """The reason as the refusal of a service."""
        if self.code in AMOUNT_REASONS:
            return Invalid(self.text, code=self.code, field="amount")
        if self.code == "already_open":
            return Conflict(self.text, code=self.code)
        return Forbidden(self.text, code=self.code)


@dataclass(frozen=True, slots=True)
class Terms:
    """The amounts of one payout, minor units: gross = fee + withholding + net."""

    gross_minor: int
    fee_minor: int
    withholding_minor: int
    net_minor: int


def terms(method: PayoutMethod, gross_minor: int) -> Terms:
    """What a payout of ``gross_minor`` costs and leaves under this method's fee."""
    fee = percent(gross_minor, method.fee_bp) + method.fee_fixed_minor
    return Terms(gross_minor, fee, 0, gross_minor - fee)


def person_reasons(creator: Creator, *, at: datetime) -> list[Reason]:
    """What stands against paying this creator at all."""
    reasons = []
    if not creator.is_active or creator.verification_status == VerificationStatus.SUSPENDED:
        reasons.append(Reason("not_active"))
    if creator.payout_hold:
        reasons.append(Reason("payout_hold"))
    if creator.tax_form_status not in TAX_FORM_ACCEPTED:
        reasons.append(Reason("tax_form_missing"))
    if creator.reverification_overdue(at):
        reasons.append(Reason("reverification_overdue"))
    return reasons


def account_reasons(account: PayoutAccount | None, method: PayoutMethod | None) -> list[Reason]:
    """What stands against this account."""
    if account is None or method is None:
        return [Reason("no_account")]
    reasons = []
    if not method.enabled or not method.minimum_minor:
        reasons.append(Reason("method_disabled"))
    if account.status == AccountStatus.DISABLED:
        reasons.append(Reason("account_disabled"))
    elif account.status != AccountStatus.VERIFIED:
        reasons.append(Reason("account_unverified"))
    return reasons


def sending_reasons(item: PayoutItem, *, at: datetime) -> list[Reason]:
    """What stands against sending an approved payout now."""
    reasons = account_reasons(item.account, item.account.method)
    if item.account_version != item.account.version:
        # The approval was given for the account as it was.
        reasons.append(Reason("account_changed"))
    return [*reasons, *person_reasons(item.creator, at=at)]


def amount_reasons(
    *, amount_minor: int, available_minor: int, owed_minor: int, method: PayoutMethod | None
) -> list[Reason]:
    """What stands against this amount."""
    if amount_minor <= 0:
        return [Reason("amount_not_positive")]
    reasons = []
    if owed_minor:
        reasons.append(Reason("receivable"))
    if method is not None and method.minimum_minor and amount_minor < method.minimum_minor:
        reasons.append(Reason("below_minimum"))
    if amount_minor > available_minor:
        reasons.append(Reason("above_available"))
    if amount_minor > CEILING_MINOR:
        reasons.append(Reason("above_ceiling"))
    return reasons


def schedule_reasons(creator: Creator, *, last_run_at: datetime | None, at: datetime) -> list[Reason]:
    """What the creator's schedule says against a run of finance at this moment (F-028).

    ``last_run_at`` is when they were last in one that was not called off. Weeks begin on Monday, both spans in UTC.
    """
    if creator.payout_schedule == PayoutSchedule.ON_DEMAND:
        return [Reason("on_demand")]
    begins = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if creator.payout_schedule == PayoutSchedule.WEEKLY:
        begins -= timedelta(days=begins.weekday())
    else:
        begins = begins.replace(day=1)
    return [Reason("not_due")] if last_run_at is not None and last_run_at >= begins else []


def open_reason() -> Reason:
    """A payout in the same currency is under way."""
    return Reason("already_open")


def approvals_needed(*, gross_minor: int, currency: str, threshold_usd_minor: int) -> int:
    """One approver, two above the threshold (N-016). In a currency other than USD always two: no rate is trusted."""
    return 1 if currency == "USD" and gross_minor <= threshold_usd_minor else 2


def check_approver(run: PayoutRun, by: User, *, creator_users: Collection[object]) -> None:
    """Raises Forbidden when this person has a part in the run: asked for it, or is paid by it (Q-019)."""
    if run.requested_by_id == by.pk:
        raise Forbidden(_("You asked for this payout: somebody else has to approve it."), code="own_request")
    check_not_paid(by, creator_users=creator_users)


def check_not_paid(by: User, *, creator_users: Collection[object]) -> None:
    """Raises Forbidden when this person is paid by the run."""
    if by.pk in creator_users:
        raise Forbidden(_("You are paid by this run: somebody else has to approve it."), code="own_payout")
