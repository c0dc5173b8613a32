"""What the system writes about money in trouble: kept in English, read with `core.stored.shown`."""

from django.utils.translation import gettext_noop

from backoffice.core.stored import Sentence

NO_TRACE = gettext_noop("The provider has no trace of it and the key is too old to send again.")
ACCOUNT_CHANGED = gettext_noop("A payout account was changed after the preview.")
ACCOUNT_CHANGED_LATE = gettext_noop("A payout account was changed after the approval.")
METHOD_OFF = gettext_noop("The payout method is switched off.")
NO_TRANSPORT = gettext_noop("Nothing sends payouts by this method.")
MORE_APPROVALS = gettext_noop("More people have to approve it now than when it was asked for.")

OTHER_AMOUNT = Sentence(gettext_noop("The provider has it with another amount: %(id)s"))
CONTRADICTION = Sentence(gettext_noop("The provider has done %(id)s, which was closed here as not done (%(code)s)."))
REVERSED = Sentence(gettext_noop("Transfer %(id)s was taken back at the provider."))
NOT_BOOKED = Sentence(gettext_noop("The provider has this refund, and it cannot be booked here: %(why)s"))
CAME_BACK = Sentence(gettext_noop("The provider could not give the money back: %(reason)s."))
NO_REASON = Sentence(gettext_noop("the bank gave no reason (%(code)s)"))
FIRST_PAYOUT = Sentence(gettext_noop("First payout for: %(count)s"))
IN_TRANSIT = Sentence(
    gettext_noop("%(creator)s: %(ledger)s in transit in the ledger, %(item)s in the payouts (minor units).")
)
BALANCE_SHORT = Sentence(gettext_noop("The provider's balance is %(balance)s, the run needs %(need)s (minor units)."))

# Why a refund came back, by the provider's code.
REFUND_REASONS = {
    "lost_or_stolen_card": gettext_noop("the card was lost or stolen"),
    "expired_or_canceled_card": gettext_noop("the card has expired or was cancelled"),
    "charge_for_pending_refund_disputed": gettext_noop("the customer's bank disputes the payment"),
    "insufficient_funds": gettext_noop("the balance with the provider does not cover it"),
    "declined": gettext_noop("the customer's bank declined it"),
    "merchant_request": gettext_noop("it was cancelled at the provider"),
    "canceled": gettext_noop("it was cancelled at the provider"),
}
