"""The application queue and the dossier, by role and by verb (W-001 to W-003)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from backoffice.accounts.models import User
from backoffice.accounts.services import duty
from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import applications, creators
from backoffice.desk.creators.documents import link_to
from backoffice.media.models import Asset
from backoffice.queues import queries as work
from tests.factories import creators as make
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/admin/creators/applications/"
MAY_VIEW = {"super_admin", "admin", "ops_manager", "content_moderator", "verification_reviewer"}
MAY_DECIDE = {"super_admin", "admin", "ops_manager", "verification_reviewer"}
ROLES = [
    "super_admin",
    "admin",
    "ops_manager",
    "content_moderator",
    "customer_support",
    "financial_admin",
    "verification_reviewer",
    "editor",
    "analyst",
]


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def by() -> User:
    return make.reviewer(display_name="Mirlande")


@pytest.fixture
def desk(client: Client, by: User) -> Client:
    return sign_in(client, by)


def address(application: CreatorApplication, verb: str = "") -> str:
    return f"{BASE}{application.pk}/{verb + '/' if verb else ''}"


def token_of(application: CreatorApplication) -> str:
    item = work.for_subject("applications", application)
    assert item is not None
    return str(item.lease_token or "")


def passing(application: CreatorApplication, **changes: Any) -> dict[str, Any]:
    """What the page posts when every check stands as it was shown first."""
    data = {
        "token": token_of(application),
        "identity": "on",
        "social": "on",
        "not_posing": "on",
        "appropriate": "on",
        "languages": "on",
        "accounts": [str(account.pk) for account in application.social_accounts.all()],
        "public_figure": "no",
        "video_quality": "3",
        "audio_quality": "3",
        "content_rating": "3",
        "cultural_authenticity": "3",
        "notes": "",
        "request_text": "",
        "reject_text": "",
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}


# --- who may ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_or_does_not_see_the_queue_and_the_dossier(client: Client, role: str) -> None:
    application = make.submitted()
    sign_in(client, staff(role))
    wanted = 200 if role in MAY_VIEW else 403
    assert client.get(BASE).status_code == wanted
    assert client.get(address(application)).status_code == wanted


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "verb", ["claim", "release", "skip", "heartbeat", "save", "approve", "reject", "request-info", "activate"]
)
def test_only_deciding_roles_reach_a_verb(client: Client, role: str, verb: str) -> None:
    application = make.submitted()
    sign_in(client, staff(role))
    answer = client.post(address(application, verb), {"token": ""})
    assert (answer.status_code == 403) == (role not in MAY_DECIDE)
    application.refresh_from_db()
    assert application.status == ("in_review" if verb == "claim" and role in MAY_DECIDE else "submitted")


def test_verbs_are_not_reached_by_a_link(desk: Client) -> None:
    application = make.submitted()
    for verb in ("claim", "save", "approve", "reject", "request-info", "activate", "heartbeat", "release"):
        assert desk.get(address(application, verb)).status_code == 405


def test_visitors_go_to_the_door(client: Client) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, "login" in answer["Location"]) == (302, True)


# --- documents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_only_the_verification_team_gets_a_document(client: Client, role: str) -> None:
    document = make.submitted().documents.get()
    person = staff(role)
    sign_in(client, person)
    answer = client.get(link_to(document, person))
    looks = audit.for_subject(document).filter(action="document.view").count()
    if role == "verification_reviewer":
        assert (answer.status_code, looks) == (200, 1)
        assert answer.content == make.PDF
    else:
        assert (answer.status_code, looks) == (403, 0)


def test_a_document_is_neither_kept_nor_framed_elsewhere(desk: Client, by: User) -> None:
    document = make.submitted().documents.get()
    answer = desk.get(link_to(document, by))
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == "inline"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_without_a_factor_from_the_last_minutes_nothing_opens(client: Client, by: User) -> None:
    application = make.submitted()
    document = application.documents.get()
    sign_in(client, by, factor_age=600)
    answer = client.get(link_to(document, by))
    assert answer.status_code == 403
    assert make.SECRET_WORDS not in answer.content
    assert not audit.for_subject(document).filter(action="document.view").exists()
    page = client.get(address(application)).content.decode()
    assert "Confirm and open" in page
    assert f"documents/{document.pk}/content" not in page
    unlock = client.get(f"{BASE}{application.pk}/documents/unlock/")
    assert unlock.status_code == 302


@pytest.mark.parametrize("verb", ["approve", "save"])
def test_verifying_an_id_asks_for_the_factor_again_after_five_minutes(client: Client, by: User, verb: str) -> None:
    application, _item = make.in_review(by)
    document = application.documents.get()
    make.look_at_documents(application, by)
    sign_in(client, by, factor_age=600)

    answer = client.post(address(application, verb), passing(application))

    assert answer.status_code == 302
    assert "/2fa/reauthenticate/" in answer["Location"]
    document.refresh_from_db()
    application.refresh_from_db()
    assert (document.status, application.status) == ("pending", "in_review")


def test_saving_without_the_identity_check_verifies_nothing_and_asks_for_nothing(client: Client, by: User) -> None:
    application, _item = make.in_review(by)
    make.look_at_documents(application, by)
    sign_in(client, by, factor_age=600)
    answer = client.post(address(application, "save"), passing(application, identity=None))
    assert "/2fa/" not in answer["Location"]
    assert application.documents.get().status == "pending"


def test_the_dossier_shows_other_deciders_that_documents_are_not_theirs_to_open(client: Client) -> None:
    application = make.submitted()
    sign_in(client, staff("ops_manager"))
    page = client.get(address(application)).content.decode()
    assert "Only the verification team may open documents." in page
    assert "/content/" not in page


def test_refusing_one_document_tells_its_owner(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    document = application.documents.get()
    desk.get(link_to(document, by))
    answer = desk.post(f"/admin/creators/documents/{document.pk}/reject/", {"reason": "Blurred.", "bench": "1"})
    assert answer["Location"] == f"{address(application)}?document={document.pk}&bench=1"
    document.refresh_from_db()
    assert (document.status, document.reason) == ("rejected", "Blurred.")


@pytest.mark.parametrize("part", [{}, {"part": "1"}])
def test_a_document_that_cannot_be_refused_yet_comes_back_with_the_reason(
    desk: Client, by: User, part: dict[str, str]
) -> None:
    application, _item = make.in_review(by)
    document = application.documents.get()
    answer = desk.post(f"/admin/creators/documents/{document.pk}/reject/", {"reason": "Too dark.", **part})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert page.count("Open the document before you refuse it.") == 2
    assert re.search(r'<dialog[^>]* id="refuse-document"[^>]* data-open>', page)
    assert re.search(r"<textarea[^>]*>Too dark.</textarea>", page)
    assert ("Decision" in page) == (not part)
    desk.get(link_to(document, by))
    answer = desk.post(f"/admin/creators/documents/{document.pk}/reject/", {"reason": "", **part})
    assert answer.status_code == 400


def test_a_document_that_a_colleague_has_judged_shows_the_reason_that_was_typed(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    document = application.documents.get()
    desk.get(link_to(document, by))
    where = f"/admin/creators/documents/{document.pk}/reject/"
    done = desk.post(where, {"reason": "Blurred.", "part": "1"})
    assert (done.status_code, b"its owner is told" in done.content) == (200, True)
    assert done.cookies["backlot_settled"].value == f"document:{document.pk}"
    late = desk.post(where, {"reason": "Too dark.", "part": "1"})
    assert (late.status_code, b"Too dark." in late.content) == (409, True)


def test_one_document_is_accepted_by_a_reviewer_who_opened_it(desk: Client, by: User) -> None:
    document = make.submitted().documents.get()
    address_of = f"/admin/creators/documents/{document.pk}/"
    assert desk.post(f"{address_of}verify/").status_code == 409
    desk.get(link_to(document, by))
    assert desk.post(f"{address_of}verify/").status_code == 302
    document.refresh_from_db()
    assert (document.status, document.reviewer) == ("verified", by)


def test_a_verified_documents_date_is_corrected_and_its_acceptance_taken_back(desk: Client, by: User) -> None:
    document = make.submitted().documents.get()
    address_of = f"/admin/creators/documents/{document.pk}/"
    desk.get(link_to(document, by))
    assert desk.post(f"{address_of}verify/", {"expires_on": "2091-01-01"}).status_code == 302
    page = desk.get(address(document.application)).content.decode()
    assert "Correct the date" in page
    assert 'value="2091-01-01"' in page
    assert desk.post(f"{address_of}expiry/", {"expires_on": "soon"}).status_code == 400
    assert desk.post(f"{address_of}expiry/", {"expires_on": "2019-10-01"}).status_code == 400
    assert desk.post(f"{address_of}expiry/", {"expires_on": "2092-02-02"}).status_code == 302
    document.refresh_from_db()
    assert str(document.document_expires_on) == "2092-02-02"
    assert desk.post(f"{address_of}withdraw/").status_code == 302
    document.refresh_from_db()
    assert (document.status, document.reviewer) == ("pending", None)


def test_an_acceptance_that_a_creator_stands_on_is_not_offered_to_be_taken_back(desk: Client, by: User) -> None:
    application = make.approved(by)
    assert application.creator is not None
    assert "Take the acceptance back" not in desk.get(address(application)).content.decode()
    creators.suspend(creator=application.creator, by=None, reason="x")
    assert "Take the acceptance back" not in desk.get(address(application)).content.decode()
    creators.restore(creator=application.creator, by=None, reason="x")
    creators.reverify(creator=application.creator, by=by, reason="")
    assert "Take the acceptance back" in desk.get(address(application)).content.decode()


@pytest.mark.parametrize("verb", ["expiry", "withdraw"])
def test_changing_a_verification_asks_for_a_fresh_factor(client: Client, by: User, verb: str) -> None:
    document = make.approved(by).documents.get()
    sign_in(client, by, factor_age=600)
    answer = client.post(f"/admin/creators/documents/{document.pk}/{verb}/", {"expires_on": "2092-02-02"})
    assert "/2fa/reauthenticate/" in answer["Location"]
    document.refresh_from_db()
    assert (document.status, document.document_expires_on) == ("verified", None)


def test_staff_see_in_the_viewer_that_their_own_id_is_for_somebody_else(desk: Client, by: User) -> None:
    application = make.submitted(by)
    page = desk.get(address(application)).content.decode()
    assert "This is about you; somebody else has to do it." in page
    assert "/content/" not in page
    assert "Accept this document" not in page
    assert desk.get(link_to(application.documents.get(), by)).status_code == 403


def test_a_failed_id_check_survives_saving_and_stops_an_approval_of_a_verified_id(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    look(desk, application)
    assert desk.post(address(application, "save"), passing(application)).status_code == 302
    assert application.documents.get().status == "verified"
    answer = desk.post(address(application, "approve"), passing(application, identity=None))
    assert (answer.status_code, b"The ID check failed." in answer.content) == (409, True)
    desk.post(address(application, "save"), passing(application, identity=None))
    assert application.documents.get().status == "pending"
    assert not desk.get(address(application)).context["form"]["identity"].value()


def test_correcting_the_date_in_the_review_asks_for_a_fresh_factor(client: Client, by: User) -> None:
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    applications.save_review(
        application=application, by=by, token=str(item.lease_token), findings=make.good(application)
    )
    sign_in(client, by, factor_age=600)
    assert "/2fa/" not in client.post(address(application, "save"), passing(application))["Location"]
    answer = client.post(address(application, "save"), passing(application, document_expires_on="2092-02-02"))
    assert "/2fa/reauthenticate/" in answer["Location"]


def test_the_date_stands_for_the_id_to_be_judged_and_stays_with_it(desk: Client, by: User) -> None:
    soon, late = clock.now().date() + 50 * make.DAY, clock.now().date() + 900 * make.DAY
    application, _item = make.in_review(by)
    first = application.documents.get()
    look(desk, application)
    desk.post(address(application, "save"), passing(application, document_expires_on=late.isoformat()))
    second = make.second_id(application, expires_on=soon)
    page = desk.get(address(application))
    form = page.context["form"]
    assert (form["document_expires_on"].value(), form["date_of"].value()) == (soon, str(second.pk))
    assert re.search(r"The ID is valid until \(Passport\)", page.content.decode())
    # Refused beside the form: its date must not become that of the other.
    desk.get(link_to(second, by))
    desk.post(f"/admin/creators/documents/{second.pk}/reject/", {"reason": "Blurred."})
    typed = {"document_expires_on": soon.isoformat(), "date_of": str(second.pk)}
    assert desk.post(address(application, "save"), passing(application, **typed)).status_code == 302
    first.refresh_from_db()
    assert (first.status, first.document_expires_on) == ("verified", late)


WORDS = {
    "save": {},
    "reject": {"code": "quality"},
    "request-info": {"request_text": "A better sample, please."},
    "escalate": {"escalate_reason": "Please look."},
}


@pytest.mark.parametrize("verb", WORDS)
@pytest.mark.parametrize("change", [{"identity": None}, {"document_expires_on": "2092-02-02"}, {}])
def test_whatever_the_verb_a_verified_id_changes_with_a_fresh_factor_only(
    client: Client, by: User, verb: str, change: dict[str, str | None]
) -> None:
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    applications.save_review(
        application=application, by=by, token=str(item.lease_token), findings=make.good(application)
    )
    sign_in(client, by, factor_age=600)
    answer = client.post(address(application, verb), passing(application, **WORDS[verb], **change))
    assert ("/2fa/reauthenticate/" in answer["Location"]) == bool(change)
    document = application.documents.get()
    assert (document.status, document.document_expires_on) == ("verified", None)


@pytest.mark.parametrize("role", ["admin", "ops_manager", "content_moderator"])
@pytest.mark.parametrize("verb", ["verify", "reject"])
def test_nobody_else_judges_a_document(client: Client, role: str, verb: str) -> None:
    document = make.submitted().documents.get()
    sign_in(client, staff(role))
    answer = client.post(f"/admin/creators/documents/{document.pk}/{verb}/", {"reason": "x"})
    assert answer.status_code == 403


# --- the list --------------------------------------------------------------------------------------------


def rows(answer: Any) -> list[str]:
    return [line.application.reference for line in answer.context["lines"]]


def test_each_tab_holds_its_own(desk: Client, by: User) -> None:
    free = make.submitted()
    mine, _item = make.in_review(by)
    theirs, _other = make.in_review(make.reviewer())
    asked = make.waiting(make.reviewer())
    late = make.submitted(at=clock.now() - 5 * make.DAY)
    done = make.approved()
    expected = {
        "unclaimed": {free, late},
        "mine": {mine},
        "waiting": {asked},
        "overdue": {late},
        "decided": {done},
    }
    for tab, held in expected.items():
        answer = desk.get(BASE, {"tab": tab})
        assert set(rows(answer)) == {application.reference for application in held}, tab
    counts = {tab["code"]: tab["count"] for tab in answer.context["tabs"]}
    assert counts == {"unclaimed": 2, "mine": 1, "waiting": 1, "overdue": 1, "decided": None}
    assert theirs.reference not in rows(desk.get(BASE))


def test_the_list_narrows_by_words_country_language_and_category(desk: Client) -> None:
    one = make.submitted(stage_name="Kompa Kween", country="HT", languages=["ht"])
    two = make.submitted(stage_name="Rara Roy", country="CA", languages=["fr"], categories=["comedy"])
    assert rows(desk.get(BASE, {"q": "kween"})) == [one.reference]
    assert rows(desk.get(BASE, {"q": two.reference})) == [two.reference]
    assert rows(desk.get(BASE, {"country": "ca"})) == [two.reference]
    assert rows(desk.get(BASE, {"language": "ht"})) == [one.reference]
    assert rows(desk.get(BASE, {"category": "comedy"})) == [two.reference]
    assert rows(desk.get(BASE, {"q": "%"})) == []


def test_the_list_narrows_by_reviewer_age_and_followers(desk: Client, by: User) -> None:
    account = {"platform": "tiktok", "handle": "rara", "url": "https://www.tiktok.com/@rara"}
    old = make.submitted(at=clock.now() - 4 * make.DAY, social=[{**account, "follower_count": 25_000}])
    new = make.submitted(social=[{**account, "follower_count": 80}])
    mine = make.waiting(by)
    other = make.waiting(make.reviewer())
    assert rows(desk.get(BASE, {"age": "3"})) == [old.reference]
    assert rows(desk.get(BASE, {"followers": "10000"})) == [old.reference]
    assert set(rows(desk.get(BASE, {"reviewer": "nobody"}))) == {old.reference, new.reference}
    assert rows(desk.get(BASE, {"tab": "waiting", "reviewer": str(by.pk)})) == [mine.reference]
    assert set(rows(desk.get(BASE, {"tab": "waiting", "reviewer": "0"}))) == {mine.reference, other.reference}
    assert rows(desk.get(BASE, {"reviewer": str(by.pk)})) == []
    assert len(rows(desk.get(BASE, {"age": "x", "followers": "-1", "missing": "zzz"}))) == 2


def test_the_list_says_what_is_missing_and_narrows_by_it(desk: Client, by: User) -> None:
    whole, refused, broken = make.submitted(), make.submitted(), make.submitted()
    document = refused.documents.get()
    desk.get(link_to(document, by))
    desk.post(f"/admin/creators/documents/{document.pk}/reject/", {"reason": "Blurred."})
    Asset.objects.filter(pk=broken.sample_id).update(processing_status="error", error_code="unreadable")
    asked = make.waiting(by, asked=("profile", "note"))
    answer = desk.get(BASE)
    said = {line.application: [str(label) for label in line.missing] for line in answer.context["lines"]}
    assert said == {whole: [], refused: ["Government ID"], broken: ["Sample video"]}
    assert b"Government ID" in answer.content
    (line,) = desk.get(BASE, {"tab": "waiting"}).context["lines"]
    assert [str(label) for label in line.missing] == ["Profile", "Written answer"]
    assert rows(desk.get(BASE, {"missing": "government_id"})) == [refused.reference]
    assert rows(desk.get(BASE, {"missing": "nothing"})) == [whole.reference]
    assert set(rows(desk.get(BASE, {"missing": "any"}))) == {refused.reference, broken.reference}
    assert rows(desk.get(BASE, {"tab": "waiting", "missing": "note"})) == [asked.reference]
    assert rows(desk.get(BASE, {"tab": "waiting", "missing": "sample"})) == []


def test_the_list_takes_the_same_statements_whatever_its_length(desk: Client) -> None:
    make.submitted()
    desk.get(BASE)
    few = count(lambda: desk.get(BASE))
    for _number in range(4):
        make.submitted()
    assert count(lambda: desk.get(BASE)) == few


def test_the_dossier_takes_the_same_statements_whatever_it_holds(desk: Client, by: User) -> None:
    small, _item = make.in_review(by)
    desk.get(address(small))
    few = count(lambda: desk.get(address(small)))
    big = make.started()
    accounts = [{"platform": "youtube", "handle": f"a{n}", "url": f"https://youtube.com/a{n}"} for n in range(6)]
    applications.update(application=big, by=big.applicant, fields={"social": accounts})
    from backoffice.creators.services import documents

    for _number in range(3):
        documents.upload(application=big, document_type="other", content=make.PDF, by=big.applicant)
    applications.submit(application=big, by=big.applicant)
    make.in_review(by, big)
    assert count(lambda: desk.get(address(big))) == few


def test_empty_lists_say_what_would_stand_there(desk: Client) -> None:
    assert b"Nothing here" in desk.get(BASE).content
    assert b"No application matches" in desk.get(BASE, {"q": "zzz"}).content


# --- next, claim, lease ----------------------------------------------------------------------------------


def test_next_claims_the_first_application_and_opens_it(desk: Client, by: User) -> None:
    application = make.submitted()
    answer = desk.post(f"{BASE}next/")
    assert answer["Location"] == f"{address(application)}?bench=1"
    application.refresh_from_db()
    assert application.reviewer == by
    page = desk.get(answer["Location"]).content.decode()
    assert f'data-lease-token="{token_of(application)}"' in page
    assert "data-lease-until=" in page


def test_next_says_when_nothing_waits(desk: Client) -> None:
    answer = desk.post(f"{BASE}next/", follow=True)
    assert b"Nothing waits for you" in answer.content


def test_the_heartbeat_renews_and_tells_who_has_it_now(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    answer = desk.post(address(application, "heartbeat"), {"token": str(item.lease_token)})
    assert answer.json()["until"] > item.lease_until.isoformat()  # type: ignore[union-attr]
    applications.release(application=application, by=by, token=str(item.lease_token))
    applications.claim(application=application, by=make.reviewer(display_name="Wideline"))
    lost = desk.post(address(application, "heartbeat"), {"token": str(item.lease_token)})
    assert (lost.status_code, "Wideline" in lost.json()["message"]) == (409, True)


def test_what_somebody_else_holds_shows_their_name_and_no_verbs(desk: Client) -> None:
    application, _item = make.in_review(make.reviewer(display_name="Wideline"))
    page = desk.get(address(application)).content.decode()
    assert "Wideline is working on this." in page
    assert 'data-key="a"' not in page


def test_a_lost_lease_decides_nothing_and_keeps_what_was_typed(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    data = passing(application, notes="Saw her live in Jacmel.", video_quality="5")
    applications.release(application=application, by=by, token=str(item.lease_token))
    applications.claim(application=application, by=make.reviewer(display_name="Wideline"))
    answer = desk.post(address(application, "approve"), data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Wideline is working on this." in page
    assert "Saw her live in Jacmel." in page
    assert re.search(r'value="5" selected', page)
    application.refresh_from_db()
    assert application.status == "in_review"


def test_claiming_again_keeps_what_was_typed(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    data = passing(application, notes="Half a thought")
    applications.release(application=application, by=by, token=str(item.lease_token))
    answer = desk.post(address(application, "claim"), data)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Half a thought" in page
    assert f'name="token" value="{token_of(application)}"' in page


def test_claiming_what_a_colleague_has_meanwhile_shows_every_word_again(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    words = {"notes": "Half a thought", "reject_text": "Your face is hidden.", "escalate_reason": "The singer?"}
    data = passing(application, **words)
    applications.release(application=application, by=by, token=str(item.lease_token))
    applications.claim(application=application, by=make.reviewer(display_name="Wideline"))
    answer = desk.post(address(application, "claim"), data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Wideline is working on this." in page
    assert all(text in page for text in words.values())
    (account,) = data["accounts"]
    assert re.search(rf'value="{account}"[^>]* checked>', page), "still ticked, and sent with the next claim"


def test_skipping_hands_out_the_next_and_never_this_one_again(desk: Client, by: User) -> None:
    first, second = make.submitted(), make.submitted()
    desk.post(f"{BASE}next/")
    answer = desk.post(address(first, "skip"), passing(first, bench="1"))
    assert answer["Location"] == f"{address(second)}?bench=1"
    assert answer.cookies["backlot_settled"].value == f"application:{first.pk}"
    first.refresh_from_db()
    assert (first.status, first.reviewer) == ("submitted", None)
    desk.post(address(second, "skip"), passing(second, bench="1"))
    assert b"Nothing waits for you" in desk.post(f"{BASE}next/", follow=True).content
    assert applications.claim_next(by=make.reviewer())[0] == first  # type: ignore[index]


def test_skipping_without_the_lease_comes_back_with_what_was_typed(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    data = passing(application, notes="Half a thought")
    applications.release(application=application, by=by, token=str(item.lease_token))
    answer = desk.post(address(application, "skip"), data)
    assert (answer.status_code, b"Half a thought" in answer.content) == (409, True)
    assert "backlot_settled" not in answer.cookies


def test_an_old_token_in_a_second_window_decides_nothing(desk: Client, by: User) -> None:
    application, item = make.in_review(by)
    applications.claim(application=application, by=by)
    answer = desk.post(address(application, "approve"), passing(application, token=str(item.lease_token)))
    assert answer.status_code == 409
    assert b"another window" in answer.content


# --- deciding --------------------------------------------------------------------------------------------


def look(desk: Client, application: CreatorApplication) -> None:
    """Opens every document by the links of the page."""
    for document in application.documents.all():
        page = desk.get(address(application), {"document": str(document.pk)}).content.decode()
        (link,) = re.findall(r'src="(/admin/creators/documents/[^"#]+)', page)
        assert desk.get(link).status_code == 200


def over(application: CreatorApplication) -> CreatorApplication:
    """The undo window is over."""
    return applications.settle(application=application, at=clock.now() + timedelta(seconds=11))


def test_one_key_approves_with_every_check_recorded_and_the_next_one_opens(desk: Client, by: User) -> None:
    first = make.submitted()
    second = make.submitted()
    desk.post(f"{BASE}next/")
    look(desk, first)
    answer = desk.post(address(first, "approve"), passing(first, bench="1"))
    assert answer["Location"] == f"{address(second)}?bench=1"
    first.refresh_from_db()
    assert (first.status, first.verdict, first.verdict_by) == ("in_review", "approve", by)
    assert over(first).status == "approved"
    assert first.documents.get().reviewer == by
    assert first.social_accounts.get().verified
    assert first.assessment.languages_confirmed == ["ht", "fr"]
    assert first.assessment.missing_parts() == []


def test_approving_without_having_opened_the_id_says_so(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    answer = desk.post(address(application, "approve"), passing(application))
    assert answer.status_code == 409
    assert b"Open the document before you verify it." in answer.content


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"identity": None}, "The ID check failed."),
        ({"social": None}, "No social account is checked."),
        ({"accounts": []}, "No social account is checked."),
        ({"not_posing": None}, "The public-figure check raised a doubt."),
        ({"appropriate": None}, "The sample is marked as not appropriate."),
        ({"languages": None}, "The assessment confirms no language."),
        ({"background_required": "on"}, "The required background check is not passed."),
        ({"audio_quality": ""}, "The assessment has no score for audio."),
    ],
)
def test_a_failing_check_stops_the_approval_by_name(
    desk: Client, by: User, changes: dict[str, Any], sentence: str
) -> None:
    application, _item = make.in_review(by)
    look(desk, application)
    answer = desk.post(address(application, "approve"), passing(application, **changes))
    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    application.refresh_from_db()
    assert application.status == "in_review"


def test_rejecting_by_a_reason_button_sends_its_sentence_and_the_own_words(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    data = passing(application, code="quality", reject_text="The wind drowns your voice.")
    assert desk.post(address(application, "reject"), data).status_code == 302
    application = over(application)
    assert (application.status, application.decision_code) == ("rejected", "quality")
    assert application.decision_reason.endswith("\n\nThe wind drowns your voice.")
    assert application.decision_reason.startswith("The picture or sound")


def test_another_reason_without_words_comes_back(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    answer = desk.post(address(application, "reject"), passing(application, code="other"))
    assert answer.status_code == 409
    assert b"Say what the reason is." in answer.content


def test_asking_with_failing_checks_writes_the_request(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    data = passing(application, identity=None, asked=["government_id"])
    assert desk.post(address(application, "request-info"), data).status_code == 302
    application.refresh_from_db()
    assert application.status == "additional_info_required"
    assert application.info_items == ["government_id"]
    assert "valid government ID" in application.info_requested
    page = desk.get(address(application)).content.decode()
    assert "Waiting on the applicant" in page


def test_saving_keeps_findings_and_decides_nothing(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    data = passing(application, notes="Ask Jean.", video_quality="2", background_required="on")
    assert desk.post(address(application, "save"), data).status_code == 302
    application.refresh_from_db()
    assert application.status == "in_review"
    assert (application.assessment.video_quality, application.background_required) == (2, True)
    assert "Ask Jean." in desk.get(address(application)).content.decode()


def test_a_wrong_date_is_shown_beside_what_was_typed(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    answer = desk.post(address(application, "approve"), passing(application, document_expires_on="soon", notes="typed"))
    assert answer.status_code == 400
    assert b"typed" in answer.content


def test_a_second_submit_of_the_same_decision_says_who_decided(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    look(desk, application)
    data = passing(application)
    assert desk.post(address(application, "approve"), data).status_code == 302
    again = desk.post(address(application, "approve"), data)
    assert again.status_code == 409
    assert b"Mirlande has already decided this." in again.content
    assert over(application).creator is not None


def test_a_decision_is_taken_back_by_its_button_and_told_to_nobody(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    look(desk, application)
    desk.post(address(application, "approve"), passing(application))
    page = desk.get(BASE).content.decode()
    assert f'action="{address(application, "undo")}"' in page
    answer = desk.post(address(application, "undo"))
    assert answer["Location"] == f"{address(application)}?bench=1"
    assert over(application).status == "in_review"
    assert not application.applicant.notifications.filter(event="application.approved").exists()
    assert work.for_subject("applications", application).holder == by  # type: ignore[union-attr]
    assert f'action="{address(application, "undo")}"' not in desk.get(address(application)).content.decode()


def test_a_decision_that_took_effect_is_not_taken_back(desk: Client, by: User) -> None:
    done = make.approved(by)
    answer = desk.post(address(done, "undo"))
    assert answer.status_code == 409
    assert b"The decision has taken effect." in answer.content


def test_passing_on_takes_a_note_and_leads_to_the_supervisors_only(desk: Client, by: User) -> None:
    application, _item = make.in_review(by)
    answer = desk.post(address(application, "escalate"), passing(application, notes="Looks borrowed"))
    assert answer.status_code == 409
    assert b"Say why." in answer.content
    assert b"Looks borrowed" in answer.content
    desk.post(address(application, "escalate"), passing(application, escalate_reason="Known singer?"))
    assert applications.claim_next(by=make.reviewer()) is None
    supervisor = staff("ops_manager")
    assert applications.claim_next(by=supervisor)[0] == application  # type: ignore[index]
    page = sign_in(Client(), supervisor).get(address(application)).content.decode()
    assert "Passed on to the supervisors by Mirlande: Known singer?" in page


def test_the_dossier_says_why_it_is_here_with_scores_and_age(desk: Client, by: User) -> None:
    application, _item = make.in_review(by, make.submitted(at=clock.now() - timedelta(hours=5)))
    page = desk.get(address(application)).content.decode()
    assert re.search(r"New application <span[^>]*>\+10</span>", page)
    assert "Waits for 5\xa0hours" in page


def test_nothing_is_handed_to_somebody_off_duty(desk: Client, by: User) -> None:
    make.submitted()
    duty.switch(user=by, on=False, by=by)
    answer = desk.post(f"{BASE}next/", follow=True)
    assert b"You are off duty." in answer.content
    assert work.held_by(by).count() == 0


def test_names_and_texts_of_applicants_are_never_markup(desk: Client, by: User) -> None:
    application, _item = make.in_review(
        by, make.submitted(stage_name="<script>alert(1)</script>", bio="<img src=x onerror=alert(1)>")
    )
    for page in (desk.get(address(application)), desk.get(BASE, {"tab": "mine"})):
        assert b"<script>alert(1)" not in page.content
        assert b"<img src=x" not in page.content


def test_the_dossier_of_an_approved_one_names_what_keeps_it_from_going_live(desk: Client) -> None:
    application = make.approved()
    page = desk.get(address(application)).content.decode()
    assert "Two-step sign-in is not set up." in page
    assert application.creator is not None
    refused = desk.post(address(application, "activate"))
    assert refused.status_code == 409
    make.make_ready(application.creator)
    assert desk.post(address(application, "activate")).status_code == 302
    application.refresh_from_db()
    assert application.status == "activated"


@pytest.mark.parametrize(
    ("details", "size", "shown"),
    [
        ({"audio_codec": "aac", "loudness_lufs": -18.2, "fps": 29.97}, (1920, 1080), ["-18.2 LUFS", "30 pictures"]),
        ({"audio_codec": "aac", "loudness_lufs": -44.0, "fps": 25}, (640, 360), ["very quiet", "below 720 lines"]),
        ({"audio_codec": "aac", "loudness_lufs": -3.1, "fps": 25}, (720, 1280), ["very loud"]),
        ({"audio_codec": "aac", "loudness_lufs": None, "fps": 25}, (1280, 720), ["too short to measure"]),
        ({"audio_codec": "", "loudness_lufs": None, "fps": 25}, (1280, 720), ["no sound"]),
    ],
)
def test_picture_and_sound_of_the_sample_are_told(
    client: Client, details: dict[str, Any], size: tuple[int, int], shown: list[str]
) -> None:
    application = make.submitted()
    assert application.sample is not None
    Asset.objects.filter(pk=application.sample.pk).update(details=details, width=size[0], height=size[1])
    sign_in(client, make.reviewer())
    page = client.get(f"/admin/creators/applications/{application.pk}/").content.decode()
    for text in shown:
        assert text in page
    assert "Haitian Creole, French" in page
    if "very quiet" not in shown:
        assert "below 720 lines" not in page


def test_earlier_sanctions_stand_beside_the_application(client: Client) -> None:
    application = make.submitted()
    creator = make.creator(application.applicant)
    creators.suspend(creator=creator, by=None, reason="Sold what was not theirs", until=clock.now() + timedelta(days=1))
    sign_in(client, make.reviewer())
    assert "Sold what was not theirs" in client.get(f"{BASE}{application.pk}/").content.decode()
