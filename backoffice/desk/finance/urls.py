"""Addresses of the finance desk."""

from backoffice.desk.finance import events, ledger, payments, payouts

urlpatterns = [*payouts.urlpatterns, *payments.urlpatterns, *ledger.urlpatterns, *events.urlpatterns]
