"""Taking customers' money: the checkout page, the capture with its split, the provider's fee, refunds."""

from .capture import close_given_back, look_again, record_captured, record_fee, record_sale
from .checkout import KeyReused, PaymentRefused, adopt_session, fail, start_checkout
from .refunds import NotYet, record_came_back, record_refunded

__all__ = [
    "KeyReused",
    "NotYet",
    "PaymentRefused",
    "adopt_session",
    "close_given_back",
    "fail",
    "look_again",
    "record_came_back",
    "record_captured",
    "record_fee",
    "record_refunded",
    "record_sale",
    "start_checkout",
]
