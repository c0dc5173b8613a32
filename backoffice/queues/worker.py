"""Who takes work, and what limits what they are given."""

from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Worker:
    """A person before a queue. The queue knows nothing of staff: whoever calls it says what holds for the person.

    ``languages`` are two-letter codes, None is all; "" among them lets items without a language pass. ``skills`` must
    contain all that an item asks for. ``capacity`` is how many items may be held at once, None is any number: held
    means claimed under a running lease; what is paused or returned waits for somebody and does not count.
    ``supervises`` are the queues whose escalated items this person is given.
    """

    user: Any
    languages: frozenset[str] | None = None
    skills: frozenset[str] = field(default_factory=frozenset)
    capacity: int | None = None
    on_duty: bool = True
    supervises: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, by: Any) -> Self:
        """The worker itself, or a person without any limit."""
        return by if isinstance(by, cls) else cls(user=by)
