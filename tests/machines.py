"""Walks a transition table: every state, every verb."""

from backoffice.core.states import Machine


def forbidden(machine: Machine) -> list[tuple[str, str]]:
    """Every (state, verb) that the table does not allow."""
    return [(state, verb) for state in machine.states for verb in machine.verbs if not machine.allows(state, verb)]
