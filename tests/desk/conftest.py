"""Staff at the desk: ``desk("financial_admin")`` is a signed-in client of that role."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def desk(db: None) -> Callable[..., Any]:
    """Makes staff clients; see `tests.desk.clients.seat`."""
    from tests.desk.clients import seat  # models cannot be imported before Django is set up

    return seat
