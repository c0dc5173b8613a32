"""Refusals in the shape of Stripe's error object."""

from typing import Any


class ApiError(Exception):
    """An answer other than 200.

    `is_stored`: the request got as far as being carried out, so its idempotency key remembers this answer;
    failed validation is not remembered.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        is_stored: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.is_stored = is_stored
        self.more = more

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error.update(self.more)
        return {"error": error}


def missing(noun: str, id: str, *, param: str = "id", status: int = 404) -> ApiError:
    return ApiError(f"No such {noun}: '{id}'", status=status, code="resource_missing", param=param)


def insufficient(message: str) -> ApiError:
    return ApiError(message, code="balance_insufficient", is_stored=True)
