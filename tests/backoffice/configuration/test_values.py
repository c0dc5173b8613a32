import pytest

from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.configuration.defaults import DEFAULTS
from backoffice.core.errors import Invalid
from tests.factories.accounts import staff


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_default_is_of_its_own_type(key: str) -> None:
    assert type(DEFAULTS[key].default) is DEFAULTS[key].type
    assert DEFAULTS[key].help.endswith(".")


@pytest.mark.django_db(transaction=True)
def test_a_change_is_in_force_at_once_and_on_record() -> None:
    person = staff("admin")
    assert values.get("queue.lease_seconds") == 120
    values.change(key="queue.lease_seconds", value=60, by=person, reason="shorter")
    assert values.get("queue.lease_seconds") == 60
    row = AuditEntry.objects.get(action="setting.change")
    assert (row.before, row.after, row.actor) == ({"value": 120}, {"value": 60}, person)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value"), [("no.such", 1), ("queue.lease_seconds", "60"), ("queue.lease_seconds", True)]
)
def test_an_unknown_key_or_a_value_of_another_type_is_refused(key: str, value: object) -> None:
    with pytest.raises(Invalid):
        values.change(key=key, value=value, by=staff("admin"), reason="")
