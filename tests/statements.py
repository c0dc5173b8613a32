"""Counts SQL statements."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def count(action: Callable[[], Any]) -> int:
    """How many statements the action sends."""
    with CaptureQueriesContext(connection) as captured:
        action()
    return len(captured)
