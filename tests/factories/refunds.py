"""Refunds for tests: paid purchases at the loopback provider, requests in every state."""

import itertools
from datetime import datetime
from typing import Any

from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.finance.models import Payment, RefundRequest
from backoffice.finance.services import events, payments, refunds
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance, sales
from tests.factories.accounts import member, staff

_numbers = itertools.count(1)
URLS: dict[str, Any] = {"success_url": "https://shop.example/done", "cancel_url": "https://shop.example/back"}
PENDING, FAILING = "4000000000007726", "4000000000005126"


def paid(
    stripe: RunningFake,
    price: int = 100_00,
    *,
    card: str = "4242424242424242",
    buyer: User | None = None,
    **title_fields: Any,
) -> Payment:
    """A captured payment that the loopback provider knows."""
    purchase = purchases.start(title=sales.published(price_minor=price, **title_fields), by=buyer or member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key=f"paid-{next(_numbers)}", **URLS)
    stripe.pay(payment.provider_session_id, card=card)
    stripe.run_scheduled()
    tell(stripe)
    payment.refresh_from_db()
    return payment


def tell(stripe: RunningFake) -> None:
    """Applies every event so far, as the webhook does."""
    for raw in stripe.events():
        event = events.receive(
            provider="stripe", event_id=raw["id"], type=raw["type"], payload=raw, account=raw.get("account") or ""
        )
        events.apply(event=event)


def support_person() -> User:
    """Somebody who may propose refunds."""
    return staff("customer_support")


def asked(
    payment: Payment, minor: int, *, by: User | None = None, reason: str = "duplicate", at: datetime | None = None
) -> RefundRequest:
    """A refund that somebody of support proposes, unless it is somebody else's."""
    return refunds.propose(payment=payment, amount_minor=minor, reason=reason, by=by or support_person(), at=at)


def approval_of(request: RefundRequest) -> ApprovalRequest:
    """Its request for the second person."""
    assert request.approval is not None
    return request.approval


def approved(payment: Payment, minor: int, *, by: User | None = None) -> RefundRequest:
    """A refund that is approved and not sent yet."""
    request = asked(payment, minor)
    requests.approve(request=approval_of(request), by=by or finance.finance_person(), at=clock.now())
    request.refresh_from_db()
    return request
