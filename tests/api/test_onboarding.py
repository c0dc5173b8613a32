"""A new creator over the API: what is missing, training in one's language, offers, calendar (S-009, U-020, U-021)."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from wagtail.models import Locale

from backoffice.accounts import tokens
from backoffice.core import clock
from backoffice.creators.models import Creator, TrainingModule
from backoffice.creators.services import offers
from cms.services import pages
from cms.training.models import TrainingIndexPage, TrainingPage
from tests.factories import creators as make
from tests.factories.accounts import api_client, member, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/api/v1/creators"


def lesson(code: str, position: int, **texts: str) -> dict[str, TrainingPage]:
    """A published module; ``texts`` is language to title."""
    call_command("load_reference", verbosity=0)
    parents = {
        language: TrainingIndexPage.objects.get(locale=Locale.objects.get(language_code=language)) for language in texts
    }
    fields: dict[str, dict[str, Any]] = {
        language: {"code": code, "title": title, "position": position, "body": f"<p>{title}</p>"}
        for language, title in texts.items()
    }
    return pages.publish_in_languages(parents, TrainingPage, fields, key=uuid4(), by=staff("editor"))  # type: ignore[arg-type, return-value]


def test_publishing_a_lesson_makes_the_module_and_withdrawing_it_ends_it() -> None:
    made = lesson("welcome", 1, en="Welcome", fr="Bienvenue")
    module = TrainingModule.objects.get()
    assert (module.code, module.title, module.required, module.is_active) == ("welcome", "Welcome", True, True)
    made["en"].unpublish()
    module.refresh_from_db()
    assert module.is_active
    made["fr"].unpublish()
    module.refresh_from_db()
    assert not module.is_active


def test_a_lesson_of_the_same_code_is_refused_in_the_editor() -> None:
    made = lesson("welcome", 1, en="Welcome")
    other = TrainingPage(title="Other", slug="other", code="welcome", body="<p>x</p>", locale=made["en"].locale)
    with pytest.raises(ValidationError, match="has this code"):
        other.full_clean(exclude=["path", "depth"])


def test_lessons_are_not_for_the_public(client: Any) -> None:
    page = lesson("welcome", 1, en="Welcome")["en"]
    assert client.get(page.get_url()).status_code == 404
    client.force_login(member(), backend=tokens.BACKEND)
    assert client.get(page.get_url()).status_code == 404
    client.force_login(make.creator().user, backend=tokens.BACKEND)
    assert client.get(page.get_url()).status_code == 200


def test_a_new_creator_reads_in_their_language_and_is_led_through_in_order() -> None:
    lesson("welcome", 1, en="Welcome", ht="Byenveni")
    lesson("rules", 2, en="Rules")
    creator = make.approved().creator
    assert creator is not None
    client = api_client(creator.user)
    steps = client.get(f"{BASE}/me/onboarding").json()["data"]
    assert {row["code"] for row in steps["missing"]} == {
        "mfa",
        "tax_form",
        "payout_account",
        "agreement",
        "training",
        "pricing",
    }
    assert (steps["agreement_version"], steps["agreement_in_force"]) == ("", "2026-01")
    rows = client.get(f"{BASE}/me/training", headers={"accept-language": "ht"}).json()["data"]
    assert [(row["title"], row["language"], row["status"]) for row in rows] == [
        ("Byenveni", "ht", "not_started"),
        ("Rules", "en", "not_started"),
    ]
    early = client.post(f"{BASE}/me/training/rules/start")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "out_of_order")
    for code in ("welcome", "rules"):
        assert client.post(f"{BASE}/me/training/{code}/start").status_code == 200
        assert client.post(f"{BASE}/me/training/{code}/complete").status_code == 200
    assert "training" not in {row["code"] for row in client.get(f"{BASE}/me/onboarding").json()["data"]["missing"]}
    assert client.post(f"{BASE}/me/training/nothing/start").status_code == 404


def offer(**fields: Any) -> dict[str, Any]:
    return {"occasions": ["birthday"], "length_seconds": 60, "delivery_hours": 72, "price": "25.00", **fields}


def test_offers_are_replaced_and_shown_on_the_public_page() -> None:
    creator = make.creator()
    client = api_client(creator.user)
    answer = client.put(f"{BASE}/me/offerings", {"offerings": [offer(), offer(length_seconds=30)]}, format="json")
    assert answer.status_code == 200, answer.json()
    assert [row["price"]["amount"] for row in answer.json()["data"]["offerings"]] == ["25.00", "25.00"]
    client.put(f"{BASE}/me/offerings", {"offerings": [offer(), offer(length_seconds=30, active=False)]}, format="json")
    shown = api_client().get(f"{BASE}/{creator.pk}").json()["data"]
    assert [row["length_seconds"] for row in shown["offerings"]] == [60]
    assert shown["badges"] == ["verified"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price": "4.99"}, "offerings.1.price"),
        ({"price": "25.001"}, "offerings.1.price"),
        ({"price": "cheap"}, "offerings.1.price"),
        ({"extra_recipient": "-1"}, "offerings.1.extra_recipient"),
    ],
)
def test_a_wrong_offer_changes_nothing(wrong: dict[str, Any], field: str) -> None:
    creator = make.creator()
    client = api_client(creator.user)
    client.put(f"{BASE}/me/offerings", {"offerings": [offer()]}, format="json")
    body = {"offerings": [offer(length_seconds=30), offer(**wrong)]}
    answer = client.put(f"{BASE}/me/offerings", body, format="json")
    assert answer.status_code == 400
    assert field in str(answer.json()["error"])
    assert creator.offerings.count() == 1


def test_guidance_and_bounds_come_with_ones_own_offers() -> None:
    for price in (10_00, 20_00, 30_00, 40_00, 50_00):
        other = make.creator(categories=["music"])
        row = {"occasions": ["other"], "length_seconds": 60, "delivery_hours": 24, "price_minor": price}
        offers.replace_offerings(creator=other, by=other.user, offerings=[row])
    creator = make.creator(categories=["music"])
    shown = api_client(creator.user).get(f"{BASE}/me/offerings").json()["data"]
    assert shown["least"] == {"amount": "5.00", "currency": "USD"}
    assert shown["guidance"][0]["median"] == {"amount": "30.00", "currency": "USD"}


def test_the_calendar_is_set_and_an_overlap_refused() -> None:
    creator, at = make.creator(), clock.now()
    client = api_client(creator.user)
    first = {"kind": "slot", "starts_at": at + timedelta(hours=1), "ends_at": at + timedelta(hours=3), "capacity": 2}
    second = {"kind": "blackout", "starts_at": at + timedelta(hours=2), "ends_at": at + timedelta(hours=4)}
    body = {"mode": "schedule", "blocks": [first, second]}
    answer = client.put(f"{BASE}/me/availability", body, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    answer = client.put(f"{BASE}/me/availability", {"mode": "schedule", "blocks": [first]}, format="json")
    assert answer.status_code == 200, answer.json()
    assert [row["capacity"] for row in answer.json()["data"]["blocks"]] == [2]
    vacation = client.put(f"{BASE}/me/availability", {"mode": "vacation"}, format="json")
    assert vacation.status_code == 400
    assert len(client.get(f"{BASE}/me/availability").json()["data"]["blocks"]) == 1


def test_the_public_list_narrows_to_who_sells_and_takes_orders() -> None:
    def seller(price: int, **fields: Any) -> Creator:
        creator = make.creator(**fields)
        row = {"occasions": ["other"], "length_seconds": 60, "delivery_hours": 24, "price_minor": price}
        offers.replace_offerings(creator=creator, by=creator.user, offerings=[row])
        return creator

    make.creator(stage_name="Sells nothing")
    seller(20_00, stage_name="Cheap")
    seller(90_00, stage_name="Dear")
    away = seller(20_00, stage_name="Away")
    until = (clock.now() + timedelta(days=3)).date()
    offers.set_availability(creator=away, by=away.user, mode="vacation", vacation_until=until)
    slots = seller(20_00, stage_name="Slots")
    offers.set_availability(creator=slots, by=slots.user, mode="schedule", blocks=[])

    def names(**query: str) -> list[str]:
        return [row["stage_name"] for row in api_client().get(BASE, query).json()["data"]]

    assert names(price_max="20.00") == ["Away", "Cheap", "Slots"]
    assert names(available="true") == ["Cheap", "Dear"]
    assert names(available="true", price_max="50") == ["Cheap"]
    assert names(price_max="20", currency="EUR") == []
    assert api_client().get(BASE, {"price_max": "many"}).status_code == 400
    assert api_client().get(BASE, {"price_max": "5", "currency": "XXXX"}).status_code == 400


def test_these_are_for_creators() -> None:
    for name in ("onboarding", "training", "offerings", "availability"):
        assert api_client().get(f"{BASE}/me/{name}").status_code == 401
        assert api_client(member()).get(f"{BASE}/me/{name}").status_code == 403


def test_the_training_takes_the_same_statements_however_long() -> None:
    creator = make.creator()
    client = api_client(creator.user)
    lesson("one", 1, en="One")
    few = count(lambda: client.get(f"{BASE}/me/training"))
    for number in range(2, 6):
        lesson(f"more-{number}", number, en=f"More {number}")
    assert count(lambda: client.get(f"{BASE}/me/training")) == few
