"""What a failed call to Stripe says about the money: it certainly did not move, or nobody can tell yet.

The payout crash protocol voids an attempt only on `Refused`. Everything else is `Unknown`: look the attempt
up by its id first, then send again with the same key.
"""


class StripeFailure(Exception):
    """A call that brought no answer to work with.

    `code` is Stripe's error code ("" when there was none), `status` the HTTP status (None without an answer),
    `request_id` Stripe's id of the request for their support.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        request_id: str = "",
        param: str = "",
        decline_code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.param = param
        self.decline_code = decline_code


class Refused(StripeFailure):
    """Stripe read the request and said no: nothing was done (card, parameter, balance, missing object)."""

    @property
    def is_missing(self) -> bool:
        """True when the object asked for does not exist."""
        return self.code == "resource_missing"

    @property
    def is_insufficient_funds(self) -> bool:
        """True when the balance that should pay does not cover the amount."""
        return self.code == "balance_insufficient"


class Unknown(StripeFailure):
    """Nobody can tell from this call whether it took effect: a timeout, a broken connection, 5xx, 409."""


class RateLimited(Unknown):
    """Too many calls (429). This one was not processed, but an earlier one with its key may have been."""


class Unauthorised(Unknown):
    """The key or the account was not accepted (401, 403).

    Not a refusal of the payment: an earlier call with the same idempotency key may have gone through before
    access was lost, so the attempt stays open until it can be looked up.
    """


class KeyReused(Unknown):
    """The idempotency key belongs to another request: that one may have moved money, so look it up."""
