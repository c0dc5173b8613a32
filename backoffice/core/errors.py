"""What a service says when it will not do something: a code for programs, a sentence for people."""

from django.utils.functional import Promise


class DomainError(Exception):
    """A refusal. ``message`` is a translatable sentence, ``code`` is stable, ``field`` names the input."""

    default_code = "refused"

    def __init__(self, message: str | Promise, *, code: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class Invalid(DomainError):
    """The input is wrong; ``field`` says which part."""

    default_code = "invalid"


class Forbidden(DomainError):
    """This person may not do this."""

    default_code = "forbidden"


class NotFound(DomainError):
    """There is no such thing, or it is not this person's to see."""

    default_code = "not_found"


class Conflict(DomainError):
    """The thing is not in a state where this can be done."""

    default_code = "conflict"
