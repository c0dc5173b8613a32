import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from drf_spectacular.generators import SchemaGenerator

from backoffice.accounts import tokens
from backoffice.accounts.models import User
from tests.factories.accounts import PASSWORD, api_client, member, staff

pytestmark = pytest.mark.django_db
GOOD = {"email": "new@example.com", "password": "a long enough phrase", "display_name": "Nadia", "language": "ht"}


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def app_of(user: User) -> str:
    return decrypt(Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP).data["secret"])


def test_a_new_member_is_registered_and_signed_in() -> None:
    answer = api_client().post("/api/v1/auth/register", GOOD, format="json")
    assert answer.status_code == 201
    data = answer.json()["data"]
    me = api_client()
    me.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")
    assert me.get("/api/v1/users/me").json()["data"]["language"] == "ht"
    assert User.objects.get(email="new@example.com").is_staff is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password12345"}, "password"),
        ({"display_name": ""}, "display_name"),
        ({"display_name": "x" * 101}, "display_name"),
        ({"language": "xx"}, "language"),
        ({"country": "Haiti"}, "country"),
    ],
)
def test_wrong_input_is_refused_by_name_and_nobody_is_made(change: dict, field: str) -> None:
    before = User.objects.count()
    answer = api_client().post("/api/v1/auth/register", GOOD | change, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]
    assert User.objects.count() == before


def test_the_request_cannot_choose_a_role() -> None:
    api_client().post("/api/v1/auth/register", GOOD | {"is_staff": True, "groups": ["super_admin"]}, format="json")
    made = User.objects.get(email="new@example.com")
    assert (made.is_staff, made.groups.count()) == (False, 0)


def test_an_address_that_is_taken_is_refused_without_saying_so() -> None:
    member(email="new@example.com")
    answer = api_client().post("/api/v1/auth/register", GOOD | {"email": "NEW@example.com"}, format="json")
    assert answer.status_code == 400
    assert "exist" not in answer.json()["error"]["message"]


def test_wrong_password_unknown_address_and_staff_get_the_same_answer() -> None:
    known, colleague = member(), staff("admin")
    tries = [(known.email, "wrong"), ("nobody@example.com", PASSWORD), (colleague.email, PASSWORD)]
    answers = [
        api_client().post("/api/v1/auth/login", {"email": email, "password": password}, format="json")
        for email, password in tries
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_a_refresh_token_works_once() -> None:
    pair = tokens.issue(member())
    first = api_client().post("/api/v1/auth/refresh", {"refresh": pair.refresh}, format="json")
    assert first.status_code == 200
    assert api_client().post("/api/v1/auth/refresh", {"refresh": pair.refresh}, format="json").status_code == 401


def test_signing_out_ends_every_token_of_the_session() -> None:
    person = member()
    pair = tokens.issue(person)
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    assert client.post("/api/v1/auth/logout").status_code == 204
    assert client.get("/api/v1/users/me").status_code == 401
    assert api_client().post("/api/v1/auth/refresh", {"refresh": pair.refresh}, format="json").status_code == 401


def test_a_deactivated_person_is_out_at_the_next_request() -> None:
    person = member()
    client = api_client(person)
    assert client.get("/api/v1/users/me").status_code == 200
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get("/api/v1/users/me").status_code == 401


@pytest.mark.usefixtures("still")
def test_an_authenticator_app_is_set_up_and_asked_for_at_the_next_sign_in() -> None:
    person = member()
    client = api_client(person)
    secret = client.post("/api/v1/auth/mfa/enroll").json()["data"]["secret"]
    assert client.post("/api/v1/auth/mfa/confirm", {"code": "000000"}, format="json").status_code == 400
    confirmed = client.post("/api/v1/auth/mfa/confirm", {"code": code_of(secret)}, format="json")
    assert len(confirmed.json()["data"]["recovery_codes"]) >= 8
    signed_in = api_client().post("/api/v1/auth/login", {"email": person.email, "password": PASSWORD}, format="json")
    data = signed_in.json()["data"]
    assert data["mfa_required"] is True
    assert "access" not in data
    wrong = {"mfa_token": data["mfa_token"], "code": "000000"}
    assert api_client().post("/api/v1/auth/mfa/verify", wrong, format="json").status_code == 401
    right = {"mfa_token": data["mfa_token"], "code": code_of(app_of(person))}
    answer = api_client().post("/api/v1/auth/mfa/verify", right, format="json")
    assert answer.status_code == 200
    assert api_client().post("/api/v1/auth/mfa/verify", right, format="json").status_code == 401, "a code works once"


@pytest.mark.usefixtures("still")
def test_a_recovery_code_lets_in_who_lost_the_phone_and_works_once() -> None:
    person = member()
    client = api_client(person)
    secret = client.post("/api/v1/auth/mfa/enroll").json()["data"]["secret"]
    codes = client.post("/api/v1/auth/mfa/confirm", {"code": code_of(secret)}, format="json").json()["data"]
    code = codes["recovery_codes"][0]
    for wanted in (200, 401):
        signed_in = api_client().post(
            "/api/v1/auth/login", {"email": person.email, "password": PASSWORD}, format="json"
        )
        tried = {"mfa_token": signed_in.json()["data"]["mfa_token"], "code": code}
        assert api_client().post("/api/v1/auth/mfa/verify", tried, format="json").status_code == wanted


def test_answers_are_in_the_callers_language() -> None:
    answer = api_client().get("/api/v1/users/me", HTTP_ACCEPT_LANGUAGE="fr")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["success"] is False


def test_a_page_number_that_is_none_is_refused_by_name() -> None:
    answer = api_client(member()).get("/api/v1/users/me/notifications?page=0")
    assert answer.status_code == 400
    assert "page" in answer.json()["error"]["details"]


def test_the_schema_is_complete_and_without_warnings() -> None:
    problems: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "drf_spectacular.drainage.GENERATOR_STATS.emit", lambda msg, severity: problems.append(f"{severity}: {msg}")
        )
        schema = SchemaGenerator().get_schema(request=None, public=True)
    assert "/api/v1/auth/login" in schema["paths"]
    assert all(path.startswith("/api/v1/") for path in schema["paths"])
    assert problems == []
