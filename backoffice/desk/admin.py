"""Imports what registers itself with the desk's admin site."""

from backoffice.desk.catalogue import taxonomy  # noqa: F401
from backoffice.desk.system import people  # noqa: F401
