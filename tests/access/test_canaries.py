"""No role, member or visitor is shown a sensitive field that the policy does not open to them.

The policy is `canaries`, field by field. One world holds a canary in every sensitive field; everybody goes everywhere.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES
from backoffice.core import jobs
from backoffice.desk import access
from backoffice.journeys.services import evidence
from backoffice.support.models import Ticket
from tests.access import canaries, world
from tests.access.crawl import Crawl
from tests.access.world import Plant, World
from tests.factories import accounts, creators

REASON = "Asked for by the auditors"
# What a whole crawl must have come across, or it saw too little to prove anything.
COMMON = {
    "accounts.User.email",
    "accounts.User.display_name",
    "audit.AuditEntry.reason",
    "audit.AuditEntry.ip",
    "creators.Creator.payout_hold_reason",
    "creators.CreatorApplication.legal_name",
    "finance.Payment.amount_minor",
    "finance.Payment.provider_payment_id",
    "finance.PayoutItem.net_minor",
    "finance.PayoutAccount.masked",
    "finance.PaymentEvent.payload",
    "core.Job.last_error",
    "moderation.Decision.reason",
    "support.Ticket.body",
    "support.TicketMessage.body",
}


def test_every_field_that_can_hold_something_is_classified() -> None:
    assert canaries.undecided() == [], "see docs/developers/field-classes.md"


def test_the_lists_name_only_what_there_is() -> None:
    assert canaries.left_over() == []


def test_every_sensitive_field_says_by_which_row_of_the_specification() -> None:
    rows = [secret.row for secrets in canaries.SENSITIVE.values() for secret in secrets.values()]
    assert all(rows)
    assert {
        rule.permission.partition(".")[0]
        for secrets in canaries.SENSITIVE.values()
        for secret in secrets.values()
        for rule in secret.rules
    } <= {*access.MATRIX, canaries.COLLEAGUE}


@pytest.fixture(scope="module")
def planted(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world, committed; every test leaves it as it was."""
    from tests.conftest import _refill

    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock():
        yield world.build()
        _refill()
    logging.disable(logging.NOTSET)


def test_every_sensitive_field_has_its_canary(planted: World) -> None:
    assert planted.unplanted == []


def test_the_text_of_a_row_holds_nobodys_data(planted: World, db: None) -> None:
    told = []
    for model in canaries.our_models():
        for row in model._base_manager.all()[: world.ROWS_EACH]:
            crawl = Crawl(Client(), planted, lambda permission: False)
            # Colleagues call each other by name; everybody else is a reference.
            crawl.search_text(str(row), model._meta.label, lambda plant: _name_of_staff(plant))
            told += [f"{model._meta.label}: {str(row)!r} tells {name}" for name, _path in crawl.leaks]
    assert told == []


def _name_of_staff(plant: Plant) -> bool:
    return plant.name == "accounts.User.display_name" and plant.row.is_staff


def complaint(crawl: Crawl, who: str) -> str:
    """What was found, as somebody can act on it."""
    lines = [f"{name} shown to {who} at {path}: … {text} …" for (name, path), text in sorted(crawl.leaks.items())]
    return "\n".join([*lines, *(f"{who}: {oracle}" for oracle in sorted(crawl.oracles)), *crawl.errors])


def seat(role: str, world: World, client: Client) -> Crawl:
    """A crawl by a new person of this role."""
    accounts.sign_in(client, accounts.staff(role))

    def may(permission: str) -> bool:
        return permission == canaries.COLLEAGUE or access.has(role, permission)

    return Crawl(client, world, may, role=role)


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_what_its_rights_open_and_nothing_else(planted: World, db: None, client: Client, role: str) -> None:
    crawl = seat(role, planted, client)
    crawl.run()
    if role in ("super_admin", "content_moderator"):
        # Whoever may open a list and sees everything, and whoever may open it and sees little.
        crawl.lookups()
    assert not complaint(crawl, role), complaint(crawl, role)
    assert crawl.opened > 40
    if role == "super_admin":
        assert crawl.seen >= COMMON, f"never seen: {sorted(COMMON - crawl.seen)}"
    if role == "verification_reviewer":
        assert "creators.VerificationDocument.content" in crawl.seen


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_is_answered_when_it_does_things_wrong(planted: World, db: None, client: Client, role: str) -> None:
    crawl = seat(role, planted, client)
    crawl.press()
    assert not complaint(crawl, role), complaint(crawl, role)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["visitor", "member", "creator"])
def test_visitors_members_and_other_creators_see_nothing_of_others(planted: World, db: None, who: str) -> None:
    client: Any = Client()
    if who == "member":
        client = accounts.api_client(accounts.member())
    elif who == "creator":
        client = accounts.api_client(creators.creator().user)
    crawl = Crawl(client, planted, lambda permission: False)
    crawl.run()
    assert not complaint(crawl, who), complaint(crawl, who)
    assert crawl.opened > 20


# --- what leaves as a file -----------------------------------------------------------------------------------------

# Which fields each kind of file may hold, whoever takes it: less than the pages show (P-010, P-020, P-025, Q-017).
IN_FILES: dict[str, Callable[[Plant], bool]] = {
    "revenue_export": lambda plant: (
        plant.name.startswith(
            ("commerce.Purchase.", "finance.Payment.", "finance.Refund.", "finance.CommissionLine.", "finance.Earning.")
        )
        and plant.name.endswith("_minor")
    ),
    "audit_export": lambda plant: plant.name.startswith("audit.AuditEntry.") or _name_of_staff(plant),
    "import_errors": lambda plant: plant.name.startswith("journeys.ImportProblem."),
    "person_data_export": lambda plant: (
        plant.name
        in ("accounts.User.email", "accounts.User.display_name", "support.Ticket.subject", "support.Ticket.body")
        or (plant.name == "support.TicketMessage.body" and plant.row.visibility == "public")
    ),
    # One case for those who may read the whole log (W-031); never a document, a tax id or a message.
    "investigation_bundle": lambda plant: (
        plant.name.startswith(("audit.AuditEntry.", "finance."))
        or plant.name
        in (
            "accounts.User.email",
            "accounts.User.display_name",
            "creators.Creator.payout_hold_reason",
            "support.Ticket.subject",
        )
    ),
}
# Shown without an own file here: the file of a bundle, an empty form to fill in, the replay of finance's own figures.
WITHOUT = {"export_list", "export", "export_progress", "export_download", "import_template", "fee_replay_export"}


# What of these tells of files, or is an empty one: it hands nothing out.
NO_ROWS = {"export_list", "export", "export_progress", "import_template"}


def ways_out() -> set[str]:
    """The names of the addresses that hand out files, or tell of them."""
    return {
        route.name
        for route in access.routes()
        if route.pattern.startswith("admin/")
        and any(
            word in f"{route.pattern} {route.name}" for word in ("export", "bundle", ".csv", "download", "template/")
        )
        and not route.name.startswith("response_template")
    }


def test_every_way_out_is_among_the_files() -> None:
    assert ways_out() - WITHOUT == set(IN_FILES)


def test_every_way_out_asks_for_the_factor() -> None:
    views = {entry.name: entry.callback for path, entry in access.patterns() if path.startswith("admin/")}
    # By what they do, in case one of them is called something else.
    made = {
        name
        for name, view in views.items()
        if hasattr(view, "desk_permissions")
        and re.search(r"exports\.record\(|downloads\.answer\(", inspect.getsource(inspect.unwrap(view)))
    }
    assert len(made) >= 4
    asked = (ways_out() | made) - NO_ROWS
    assert {str(name) for name in asked if not getattr(views[name], "stepup", False)} == set()


def posts(name: str, world: World, person: User) -> list[tuple[str, dict[str, Any]]]:
    """The addresses and forms of one kind of file."""
    keys = world.keys
    if name == "revenue_export":
        return [
            (reverse(f"desk:{name}"), {"reason": REASON, "format": kind, "table": "breakdown", "by": by})
            for kind, by in (("csv", "title"), ("xlsx", "creator"))
        ]
    if name == "audit_export":
        return [(reverse(f"desk:{name}"), {"reason": REASON, "format": kind}) for kind in ("csv", "xlsx")]
    if name == "import_errors":
        return [(reverse(f"desk:{name}", args=[key]), {"reason": REASON}) for key in keys["journeys.ImportRun"]]
    if name == "person_data_export":
        found = []
        for ticket in Ticket.objects.all():
            Ticket.objects.filter(pk=ticket.pk).update(assignee=person)
            fields = {"reason": REASON, "format": "csv", "ticket": ticket.reference}
            found.append((reverse(f"desk:{name}", args=[ticket.requester_id]), fields))
        return found
    return [
        (reverse(f"desk:{name}"), {"kind": kind, "key": key, "reason": REASON})
        for kind, label in (
            ("person", "support.Ticket"),
            ("payment", "finance.Payment"),
            ("payout", "finance.PayoutItem"),
        )
        for key in (
            [str(Ticket.objects.values_list("requester", flat=True)[0])] if kind == "person" else keys[label][:1]
        )
    ]


@pytest.mark.parametrize("name", IN_FILES)
def test_a_file_holds_what_its_kind_may_hold_whoever_takes_it(planted: World, db: None, name: str) -> None:
    route = next(route for route in access.routes() if route.name == name)
    complaints = []
    for role in ROLES:
        client = Client()
        crawl = seat(role, planted, client)
        person = User.objects.get(pk=client.session["_auth_user_id"])
        got = 0
        for address, fields in posts(name, planted, person):
            answer: Any = client.post(address, fields)
            if answer.status_code == 302 and name == "investigation_bundle":
                answer = _bundle(client, answer)
            if answer.status_code != 200 or "attachment" not in answer.get("Content-Disposition", ""):
                continue
            got += 1
            text = crawl.body(answer)
            crawl.search_text(text, f"{name} of {address}", IN_FILES[name])
        assert bool(got) == (role in route.roles and _may_take(role, name)), f"{role}: {got} files of {name}"
        complaints += [complaint(crawl, role)] if crawl.leaks else []
    assert not complaints, "\n".join(complaints)


def _may_take(role: str, name: str) -> bool:
    """Money reports are for those who read them; moderators export reports of their own family (P-015)."""
    return name != "revenue_export" or access.has(role, "reports.view")


def _bundle(client: Client, asked: HttpResponse) -> Any:
    """The finished archive behind the page that a request for a bundle leads to."""
    jobs.run_due(kinds=[evidence.MAKE])
    link = client.get(f"{asked['Location']}download/")
    return client.get(link["Location"]) if link.status_code == 302 else link
