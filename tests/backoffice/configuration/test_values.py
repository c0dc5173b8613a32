"""Reading and changing settings: what is allowed, and that nobody is left with an old value."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction

from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.configuration.defaults import CREATOR_TIERS, DEFAULTS, ROLES, TITLE_KINDS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import GROUPS, Level, Unit
from backoffice.core import clock
from backoffice.core.errors import Invalid
from tests.factories.accounts import staff
from tests.statements import count

KEY = "queue.lease_seconds"


# --- What is declared -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_default_is_of_its_own_type_and_in_its_own_bounds(key: str) -> None:
    from backoffice.configuration import rules

    setting = DEFAULTS[key]
    assert type(setting.default) is setting.type
    assert str(setting.help).endswith(".")
    rules.check(key, setting.default, current=lambda other: DEFAULTS[other].default)


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_setting_belongs_to_a_group_with_words(key: str) -> None:
    assert (DEFAULTS[key].group or key.partition(".")[0]) in GROUPS


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_number_has_a_unit_and_bounds(key: str) -> None:
    setting = DEFAULTS[key]
    if setting.type is int:
        assert setting.unit != Unit.NONE
        assert setting.least is not None
        assert setting.most is not None


@pytest.mark.parametrize("area", ["payout", "earnings", "refund", "signin", "staff", "document"])
def test_money_and_security_ask_for_two_people(area: str) -> None:
    found = [setting for key, setting in DEFAULTS.items() if key.startswith(f"{area}.")]
    assert all(setting.two_people for setting in found)
    if area in ("signin", "staff", "document"):
        assert found
        assert all(setting.level == Level.SECURITY for setting in found)


def test_choices_are_what_the_domains_know() -> None:
    from backoffice.accounts import roles
    from backoffice.catalogue.models import Title
    from backoffice.creators.states import Tier

    assert [code for code, _label in ROLES] == list(roles.ROLES)
    assert [code for code, _label in TITLE_KINDS] == Title.Kind.values
    assert [code for code, _label in CREATOR_TIERS] == Tier.values


# --- Changing ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_change_is_in_force_at_once_and_on_record() -> None:
    person = staff("admin")
    assert values.get(KEY) == 120
    first = values.change(key=KEY, value=60, by=person, reason="shorter")
    assert values.get(KEY) == 60
    row = AuditEntry.objects.get(action="setting.change")
    assert (row.before, row.after, row.actor) == ({"value": 120}, {"value": 60}, person)
    second = values.change(key=KEY, value=90, by=person, reason="longer")
    assert (first.previous, second.previous) == (120, 60)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("no.such", 1, "There is no setting"),
        (KEY, "60", "a whole number"),
        (KEY, True, "a whole number"),
        (KEY, 9, "10 seconds to 3\u202f600 seconds"),
        (KEY, 3601, "10 seconds to 3\u202f600 seconds"),
        (KEY, -1, "10 seconds to 3\u202f600 seconds"),
        ("payout.dual_approval_over", -1, "$0.00 to $1,000,000,000.00"),
        ("title.rereview_on_change", 1, "yes or no"),
        ("creator.agreement_version", " ", "1 to 20 characters"),
        ("creator.agreement_version", "x" * 21, "1 to 20 characters"),
        ("creator.agreement_version", "a\nb", "on one line"),
        ("moderation.auto_approve_kinds", ["opera"], "allowed are movie, video"),
        ("moderation.auto_approve_kinds", ["movie", "movie"], "once"),
        ("moderation.auto_approve_kinds", [1], "every item is a text"),
        ("moderation.auto_approve_kinds", "movie", "a list of texts"),
        ("signin.attempts", 21, "may not be more than “signin.account_attempts” (20 times)"),
        ("offer.max_price", 4_99, "may not be less than “offer.min_price” ($5.00)"),
        ("staff.session_hours", 25, "1 hour to 24 hours"),
    ],
)
def test_what_a_setting_does_not_allow_is_refused_by_name(key: str, value: object, says: str) -> None:
    with pytest.raises(Invalid) as refusal:
        values.change(key=key, value=value, by=staff("admin"), reason="")
    assert says in str(refusal.value)
    assert key in str(refusal.value)
    assert not SettingVersion.objects.exists()


@pytest.mark.django_db
def test_settings_that_depend_on_each_other_are_held_together_from_both_sides() -> None:
    values.change(key="staff.session_hours", value=2, by=None, reason="test")
    with pytest.raises(Invalid, match=r"“staff\.session_hours” \(2 hours\)"):
        values.change(key="staff.idle_minutes", value=121, by=None, reason="test")
    values.change(key="staff.idle_minutes", value=120, by=None, reason="test")
    with pytest.raises(Invalid, match=r"may not be less than “staff\.idle_minutes” \(120 minutes\)"):
        values.change(key="staff.session_hours", value=1, by=None, reason="test")


@pytest.mark.django_db
def test_the_newest_version_counts_though_a_clock_goes_wrong() -> None:
    at = clock.now()
    values.change(key=KEY, value=60, by=None, reason="test", at=at)
    values.change(key=KEY, value=70, by=None, reason="test", at=at - timedelta(days=365))
    assert values.current(KEY) == 70


@pytest.mark.django_db
def test_the_database_refuses_a_version_approved_by_whoever_changed_it() -> None:
    person = staff("super_admin")
    with pytest.raises(IntegrityError, match="setting_approved_by_another_person"), transaction.atomic():
        SettingVersion.objects.create(key=KEY, value=60, changed_by=person, approved_by=person)


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_known_costs_no_statement_and_what_is_not_costs_one_for_all_settings() -> None:
    assert count(lambda: [values.get(key) for key in DEFAULTS]) == 1
    assert count(lambda: [values.get(key) for key in DEFAULTS]) == 0


@pytest.mark.django_db
def test_a_list_that_somebody_alters_alters_no_setting() -> None:
    values.get("moderation.auto_approve_tiers").append("everybody")
    assert values.get("moderation.auto_approve_tiers") == ["premium"]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_was_seen_in_its_own_transaction_only() -> None:
    assert values.get(KEY) == 120
    with transaction.atomic():
        values.change(key=KEY, value=60, by=None, reason="test")
        assert values.get(KEY) == 60
        assert elsewhere(lambda: values.get(KEY)) == 120
        transaction.set_rollback(True)
    assert values.get(KEY) == 120
    assert elsewhere(lambda: values.get(KEY)) == 120


@pytest.mark.django_db(transaction=True)
def test_a_change_undone_by_a_savepoint_is_forgotten_with_it() -> None:
    with transaction.atomic():
        with transaction.atomic():
            values.change(key=KEY, value=60, by=None, reason="test")
            transaction.set_rollback(True)
        assert values.get(KEY) == 120
    assert values.get(KEY) == 120


@pytest.mark.django_db(transaction=True)
def test_a_reader_overtaken_by_a_change_keeps_nothing_old() -> None:
    """The reader has the old row in hand while the change commits; what it keeps then must not be found again."""
    has_read, changed = threading.Event(), threading.Event()

    def slow() -> Any:
        with held_after_reading(has_read, changed):
            return values.get(KEY)

    reader = Elsewhere(slow)
    assert has_read.wait(60)
    values.change(key=KEY, value=60, by=None, reason="test")
    changed.set()
    assert reader.result() == 120
    assert values.get(KEY) == 60
    assert elsewhere(lambda: values.get(KEY)) == 60


@pytest.mark.django_db(transaction=True)
def test_a_lost_mark_lets_everybody_read_again() -> None:
    assert values.get(KEY) == 120
    SettingVersion.objects.create(key=KEY, value=60, reason="another process that died after its commit")
    assert values.get(KEY) == 120
    cache.delete(values.MARK)
    assert values.get(KEY) == 60


@pytest.mark.django_db(transaction=True)
def test_many_readers_see_values_go_forward_only_and_end_with_the_last() -> None:
    numbers = list(range(61, 91))
    over = threading.Event()

    def watch() -> list[int]:
        seen = [values.get(KEY)]
        while not over.is_set():
            seen.append(values.get(KEY))
        return [*seen, values.get(KEY)]

    values.change(key=KEY, value=60, by=None, reason="test")
    readers = [Elsewhere(watch) for _ in range(4)]
    for number in numbers:
        values.change(key=KEY, value=number, by=None, reason="test")
    over.set()
    for reader in readers:
        seen = reader.result()
        assert seen == sorted(seen)
        assert seen[-1] == numbers[-1]


@pytest.mark.django_db(transaction=True)
def test_racing_changes_each_tell_what_they_replaced() -> None:
    start = threading.Barrier(6)

    def one(number: int) -> None:
        start.wait(60)
        values.change(key=KEY, value=number, by=None, reason="test")

    for thread in [Elsewhere(partial(one, number)) for number in range(61, 67)]:
        thread.result()
    versions = list(SettingVersion.objects.filter(key=KEY).order_by("created_at", "id"))
    assert [version.previous for version in versions] == [120, *(version.value for version in versions[:-1])]
    assert values.get(KEY) == versions[-1].value


class Elsewhere(threading.Thread):
    """Something done on a thread and database connection of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.found: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.found = self.work()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def result(self) -> Any:
        self.join(90)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.found


def elsewhere(work: Callable[[], Any]) -> Any:
    """What another thread finds."""
    return Elsewhere(work).result()


@contextmanager
def held_after_reading(has_read: threading.Event, go_on: threading.Event) -> Iterator[None]:
    """Stops this thread between the statement that reads settings and what is made of its rows."""

    def stop(execute: Any, sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if "configuration_settingversion" in sql:
            has_read.set()
            assert go_on.wait(60)
        return answer

    with connection.execute_wrapper(stop):
        yield


def test_settings_that_limit_each_other_exist_and_agree_as_delivered() -> None:
    from backoffice.configuration.rules import TOGETHER

    for pair in TOGETHER:
        assert DEFAULTS[pair.lower].default <= pair.of * DEFAULTS[pair.upper].default
