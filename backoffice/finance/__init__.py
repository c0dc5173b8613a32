"""Money: ledger, commission, payments, earnings and payouts."""
