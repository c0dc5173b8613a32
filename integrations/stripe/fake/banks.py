"""Stripe's test bank account numbers: payouts to these fail with the reason given."""

FAILURES = {
    "000111111113": ("account_closed", "The bank account has been closed."),
    "000111111116": ("no_account", "The bank account could not be found."),
    "000222222227": ("insufficient_funds", "The account to pay from has insufficient funds."),
    "000333333335": ("debit_not_authorized", "Debits are not allowed on this bank account."),
    "000444444440": ("invalid_currency", "The bank cannot take this currency."),
    "AT321904300235473202": ("account_closed", "The bank account has been closed."),
    "AT861904300235473202": ("no_account", "The bank account could not be found."),
}
# Stripe opens no connected accounts in these countries.
UNSUPPORTED_COUNTRIES = {"CU", "HT", "IR", "KP", "SY"}
