"""Audit actions in words. The audit log shows the codes; timelines beside a record show these."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS: dict[str, str | Promise] = {
    "payment.authorize": _("Authorised by the customer's bank"),
    "payment.capture": _("Paid"),
    "payment.escalate": _("Stopped: needs a person"),
    "payment.fail": _("Failed"),
    "payment.refund": _("Refunded in full"),
    "payment.refund_partly": _("Refunded in part"),
    "payment_event.apply": _("Applied"),
    "payment_event.fail": _("Could not be applied"),
    "payment_event.ignore": _("Ignored"),
    "payment_event.replay": _("Put in line again"),
    "payout_item.bounce": _("Came back from the bank"),
    "payout_item.cancel": _("Taken out of the run"),
    "payout_item.escalate": _("Stopped: needs a person"),
    "payout_item.hold": _("Put on hold"),
    "payout_item.lose": _("No answer from the provider"),
    "payout_item.refuse": _("Refused by the provider"),
    "payout_item.release": _("Hold ended"),
    "payout_item.resume": _("Taken up again"),
    "payout_item.retry": _("Sent again"),
    "payout_item.send": _("Sent"),
    "payout_item.settle": _("Arrived"),
    "payout_item.submit": _("Handed to the provider"),
    "payout_run.approval": _("Approval given"),
    "payout_run.approve": _("Approved"),
    "payout_run.cancel": _("Cancelled"),
    "payout_run.execute": _("Sending began"),
    "payout_run.fail_partly": _("Finished, partly failed"),
    "payout_run.preview": _("Preview made"),
    "payout_run.reject": _("Rejected"),
    "payout_run.reopen": _("Opened again"),
    "payout_run.settle": _("Finished"),
    "payout_run.start_again": _("Started again"),
    "payout_run.stop": _("Stopped by a difference"),
    "payout_run.submit": _("Submitted for approval"),
    "payout_run.void_approvals": _("Approvals became void"),
}


def in_words(action: str) -> str:
    """The action for people; its code when there are no words for it."""
    return str(ACTIONS.get(action, action))
