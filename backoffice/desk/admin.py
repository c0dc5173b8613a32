"""Imports what registers itself with the desk's admin site."""

from backoffice.desk.system import people  # noqa: F401
