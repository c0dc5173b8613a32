"""The demo's refunds: known to the loopback Stripe, in the states that people meet."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from backoffice.core import clock
from backoffice.finance.models import Payment, RefundRequest
from backoffice.finance.services import providers, refunds, verification
from deploy.demo import refunds as demo
from integrations.stripe.fake.running import running_fake
from tests.factories import creators, sales
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db


def test_the_demos_refunds_can_be_followed_and_its_sales_refunded(settings: Any) -> None:
    now, rng = clock.now(), random.Random(3)
    creator = creators.creator()
    for number in range(18):
        payment = sales.sale(sales.published(creator, price_minor=9_99), at=now - timedelta(days=number, hours=1))
        Payment.objects.filter(pk=payment.pk).update(provider_payment_id=f"pi_demo_{number:06d}")
    people = {role: staff(role) for role in ("customer_support", "financial_admin")}
    with running_fake() as stripe:
        settings.STRIPE_API_KEY, settings.STRIPE_BASE_URL = stripe.api_key, stripe.url
        stripe.topup(1_000_000, "usd")
        assert demo.of_the_past(rng, now) == 9
        demo.tell_provider()
        demo.tell_provider()
        for _turn in range(2):
            assert demo.asked_for(rng, now, people, staff("financial_admin")) == len(demo.ASKED)
        states = Counter(RefundRequest.objects.values_list("status", flat=True))
        assert states == {"requested": 3, "rejected": 1, "succeeded": 2}
        for payment in Payment.objects.all():
            found = providers.stripe().list_refunds(payment.provider_payment_id)
            assert sum(refund.amount for refund in found) == payment.refunded_minor
            refunds.take(payment_id=payment.pk)
    assert verification.run() == []
