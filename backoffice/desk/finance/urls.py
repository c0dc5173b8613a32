"""Addresses of the finance desk."""

from backoffice.desk.finance import (
    events,
    fee_requests,
    fees,
    ledger,
    payments,
    payout_methods,
    payouts,
    refunds,
)

urlpatterns = [
    *payouts.urlpatterns,
    *payments.urlpatterns,
    *refunds.urlpatterns,
    *ledger.urlpatterns,
    *events.urlpatterns,
    *fees.urlpatterns,
    *fee_requests.urlpatterns,
    *payout_methods.urlpatterns,
]
