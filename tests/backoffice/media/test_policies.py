"""What is accepted, and what things are called."""

import pytest

from backoffice.core.errors import Invalid
from backoffice.media import policies

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("film.mp4", "film.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\mon film.mp4", "mon film.mp4"),
        ("a\x00b\n\u202ec.mp4", "abc.mp4"),
        ("...", "file"),
        ("", "file"),
        ("é" * 300 + ".mp4", "é" * 243 + "é" * 8 + ".mp4"),
    ],
)
def test_a_file_name_is_shown_without_path_and_tricks(given: str, shown: str) -> None:
    assert policies.plain_filename(given) == shown


@pytest.mark.parametrize(
    ("total", "size", "count"),
    [
        (1, 8 * MEBIBYTE, 1),
        (8 * MEBIBYTE, 8 * MEBIBYTE, 1),
        (8 * MEBIBYTE + 1, 8 * MEBIBYTE, 2),
        (10 * 1024 * MEBIBYTE, 21 * MEBIBYTE, 488),
    ],
)
def test_parts_grow_with_the_file(total: int, size: int, count: int) -> None:
    assert policies.part_plan(total) == (size, count)


def test_a_checksum_is_64_hexadecimal_digits() -> None:
    assert policies.check_checksum(" " + "AB" * 32) == "ab" * 32
    assert policies.check_checksum("") == ""
    with pytest.raises(Invalid) as refused:
        policies.check_checksum("abc")
    assert refused.value.field == "checksum"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("purpose", "content_type", "size", "field", "code"),
    [
        ("film", "video/mp4", 1, "purpose", "unknown_purpose"),
        ("video", "application/zip", 1, "content_type", "wrong_type"),
        ("poster", "image/svg+xml", 1, "content_type", "wrong_type"),
        ("avatar", "text/html", 1, "content_type", "wrong_type"),
        ("video", "video/mp4", 0, "bytes", "empty"),
        ("video", "video/mp4", 10 * 1024**3 + 1, "bytes", "too_large"),
        ("poster", "image/png", 20 * MEBIBYTE + 1, "bytes", "too_large"),
    ],
)
def test_a_refused_announcement_names_field_and_reason(
    purpose: str, content_type: str, size: int, field: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policies.check_upload(purpose=purpose, content_type=content_type, bytes=size)

    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["video/mp4", "VIDEO/MP4; codecs=avc1", "video/x-m4v", "video/webm"])
def test_a_type_is_known_under_its_other_names(content_type: str) -> None:
    assert policies.check_upload(purpose="video", content_type=content_type, bytes=1).kind == "video"
