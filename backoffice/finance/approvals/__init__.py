"""What needs a second person in finance: the kinds of `backoffice.approvals`, one module for each."""

from . import fee_rules, payout_methods, payouts, refunds

__all__ = ["fee_rules", "payout_methods", "payouts", "refunds"]
