"""What staff were refused is on record."""

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from backoffice.audit.models import AuditEntry
from tests.desk.clients import Desk
from tests.factories import accounts


def refused() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(action="access.refuse").order_by("id")
    return [(entry.data["method"], entry.data["path"]) for entry in rows]


def test_a_page_an_action_and_a_list_that_the_role_does_not_include(desk: Callable[..., Desk]) -> None:
    client = desk("analyst")
    person = reverse("admin:accounts_user_changelist")
    retry = reverse("desk:job_retry", args=["0198f000-0000-7000-8000-000000000000"])
    client.get(reverse("desk:job_list"))
    client.post(retry)
    client.get(person)
    assert refused() == [("GET", reverse("desk:job_list")), ("POST", retry), ("GET", person)]
    entry = AuditEntry.objects.filter(action="access.refuse").first()
    assert entry is not None
    assert (entry.actor, entry.data["page"]) == (client.person, "desk:job_list")


def test_a_page_of_the_editor_that_the_role_does_not_include(desk: Callable[..., Desk]) -> None:
    address = reverse("wagtailadmin_explore_root")
    assert desk("analyst").get(address).status_code == 403
    assert refused() == [("GET", address)]
    editor = desk("editor")
    editor.get(reverse("wagtailadmin_home"))
    editor.get(address)
    # Closed to everybody: there is nothing here that a role could include.
    assert editor.get(reverse("wagtailusers_users:index")).status_code == 404
    assert len(refused()) == 1


def test_what_is_allowed_and_what_does_not_exist_is_no_refusal(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    client.get(reverse("desk:work"))
    client.get(reverse("desk:job_list"))
    client.get(reverse("desk:title", args=["0198f000-0000-7000-8000-000000000000"]))
    assert refused() == []


def test_members_and_visitors_write_nothing(client: Client, db: None) -> None:
    client.get(reverse("desk:job_list"))
    accounts.sign_in(client, accounts.member())
    client.get(reverse("desk:job_list"))
    assert refused() == []
