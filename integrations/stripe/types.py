"""What the Stripe client returns: amounts in minor units, upper-case currencies, times in Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a list, newest first. `has_more` asks for the next with `starting_after=items[-1].id`."""

    items: tuple[T, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Customer:
    id: str
    email: str
    name: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A hosted checkout. `status` is open, complete or expired; `payment_status` is unpaid or paid."""

    id: str
    url: str
    status: str
    payment_status: str
    amount_total: int
    currency: str
    payment_intent: str
    customer: str
    customer_email: str
    client_reference_id: str
    metadata: Mapping[str, str]
    created: int
    expires_at: int

    @property
    def is_paid(self) -> bool:
        return self.payment_status == "paid"


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of an account's Stripe balance: `net` = `amount` - `fee`, all signed.

    `exchange_rate` is text as Stripe wrote it ("" without conversion), so that no rate becomes a float here.
    """

    id: str
    type: str
    reporting_category: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str
    status: str
    description: str
    exchange_rate: str
    created: int
    available_on: int


@dataclass(frozen=True, slots=True)
class Charge:
    """A card charge. `balance_transaction` carries the real fee; None while Stripe has not booked it."""

    id: str
    amount: int
    amount_refunded: int
    currency: str
    status: str
    paid: bool
    refunded: bool
    payment_intent: str
    balance_transaction: BalanceTransaction | None
    failure_code: str
    failure_message: str
    card_brand: str
    card_last4: str
    receipt_url: str
    metadata: Mapping[str, str]
    created: int


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """A payment and its latest charge. `error_code` is why the last try failed ("" when it did not)."""

    id: str
    amount: int
    amount_received: int
    currency: str
    status: str
    customer: str
    charge: Charge | None
    error_code: str
    decline_code: str
    metadata: Mapping[str, str]
    created: int

    @property
    def fee(self) -> int | None:
        """What Stripe kept, in minor units of the balance transaction's currency; None before booking."""
        if self.charge is None or self.charge.balance_transaction is None:
            return None
        return self.charge.balance_transaction.fee


@dataclass(frozen=True, slots=True)
class Balance:
    """Minor units by upper-case currency."""

    available: Mapping[str, int]
    pending: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BankDetails:
    """A bank account to pay out to, as typed by its owner. Goes to Stripe and is kept nowhere else."""

    country: str
    currency: str
    account_number: str
    routing_number: str = ""
    holder_name: str = ""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A bank account known to Stripe."""

    id: str
    bank_name: str
    last4: str
    country: str
    currency: str
    status: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """A creator's account with Stripe. `requirements` names what Stripe still wants to know."""

    id: str
    email: str
    country: str
    default_currency: str
    details_submitted: bool
    payouts_enabled: bool
    transfers_active: bool
    requirements: tuple[str, ...]
    disabled_reason: str
    bank_accounts: tuple[BankAccount, ...]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from the platform's balance to a connected account's balance."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    destination: str
    destination_payment: str
    balance_transaction: str
    transfer_group: str
    attempt_id: str
    reversed: bool
    metadata: Mapping[str, str]
    created: int


@dataclass(frozen=True, slots=True)
class Payout:
    """Money on its way from a connected account's balance to its bank.

    `status` is pending, in_transit, paid, failed or canceled; a paid one can still turn to failed days later.
    `trace_id` is the bank's reference ("" until there is one).
    """

    id: str
    account: str
    amount: int
    currency: str
    status: str
    method: str
    destination: str
    balance_transaction: str
    failure_code: str
    failure_message: str
    trace_id: str
    attempt_id: str
    metadata: Mapping[str, str]
    created: int
    arrival_date: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back to the card. `status` is pending, succeeded, failed, canceled or requires_action.

    One that succeeded can still turn to failed days later; the money is then back in the platform's balance.
    """

    id: str
    amount: int
    currency: str
    status: str
    charge: str
    payment_intent: str
    balance_transaction: str
    failure_reason: str
    attempt_id: str
    metadata: Mapping[str, str]
    created: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at Stripe. `account` is the connected account, "" for the platform's own.

    `object` is the thing it is about as it was then; `payload` the whole event as sent.
    """

    id: str
    type: str
    account: str
    livemode: bool
    created: int
    object: Mapping[str, Any]
    previous: Mapping[str, Any]
    payload: Mapping[str, Any]
