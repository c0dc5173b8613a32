import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from backoffice.audit import chain, entries
from backoffice.audit.models import AuditEntry, ChainLink
from tests.factories.accounts import staff


def _write(count: int = 3) -> list[AuditEntry]:
    with transaction.atomic():
        return [entries.record(action="thing.do", by=None, reason=f"reason {n}") for n in range(count)]


@pytest.mark.django_db
def test_an_entry_keeps_who_with_which_roles_and_why() -> None:
    person = staff("financial_admin")
    entry = entries.record(
        action="thing.do", by=person, subject=person, reason="asked", before={"a": 1}, after={"a": 2}
    )
    assert entry.actor_roles == ["financial_admin"]
    assert (entry.subject_type, entry.subject_id) == ("accounts.user", str(person.pk))
    assert (entry.before, entry.after) == ({"a": 1}, {"a": 2})


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(entries.OutsideTransaction):
        entries.record(action="thing.do", by=None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET reason = 'other'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry CASCADE",
        "UPDATE audit_chainlink SET hash = 'x'",
        "DELETE FROM audit_chainlink",
    ],
)
def test_the_database_refuses_the_application_to_change_history(statement: str) -> None:
    _write()
    chain.seal()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_an_untouched_chain_verifies() -> None:
    chain.seal()
    before = ChainLink.objects.count()
    _write(5)
    assert chain.seal(batch=2) == 5
    assert list(chain.verify()) == []
    positions = list(ChainLink.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, before + 6))


@pytest.mark.django_db(transaction=True)
def test_the_verifier_names_altered_deleted_and_unsealed_rows(owner_connection) -> None:
    written = _write(4)
    chain.seal()
    owner_connection.execute("UPDATE audit_auditentry SET reason = 'other' WHERE id = %s", [written[1].pk])
    owner_connection.execute("DELETE FROM audit_auditentry WHERE id = %s", [written[2].pk])
    owner_connection.execute("DELETE FROM audit_chainlink WHERE entry_id = %s", [written[3].pk])
    found = {(finding.kind, finding.entry_id) for finding in chain.verify()}
    assert found == {("altered", written[1].pk), ("deleted", written[2].pk), ("unsealed", written[3].pk)}
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--no-seal")
    assert ended.value.code == 1


@pytest.mark.django_db(transaction=True)
def test_a_link_taken_out_of_the_middle_is_noticed(owner_connection) -> None:
    written = _write(3)
    chain.seal()
    owner_connection.execute("DELETE FROM audit_chainlink WHERE entry_id = %s", [written[1].pk])
    assert {finding.kind for finding in chain.verify()} == {"missing link", "unsealed"}
