"""What is the directory's own: tokens, and parts written in place."""

import io
import stat

import pytest

from integrations.storage.local import FILE_PURPOSE, PART_PURPOSE, LocalStorage
from integrations.storage.tokens import BadToken, ExpiredToken, Tokens
from integrations.storage.types import BadParts, Missing

tokens = Tokens("secret")


def test_a_token_gives_its_claims_back_until_it_expires() -> None:
    token = tokens.make("file", {"key": "a"}, expires=1000)

    assert tokens.read("file", token, now=999.9)["key"] == "a"
    with pytest.raises(ExpiredToken):
        tokens.read("file", token, now=1000)


def test_no_changed_letter_of_a_token_is_accepted() -> None:
    token = tokens.make("file", {"key": "assets/mine"}, expires=1000)

    for at, letter in enumerate(token):
        changed = token[:at] + ("A" if letter != "A" else "B") + token[at + 1 :]
        with pytest.raises(BadToken):
            tokens.read("file", changed, now=1)


def test_a_token_for_one_purpose_or_secret_opens_no_other() -> None:
    token = tokens.make("file", {"key": "a"}, expires=1000)

    with pytest.raises(BadToken):
        tokens.read("part", token, now=1)
    with pytest.raises(BadToken):
        Tokens("other").read("file", token, now=1)


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.x", "a" * 5000])
def test_nonsense_is_no_token(token: str) -> None:
    with pytest.raises(BadToken):
        tokens.read("file", token, now=1)


def test_links_carry_key_type_and_end(local: LocalStorage) -> None:
    local.clock = lambda: 1000.0
    url = local.url("assets/x", seconds=60, filename="mon film.mp4", content_type="video/mp4", inline=True)

    _, _, kind, token, name = url.split("/")
    claims = local.tokens.read(FILE_PURPOSE, token, now=1059)
    assert (kind, name) == ("files", "mon%20film.mp4")
    assert claims == {"key": "assets/x", "type": "video/mp4", "inline": True, "exp": 1060}


def test_a_part_that_breaks_off_counts_as_not_arrived(local: LocalStorage) -> None:
    reference = local.start_upload("assets/x", content_type="video/mp4", bytes=10, part_bytes=10)
    local.receive_part(reference, number=1, bytes=10, stream=io.BytesIO(b"0123456789"))

    with pytest.raises(BadParts):
        local.receive_part(reference, number=1, bytes=10, stream=io.BytesIO(b"short"))

    assert local.list_parts("assets/x", reference) == []


@pytest.mark.parametrize(("number", "size"), [(0, 4), (3, 1), (1, 5), (2, 3), (-1, 4), (1, 0)])
def test_a_part_outside_the_plan_is_refused(local: LocalStorage, number: int, size: int) -> None:
    reference = local.start_upload("assets/x", content_type="video/mp4", bytes=6, part_bytes=4)

    with pytest.raises(BadParts):
        local.receive_part(reference, number=number, bytes=size, stream=io.BytesIO(b"x" * 10))


def test_a_short_part_in_the_middle_is_not_joined(local: LocalStorage) -> None:
    reference = local.start_upload("assets/x", content_type="video/mp4", bytes=6, part_bytes=4)
    first = local.receive_part(reference, number=1, bytes=3, stream=io.BytesIO(b"abc"))
    last = local.receive_part(reference, number=2, bytes=2, stream=io.BytesIO(b"ef"))

    with pytest.raises(BadParts):
        local.complete_upload("assets/x", reference, [(1, first.etag), (2, last.etag)])


def test_an_upload_answers_to_its_own_key_alone(local: LocalStorage) -> None:
    reference = local.start_upload("assets/mine", content_type="video/mp4", bytes=1, part_bytes=1)

    with pytest.raises(Missing):
        local.list_parts("assets/other", reference)


def test_files_are_for_the_owner_alone(local: LocalStorage) -> None:
    reference = local.start_upload("assets/x", content_type="video/mp4", bytes=1, part_bytes=1)

    place = local.root / "uploads" / reference
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert local.tokens.read(
        PART_PURPOSE,
        local.part_url("assets/x", reference, number=1, bytes=1, seconds=5).rpartition("/")[2],
        now=local.clock(),
    )
