"""Payments with their real fees, and refunds."""

from collections.abc import Mapping

from stripe import params as stripe_params

from integrations.stripe import parsing, types
from integrations.stripe.client.base import PAGE_SIZE, Base, failures, options
from integrations.stripe.parsing import ATTEMPT_KEY

CARD_EXPANSION = ["latest_charge.balance_transaction"]


class PaymentCalls(Base):
    def retrieve_payment_intent(self, payment_intent_id: str) -> types.PaymentIntent:
        """The payment with its latest charge and the balance transaction that has the real fee."""
        with failures():
            answer = self._v1.payment_intents.retrieve(payment_intent_id, {"expand": CARD_EXPANSION})
        return parsing.payment_intent(answer.to_dict())

    def retrieve_charge(self, charge_id: str) -> types.Charge:
        with failures():
            answer = self._v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]})
        return parsing.charge(answer.to_dict())

    def create_refund(
        self,
        *,
        payment_intent: str,
        amount: int,
        attempt_id: str,
        idempotency_key: str,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> types.Refund:
        """Gives `amount` back. `reason` is "", duplicate, fraudulent or requested_by_customer."""
        params: stripe_params.RefundCreateParams = {
            "payment_intent": payment_intent,
            "amount": amount,
            "metadata": {**(metadata or {}), ATTEMPT_KEY: attempt_id},
        }
        if reason:
            params["reason"] = reason
        with failures():
            answer = self._v1.refunds.create(params, options(idempotency_key))
        return parsing.refund(answer.to_dict())

    def retrieve_refund(self, refund_id: str) -> types.Refund:
        with failures():
            answer = self._v1.refunds.retrieve(refund_id)
        return parsing.refund(answer.to_dict())

    def find_refund(self, attempt_id: str, *, payment_intent: str) -> types.Refund | None:
        """The refund of this payment that carries the attempt's id, or None: then it does not exist."""
        for found in self.list_refunds(payment_intent):
            if found.attempt_id == attempt_id:
                return found
        return None

    def list_refunds(self, payment_intent: str) -> list[types.Refund]:
        """Every refund of this payment, newest first, failed ones too."""
        params: stripe_params.RefundListParams = {"payment_intent": payment_intent, "limit": PAGE_SIZE}
        with failures():
            return [parsing.refund(row.to_dict()) for row in self._v1.refunds.list(params).auto_paging_iter()]
