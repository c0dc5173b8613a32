"""What every storage must do, tried on each."""

import hashlib
import io
from pathlib import Path

import pytest

from integrations.storage.types import (
    MIN_PART_BYTES,
    BadParts,
    Missing,
    Storage,
    StorageError,
)
from tests.integrations.storage.conftest import Sender

PART = MIN_PART_BYTES
FIRST = b"a" * PART
LAST = b"the end"


def started(storage: Storage, key: str, total: int = PART + len(LAST)) -> str:
    return storage.start_upload(key, content_type="video/mp4", bytes=total, part_bytes=PART)


def send(storage: Storage, sender: Sender, key: str, reference: str, number: int, content: bytes) -> str:
    url = storage.part_url(key, reference, number=number, bytes=len(content), seconds=60)
    return sender.put(url, content)


def whole(storage: Storage, key: str, **span: int) -> bytes:
    return b"".join(storage.read(key, **span))


def test_parts_sent_to_their_links_become_one_object(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/joined")
    etags = [
        (2, send(storage, sender, "assets/joined", reference, 2, LAST)),
        (1, send(storage, sender, "assets/joined", reference, 1, FIRST)),
    ]

    stored = storage.complete_upload("assets/joined", reference, sorted(etags))

    assert stored.bytes == PART + len(LAST)
    assert whole(storage, "assets/joined") == FIRST + LAST


def test_the_parts_that_arrived_are_known_with_size_and_md5(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/listed")
    send(storage, sender, "assets/listed", reference, 2, LAST)

    (part,) = storage.list_parts("assets/listed", reference)

    assert (part.number, part.bytes) == (2, len(LAST))
    assert part.etag == hashlib.md5(LAST, usedforsecurity=False).hexdigest()


def test_a_part_sent_again_replaces_the_first(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/again", total=len(LAST))
    send(storage, sender, "assets/again", reference, 1, b"THE END")
    etag = send(storage, sender, "assets/again", reference, 1, LAST)

    storage.complete_upload("assets/again", reference, [(1, etag)])

    assert whole(storage, "assets/again") == LAST


def test_nothing_is_joined_while_a_part_is_missing(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/gap")
    etag = send(storage, sender, "assets/gap", reference, 2, LAST)

    with pytest.raises(BadParts):
        storage.complete_upload("assets/gap", reference, [(1, etag), (2, etag)])
    with pytest.raises(BadParts):
        storage.complete_upload("assets/gap", reference, [(2, etag)])
    with pytest.raises(Missing):
        storage.stat("assets/gap")


def test_a_part_with_another_etag_is_refused(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/etag", total=len(LAST))
    send(storage, sender, "assets/etag", reference, 1, LAST)

    with pytest.raises(BadParts):
        storage.complete_upload("assets/etag", reference, [(1, "0" * 32)])


def test_an_aborted_upload_is_forgotten(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/aborted", total=len(LAST))
    etag = send(storage, sender, "assets/aborted", reference, 1, LAST)

    storage.abort_upload("assets/aborted", reference)
    storage.abort_upload("assets/aborted", reference)

    with pytest.raises(Missing):
        storage.list_parts("assets/aborted", reference)
    with pytest.raises(Missing):
        storage.complete_upload("assets/aborted", reference, [(1, etag)])


def test_an_upload_is_over_once_it_is_joined(storage: Storage, sender: Sender) -> None:
    reference = started(storage, "assets/once", total=len(LAST))
    etag = send(storage, sender, "assets/once", reference, 1, LAST)
    storage.complete_upload("assets/once", reference, [(1, etag)])

    with pytest.raises(Missing):
        storage.complete_upload("assets/once", reference, [(1, etag)])


def test_a_piece_of_an_object_can_be_read(storage: Storage) -> None:
    storage.save("assets/piece", io.BytesIO(b"0123456789"), content_type="video/mp4")

    assert whole(storage, "assets/piece", start=3, length=4) == b"3456"
    assert whole(storage, "assets/piece", start=8) == b"89"
    assert whole(storage, "assets/piece", start=0, length=0) == b""


def test_saving_again_replaces_the_content(storage: Storage) -> None:
    storage.save("assets/saved", io.BytesIO(b"long first content"), content_type="image/png")
    stored = storage.save("assets/saved", io.BytesIO(b"second"), content_type="image/png")

    assert stored.bytes == 6
    assert whole(storage, "assets/saved") == b"second"


def test_an_object_can_be_worked_on_as_a_file(storage: Storage, tmp_path: Path) -> None:
    storage.save("assets/file", io.BytesIO(b"content"), content_type="video/mp4")

    with storage.as_file("assets/file", tmp_path) as path:
        assert path.read_bytes() == b"content"
    with pytest.raises(Missing), storage.as_file("assets/none", tmp_path):
        pass


def test_a_moved_object_is_found_at_its_new_key_alone(storage: Storage) -> None:
    storage.save("assets/here", io.BytesIO(b"content"), content_type="video/mp4")

    storage.move("assets/here", "quarantine/there")

    assert whole(storage, "quarantine/there") == b"content"
    with pytest.raises(Missing):
        storage.stat("assets/here")


def test_deleting_takes_one_object_or_all_below_a_prefix(storage: Storage) -> None:
    for name in ("tree/a/1.ts", "tree/a/b/2.ts", "tree/ab"):
        storage.save(name, io.BytesIO(b"x"), content_type="video/mp2t")

    storage.delete("tree/none")
    storage.delete_below("tree/a")

    for gone in ("tree/a/1.ts", "tree/a/b/2.ts"):
        with pytest.raises(Missing):
            storage.stat(gone)
    assert storage.stat("tree/ab").bytes == 1


def test_reading_what_is_not_there_is_missing_before_the_first_byte(storage: Storage) -> None:
    with pytest.raises(Missing):
        storage.read("assets/nothing")


@pytest.mark.parametrize("key", ["../etc/passwd", "/etc/passwd", "a/../b", "a//b", "", "a/.hidden", "a\\b", "a/b\n"])
def test_a_key_that_could_lead_out_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(StorageError):
        storage.save(key, io.BytesIO(b"x"), content_type="video/mp4")
    with pytest.raises(StorageError):
        storage.stat(key)


@pytest.mark.parametrize("seconds", [0, 301, 86_400])
def test_links_live_five_minutes_at_most(storage: Storage, seconds: int) -> None:
    with pytest.raises(StorageError):
        storage.url("assets/x", seconds=seconds, filename="x.mp4", content_type="video/mp4", inline=True)
