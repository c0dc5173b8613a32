"""State machines as data: one table of rows per machine, one function that moves an object along it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from backoffice.core import clock
from backoffice.core.errors import Conflict


class IllegalTransition(Conflict):
    """The verb does not lead anywhere from the object's present state."""

    default_code = "illegal_transition"


class LostRace(Conflict):
    """Somebody else moved the object between reading and writing."""

    default_code = "lost_race"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in state `source`, `verb` leads to `target`; `permission` is the staff right it asks for."""

    source: str
    verb: str
    target: str
    permission: str = ""


class Machine:
    """A transition table.

    ``rows`` are tuples ``(from, verb, to, permission)``. ``record`` is called inside the transaction of every move
    with ``obj, transition, by, at, reason, note`` and writes the audit row.
    """

    def __init__(
        self,
        name: str,
        *,
        field: str,
        rows: list[tuple[str, str, str, str]],
        record: Callable[..., Any],
    ) -> None:
        self.name = name
        self.field = field
        self.record = record
        self.rows = [Transition(str(a), verb, str(b), permission) for a, verb, b, permission in rows]
        self._table = {(row.source, row.verb): row for row in self.rows}
        if len(self._table) != len(self.rows):
            raise ValueError(f"{name}: the same verb stands twice for one state")

    def find(self, state: str, verb: str) -> Transition | None:
        """The row for this verb in this state, if there is one."""
        return self._table.get((str(state), verb))

    def allows(self, state: str, verb: str) -> bool:
        """Whether the verb leads anywhere from this state."""
        return (str(state), verb) in self._table

    def verbs_from(self, state: str) -> list[str]:
        """The verbs that lead somewhere from this state, in table order."""
        return [row.verb for row in self.rows if row.source == str(state)]

    def permission(self, verb: str) -> str:
        """The staff right that the verb asks for, or an empty string."""
        return next((row.permission for row in self.rows if row.verb == verb), "")

    @property
    def verbs(self) -> list[str]:
        """Every verb, each once, in table order."""
        return list(dict.fromkeys(row.verb for row in self.rows))

    @property
    def states(self) -> list[str]:
        """Every state that the table names, each once."""
        return list(dict.fromkeys(state for row in self.rows for state in (row.source, row.target)))

    def mermaid(self) -> str:
        """The diagram for the documentation."""
        lines = ["stateDiagram-v2", *(f"  {row.source} --> {row.target}: {row.verb}" for row in self.rows)]
        return "\n".join(lines)


def advance(
    obj: models.Model,
    verb: str,
    *,
    by: Any,
    at: datetime | None = None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    note: Mapping[str, Any] | None = None,
    machine: Machine | None = None,
) -> Transition:
    """Moves ``obj`` along its machine and writes the audit row, both in one transaction.

    ``by`` is the person, or None for the system. ``changes`` are fields set with the move, ``note`` is extra data for
    the audit row. ``machine`` is for objects with more than one; the default is ``obj.machine``.
    Raises IllegalTransition when the table has no such row, LostRace when the state changed meanwhile.
    """
    machine = machine or obj.machine  # type: ignore[attr-defined]
    at = at or clock.now()
    source = str(getattr(obj, machine.field))
    row = machine.find(source, verb)
    if row is None:
        raise IllegalTransition(
            _("“%(verb)s” is not possible here: the state is “%(state)s”.") % {"verb": verb, "state": source}
        )
    values: dict[str, Any] = {machine.field: row.target, **(changes or {})}
    if any(field.name == "updated_at" for field in obj._meta.concrete_fields):
        values.setdefault("updated_at", at)
    with transaction.atomic():
        moved = type(obj)._base_manager.filter(pk=obj.pk, **{machine.field: source}).update(**values)
        if not moved:
            current = type(obj)._base_manager.filter(pk=obj.pk).values_list(machine.field, flat=True).first()
            raise LostRace(_("Somebody was faster: the state is now “%(state)s”.") % {"state": current or _("gone")})
        for name, value in values.items():
            setattr(obj, name, value)
        machine.record(obj=obj, transition=row, by=by, at=at, reason=reason, note=dict(note or {}), machine=machine)
    return row
