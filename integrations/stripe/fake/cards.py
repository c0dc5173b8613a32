"""Stripe's test card numbers and what paying with them does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`code` "" means that the payment succeeds; `at_once` makes the money available without delay.

    `refund` is what becomes of its refunds: "" succeeds at once, "pending" succeeds later, "fails" fails later.
    """

    code: str = ""
    decline_code: str = ""
    message: str = ""
    at_once: bool = False
    refund: str = ""


DECLINED = "Your card was declined."
OUTCOMES = {
    "4242424242424242": Outcome(),
    "5555555555554444": Outcome(),
    "378282246310005": Outcome(),
    "4000000000000077": Outcome(at_once=True),
    "4000000000007726": Outcome(refund="pending"),
    "4000000000005126": Outcome(refund="fails"),
    "4000000000000002": Outcome("card_declined", "generic_decline", DECLINED),
    "4000000000009995": Outcome("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "4000000000009987": Outcome("card_declined", "lost_card", DECLINED),
    "4000000000000069": Outcome("expired_card", "expired_card", "Your card has expired."),
    "4000000000000127": Outcome("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "4000000000000119": Outcome("processing_error", "processing_error", "The card could not be processed. Try again."),
}
UNKNOWN_CARD = Outcome(
    "card_declined", "test_mode_live_card", "Your card was declined: only test card numbers work here."
)


def digits(number: str) -> str:
    return number.replace(" ", "").replace("-", "")


def is_valid(number: str) -> bool:
    """By length and check digit."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    checksum = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 else 1)
        checksum += value - 9 if value > 9 else value
    return checksum % 10 == 0


def outcome(number: str) -> Outcome:
    return OUTCOMES.get(number, UNKNOWN_CARD)


def brand(number: str) -> str:
    if number.startswith("4"):
        return "visa"
    if number.startswith(("34", "37")):
        return "amex"
    return "mastercard" if number[0] in "25" else "unknown"
