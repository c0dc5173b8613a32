"""Where creators are paid: connecting an account with the provider, verifying, changing and disabling it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.creators.services import creators
from backoffice.finance.models import PayoutAccount, PayoutMethod
from backoffice.finance.policies import fingerprints
from backoffice.finance.services import providers
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import AccountStatus
from backoffice.notifications.services import notify
from integrations.stripe.errors import Refused, Unknown
from integrations.stripe.types import BankDetails, ConnectedAccount

STRIPE_METHOD = "stripe"


class AccountRefused(Invalid):
    """The provider would not accept the details."""

    default_code = "account_refused"


def connect(
    *, creator: Creator, by: User, bank: BankDetails, terms_ip: str = "127.0.0.1", at: datetime | None = None
) -> PayoutAccount:
    """Opens the creator's account with Stripe, pays into ``bank``, and verifies it if Stripe asks for nothing more.

    The bank's number goes to Stripe and is not kept. Only the creator can do this; a second account replaces nothing:
    use `change_bank`. Raises Conflict, AccountRefused or ProviderUnavailable.
    """
    at = at or clock.now()
    _check_owner(creator, by)
    method = PayoutMethod.objects.filter(code=STRIPE_METHOD, currency=creator.currency, enabled=True).first()
    if method is None:
        raise Conflict(
            _("There is no payout method in %(currency)s.") % {"currency": creator.currency}, code="no_method"
        )
    opened = PayoutAccount.objects.filter(creator=creator, method=method).exclude(status=AccountStatus.DISABLED)
    if opened.exists():
        raise Conflict(_("There is a payout account already."), code="account_exists")
    generation = PayoutAccount.objects.filter(creator=creator, method=method).count() + 1
    try:
        # No money moves here: the key makes a repeated call with the same bank find the same account.
        remote = providers.stripe().create_account(
            country=bank.country,
            currency=creator.currency,
            email=creator.user.email,
            bank=bank,
            terms_accepted_at=int((creator.agreement_signed_at or creator.created_at).timestamp()),
            terms_accepted_ip=terms_ip,
            metadata={"creator": str(creator.pk)},
            idempotency_key=f"account:{creator.pk}:{generation}:{_digest(bank)}",
        )
    except Refused as error:
        raise AccountRefused(
            _("The bank details were not accepted: %(reason)s") % {"reason": error.message},
            field=error.param or None,
        ) from error
    except Unknown as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    with transaction.atomic():
        account, fresh = PayoutAccount.objects.get_or_create(
            method=method,
            provider_account_id=remote.id,
            defaults={
                "creator": creator,
                "masked": _masked(remote),
                "country": remote.country,
                "created_at": at,
            },
        )
        if fresh:
            entries.record(
                action="payout_account.connect",
                by=by,
                subject=account,
                after={"masked": account.masked},
                at=at,
            )
        _take_over(account, remote, by=by, at=at)
    return account


def change_bank(*, account: PayoutAccount, by: User, bank: BankDetails, at: datetime | None = None) -> PayoutAccount:
    """Pays into another bank from now on. Approvals given for the old one become void."""
    at = at or clock.now()
    _check_owner(account.creator, by)
    if account.status == AccountStatus.DISABLED:
        raise Conflict(_("This payout account is disabled."), code="account_disabled")
    client = providers.stripe()
    try:
        client.add_bank_account(
            account.provider_account_id,
            bank=bank,
            idempotency_key=f"bank:{account.pk}:{account.version}:{_digest(bank)}",
        )
        remote = client.retrieve_account(account.provider_account_id)
    except Refused as error:
        raise AccountRefused(
            _("The bank details were not accepted: %(reason)s") % {"reason": error.message},
            field=error.param or None,
        ) from error
    except Unknown as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    with transaction.atomic():
        account = PayoutAccount.objects.select_for_update(of=("self",)).get(pk=account.pk)
        before = account.masked
        account.version += 1
        account.masked = _masked(remote)
        account.save(update_fields=["version", "masked", "updated_at"])
        entries.record(
            action="payout_account.change_bank",
            by=by,
            subject=account,
            before={"masked": before},
            after={"masked": account.masked},
            at=at,
        )
        notify(user=account.creator.user, event="payout.account_changed", data={"account": account.masked}, by=by)
        _take_over(account, remote, by=by, at=at)
    return account


def verify(*, account: PayoutAccount, by: User, at: datetime | None = None) -> PayoutAccount:
    """Asks the provider whether the account can be paid and keeps the answer. Needs ``payouts.decide``.

    Raises Conflict with what is missing when it cannot.
    """
    permissions.require(by, "payouts.decide")
    account = refresh(account=account, by=by, at=at)
    if account.status != AccountStatus.VERIFIED:
        raise Conflict(
            _("The provider still asks for: %(list)s") % {"list": ", ".join(account.missing) or "?"},
            code="account_incomplete",
        )
    return account


def refresh(*, account: PayoutAccount, by: User | None = None, at: datetime | None = None) -> PayoutAccount:
    """Reads the account at the provider and keeps what it says."""
    at = at or clock.now()
    try:
        remote = providers.stripe().retrieve_account(account.provider_account_id)
    except (Refused, Unknown) as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    with transaction.atomic():
        account = PayoutAccount.objects.select_for_update(of=("self",)).select_related("creator").get(pk=account.pk)
        _take_over(account, remote, by=by, at=at)
    return account


def refresh_by_provider_id(*, provider_account_id: str, at: datetime | None = None) -> bool:
    """The same for an event that names the provider's account; False when it is nobody's here."""
    account = PayoutAccount.objects.filter(provider_account_id=provider_account_id).first()
    if account is None:
        return False
    refresh(account=account, at=at)
    return True


def disable(*, account: PayoutAccount, by: User | None, reason: str, at: datetime | None = None) -> PayoutAccount:
    """Nothing is sent to this account any more; the reason is required."""
    at = at or clock.now()
    if by is not None:
        permissions.require(by, "payouts.decide")
    if not reason.strip():
        raise Invalid(_("Say why the account is disabled."), field="reason")
    with transaction.atomic():
        advance(account, "disable", by=by, at=at, reason=reason, changes={"disabled_reason": reason.strip()[:300]})
        creators.record_payout_account(creator=account.creator, ready=False, by=by, at=at)
    return account


def record(
    *,
    creator: Creator,
    method: PayoutMethod,
    provider_account_id: str,
    masked: str,
    by: User | None,
    verified: bool = True,
    at: datetime | None = None,
) -> PayoutAccount:
    """An account that exists at the provider already (imports)."""
    at = at or clock.now()
    with transaction.atomic():
        account = PayoutAccount.objects.create(
            creator=creator,
            method=method,
            provider_account_id=provider_account_id,
            masked=masked,
            country=creator.country,
            created_at=at,
        )
        entries.record(action="payout_account.record", by=by, subject=account, after={"masked": masked}, at=at)
        if verified:
            advance(account, "verify", by=by, at=at, changes={"verified_at": at})
            creators.record_payout_account(creator=creator, ready=True, by=by, at=at)
    return account


def _take_over(account: PayoutAccount, remote: ConnectedAccount, *, by: User | None, at: datetime) -> None:
    """Keeps what the provider says about the account and moves its status along."""
    missing = list(remote.requirements)
    masked = _masked(remote)
    changes: dict[str, Any] = {"missing": missing}
    if masked != account.masked:
        # The bank was changed at the provider itself: money would go elsewhere than was approved.
        changes |= {"masked": masked, "version": account.version + 1}
    PayoutAccount.objects.filter(pk=account.pk).update(updated_at=at, **changes)
    for name, value in changes.items():
        setattr(account, name, value)
    payable = remote.payouts_enabled and remote.transfers_active
    if payable and account.status == AccountStatus.PENDING:
        advance(account, "verify", by=by, at=at, changes={"verified_at": at})
        creators.record_payout_account(creator=account.creator, ready=True, by=by, at=at)
    elif not payable and account.status == AccountStatus.VERIFIED:
        advance(account, "unverify", by=by, at=at, reason=remote.disabled_reason, changes={"verified_at": None})
        creators.record_payout_account(creator=account.creator, ready=False, by=by, at=at)


def _masked(remote: ConnectedAccount) -> str:
    """The bank's name and last digits of the account that is paid."""
    banks = sorted(remote.bank_accounts, key=lambda bank: not bank.is_default)
    return f"{banks[0].bank_name or banks[0].country} •••• {banks[0].last4}" if banks else ""


def _digest(bank: BankDetails) -> str:
    """Tells one bank from another in a key, so that a corrected number is a new request."""
    return fingerprints.of(asdict(bank))[:16]


def _check_owner(creator: Creator, by: User) -> None:
    if creator.user_id != by.pk:
        raise Forbidden(_("Only the creator can say where the money goes."), code="not_the_creator")
