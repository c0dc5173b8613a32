"""Customers and hosted checkout."""

from collections.abc import Mapping
from typing import Any, cast

from stripe import params as stripe_params

from integrations.stripe import parsing, types
from integrations.stripe.client.base import Base, failures, options


class CheckoutCalls(Base):
    def create_customer(
        self, *, email: str, name: str = "", metadata: Mapping[str, str] | None = None, idempotency_key: str
    ) -> types.Customer:
        params: stripe_params.CustomerCreateParams = {"email": email, "metadata": dict(metadata or {})}
        if name:
            params["name"] = name
        with failures():
            answer = self._v1.customers.create(params, options(idempotency_key))
        return parsing.customer(answer.to_dict())

    def create_checkout_session(
        self,
        *,
        amount: int,
        currency: str,
        name: str,
        success_url: str,
        cancel_url: str,
        client_reference_id: str,
        idempotency_key: str,
        description: str = "",
        metadata: Mapping[str, str] | None = None,
        customer: str = "",
        customer_email: str = "",
        locale: str = "auto",
        expires_at: int | None = None,
    ) -> types.CheckoutSession:
        """A hosted page that takes one payment of `amount` for the item `name`.

        The metadata is written on the session and on its payment. `{CHECKOUT_SESSION_ID}` in `success_url` is
        filled in by Stripe. `expires_at`: 30 minutes to 24 hours ahead.
        """
        labels = dict(metadata or {})
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": amount,
                        "product_data": {
                            "name": name,
                            **({"description": description} if description else {}),
                        },
                    },
                }
            ],
            "payment_intent_data": {"metadata": labels},
            "success_url": success_url,
            "cancel_url": cancel_url,
            "client_reference_id": client_reference_id,
            "metadata": labels,
            "locale": locale,
        }
        if customer:
            params["customer"] = customer
        elif customer_email:
            params["customer_email"] = customer_email
        if expires_at is not None:
            params["expires_at"] = expires_at
        with failures():
            answer = self._v1.checkout.sessions.create(cast(Any, params), options(idempotency_key))
        return parsing.checkout_session(answer.to_dict())

    def retrieve_checkout_session(self, session_id: str) -> types.CheckoutSession:
        with failures():
            answer = self._v1.checkout.sessions.retrieve(session_id)
        return parsing.checkout_session(answer.to_dict())

    def expire_checkout_session(self, session_id: str) -> types.CheckoutSession:
        """Closes an open session, so that its page takes no payment; `Refused` when it is not open."""
        with failures():
            answer = self._v1.checkout.sessions.expire(session_id)
        return parsing.checkout_session(answer.to_dict())
