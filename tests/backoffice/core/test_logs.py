import pytest

from backoffice.core.logs import redact


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Not Found: /storage/files/eyJh.b-c_d/film.mp4", "Not Found: /storage/files/…/film.mp4"),
        ("GET /storage/play/secret/720p/seg1.ts?x=1", "GET /storage/play/…/720p/seg1.ts?x=1"),
        ("Authorization: Bearer eyJhbGciOi.J9.x", "Authorization: Bearer …"),
        ("GET /accounts/invitation/eyJ.b-c:1x/", "GET /accounts/invitation/…/"),
        ("GET /accounts/invitation/", "GET /accounts/invitation/"),
        ("GET /admin/work/", "GET /admin/work/"),
    ],
)
def test_links_and_tokens_are_masked_and_the_rest_stays(line: str, shown: str) -> None:
    assert redact(None, "info", {"event": line, "count": 3}) == {"event": shown, "count": 3}
