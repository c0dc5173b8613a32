"""The generic admin on a scratch list: every door is shut until the class opens it, and nothing starts undeclared."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin, TabularInline
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches

from backoffice.creators.models import Creator, SocialAccount
from backoffice.desk import checks
from backoffice.desk.base import DeskAdmin, DeskInline
from backoffice.desk.site import desk_site
from tests.desk.clients import seat
from tests.factories import accounts, creators

PLACE = "/admin/creators/creator/"


class Scratch(DeskAdmin):
    """A list that declares as little as possible."""

    area = "users"
    list_display = ("reference", "stage_name")
    list_filter = ("tier",)


class Accounts(DeskInline):
    model = SocialAccount
    area = "titles"
    fields = ("platform", "handle")


@pytest.fixture
def listed(db: None) -> Iterator[Any]:
    """Registers a class as the list of creators for the length of a test."""

    def register(kind: type[ModelAdmin] = Scratch) -> None:
        if desk_site.is_registered(Creator):
            desk_site.unregister(Creator)
        desk_site.register(Creator, kind)
        _forget_addresses()

    yield register
    if desk_site.is_registered(Creator):
        desk_site.unregister(Creator)
    _forget_addresses()


def _forget_addresses() -> None:
    """The admin's addresses are made once from what is registered."""
    from importlib import reload

    from backoffice import urls

    clear_url_caches()
    reload(urls)
    clear_url_caches()


@pytest.fixture
def boss(listed: Any) -> Client:
    listed()
    return seat("super_admin")


def statements(client: Client, address: str) -> tuple[int, str]:
    """How the address answers, and what the database was asked."""
    with CaptureQueriesContext(connection) as captured:
        status = client.get(address).status_code
    return status, " ".join(query["sql"] for query in captured.captured_queries)


def test_the_list_opens_for_those_who_may_view_and_nobody_else(boss: Client) -> None:
    made = creators.creator(stage_name="Ti Joslin")
    assert "Ti Joslin" in boss.get(PLACE).content.decode()
    assert boss.get(f"{PLACE}{made.pk}/change/").status_code == 200
    for role in ("editor", "analyst"):
        assert seat(role).get(PLACE).status_code == 403
        assert seat(role).get(f"{PLACE}{made.pk}/change/").status_code == 403


@pytest.mark.parametrize(
    "lookup",
    [
        "user__email__startswith",
        "user__password__startswith",
        "stage_name__startswith",
        "payout_hold_reason__contains",
        "user__groups__name",
        "id__startswith",
        "stage_name",
    ],
)
def test_only_declared_filters_reach_the_database(boss: Client, lookup: str) -> None:
    creators.creator()
    _status, asked = statements(boss, f"{PLACE}?{lookup}=zqneedle")
    assert "zqneedle" not in asked


def test_a_declared_filter_works(boss: Client) -> None:
    creators.creator(stage_name="Ti Joslin")
    assert "Ti Joslin" not in boss.get(f"{PLACE}?tier__exact=gold").content.decode()


def test_a_search_without_search_fields_finds_nothing_out(boss: Client) -> None:
    creators.creator()
    _status, asked = statements(boss, f"{PLACE}?q=zqneedle")
    assert "zqneedle" not in asked


def test_nothing_is_added_changed_deleted_or_told_of_the_past(boss: Client) -> None:
    made = creators.creator(stage_name="Ti Joslin")
    assert boss.get(f"{PLACE}add/").status_code == 403
    assert boss.post(f"{PLACE}add/", {"stage_name": "x"}).status_code == 403
    assert boss.post(f"{PLACE}{made.pk}/change/", {"stage_name": "x"}).status_code == 403
    assert boss.get(f"{PLACE}{made.pk}/delete/").status_code == 403
    assert boss.post(f"{PLACE}{made.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(f"{PLACE}{made.pk}/history/").status_code == 403
    boss.post(PLACE, {"action": "delete_selected", "_selected_action": [str(made.pk)], "post": "yes"})
    made.refresh_from_db()
    assert made.stage_name == "Ti Joslin"


def test_windows_for_other_forms_are_shut(boss: Client) -> None:
    made = creators.creator()
    for address in (PLACE, f"{PLACE}{made.pk}/change/"):
        for query in ("_popup=1", "_to_field=slug", "_popup=1&_to_field=user__email"):
            assert boss.get(f"{address}?{query}").status_code == 403


def test_a_declared_window_names_rows_by_their_key_only(listed: Any) -> None:
    listed(type("Opened", (Scratch,), {"popups": True}))
    client = seat("super_admin")
    creators.creator()
    assert client.get(f"{PLACE}?_popup=1").status_code == 200
    assert client.get(f"{PLACE}?_popup=1&_to_field=slug").status_code == 400


@pytest.mark.parametrize(
    ("app", "model", "field"),
    [
        ("finance", "payment", "user"),
        ("creators", "creator", "user"),
        ("catalogue", "category", "parent"),
        ("x", "y", "z"),
    ],
)
def test_autocompletion_answers_for_declared_fields_only(boss: Client, app: str, model: str, field: str) -> None:
    accounts.member(display_name="Rosalie")
    address = f"/admin/autocomplete/?app_label={app}&model_name={model}&field_name={field}&term=Ros"
    assert boss.get(address).status_code == 403


def test_a_declared_autocompletion_still_asks_for_the_right(listed: Any) -> None:
    listed(type("Completing", (Scratch,), {"autocomplete_fields": ("user",)}))
    staff_list = "/admin/autocomplete/?app_label=creators&model_name=creator&field_name=user&term=Ros"
    accounts.member(display_name="Rosalie")
    assert seat("super_admin").get(staff_list).status_code == 200
    assert seat("editor").get(staff_list).status_code == 403


def test_an_inline_asks_for_its_own_right(listed: Any) -> None:
    listed(type("WithRows", (Scratch,), {"inlines": [Accounts]}))
    made = creators.creator()
    SocialAccount.objects.create(creator=made, platform="instagram", handle="@tijoslin", url="https://instagram.com/t")
    page = f"{PLACE}{made.pk}/change/"
    assert "@tijoslin" in seat("super_admin").get(page).content.decode()
    # Finance sees people and no titles.
    seen = seat("financial_admin").get(page)
    assert seen.status_code == 200
    assert "@tijoslin" not in seen.content.decode()


def found(kind: type[ModelAdmin]) -> set[str | None]:
    return {problem.id for problem in checks.problems(kind(Creator, desk_site))}


def test_the_product_starts_clean() -> None:
    assert checks.everything_declares_who_may(None) == []
    assert found(Scratch) == set()


def test_a_list_of_django_s_own_kind_does_not_start() -> None:
    assert found(ModelAdmin) == {"desk.E001"}


def test_a_list_without_an_area_of_the_matrix_does_not_start() -> None:
    assert found(type("Nowhere", (Scratch,), {"area": "nowhere"})) == {"desk.E002"}
    assert found(type("Bare", (DeskAdmin,), {})) == {"desk.E002"}
    # `reports` has nobody who edits.
    assert found(type("Editing", (Scratch,), {"area": "reports", "editable": ("bio",)})) == {"desk.E002"}


def test_an_inline_without_a_right_does_not_start() -> None:
    naked = type("Naked", (TabularInline,), {"model": SocialAccount})
    assert found(type("A", (Scratch,), {"inlines": [naked]})) == {"desk.E003"}
    nowhere = type("Nowhere", (DeskInline,), {"model": SocialAccount, "area": "", "fields": ("handle",)})
    assert found(type("B", (Scratch,), {"inlines": [nowhere]})) == {"desk.E002"}
    everything = type("Everything", (DeskInline,), {"model": SocialAccount, "area": "titles"})
    assert found(type("C", (Scratch,), {"inlines": [everything]})) == {"desk.E006"}
    assert found(type("D", (Scratch,), {"inlines": [Accounts]})) == set()


def test_an_action_without_a_right_does_not_start() -> None:
    def send(self: Any, request: Any, queryset: Any) -> None:
        """Nothing."""

    assert found(type("A", (Scratch,), {"actions": ["send"], "send": send})) == {"desk.E004"}
    assert found(type("B", (Scratch,), {"actions_row": ["send"], "send": send})) == {"desk.E004"}
    declared = admin.action(permissions=["change"])(send)
    assert found(type("C", (Scratch,), {"actions": ["send"], "send": declared})) == set()


def test_a_list_that_makes_files_does_not_start() -> None:
    from import_export.admin import ExportMixin, ImportMixin

    assert "desk.E005" in found(type("Out", (ExportMixin, Scratch), {}))
    assert "desk.E005" in found(type("In", (ImportMixin, Scratch), {}))
