"""Tables of the finance domain."""

from .attempts import Attempt
from .commission import CommissionLine, RuleVersion
from .fx import CurrencyRate
from .ledger import Account, AccountKind, AccountSnapshot, Balance, Entry, EntryKind, Posting, Seal
from .payments import Earning, EventOutcome, Payment, PaymentEvent, Refund, RefundReversal
from .payouts import Allocation, PayoutAccount, PayoutItem, PayoutMethod, PayoutRun
from .refunds import RefundReason, RefundRequest

__all__ = [
    "Account",
    "AccountKind",
    "AccountSnapshot",
    "Allocation",
    "Attempt",
    "Balance",
    "CommissionLine",
    "CurrencyRate",
    "Earning",
    "Entry",
    "EntryKind",
    "EventOutcome",
    "Payment",
    "PaymentEvent",
    "PayoutAccount",
    "PayoutItem",
    "PayoutMethod",
    "PayoutRun",
    "Posting",
    "Refund",
    "RefundReason",
    "RefundRequest",
    "RefundReversal",
    "RuleVersion",
    "Seal",
]
