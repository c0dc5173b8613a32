"""Links to private files. Nothing is reachable without one.

Two kinds. A *signed link* reads one file for at most five minutes. A *playback link* plays one asset for as
long as a film takes (`playback.url_hours`, N-041); it leads to our own view, which looks at every request
whether the asset may still be played, and hands out the stored bytes piece by piece (or, of a stream kept in
S3, sends the player on to a link of five minutes per segment). Its token stands for the stream's whole
directory, so the relative addresses in HLS playlists work as they are.
"""

from backoffice.configuration import values
from backoffice.core import clock
from backoffice.media import policies, storage
from backoffice.media.models import Asset
from integrations.storage.types import MAX_LINK_SECONDS, check_link_seconds

PLAY_PURPOSE = "play"
# Shown in the page; everything else is downloaded.
INLINE_TYPES = policies.VIDEO_TYPES | policies.AUDIO_TYPES | policies.IMAGE_TYPES | {"text/vtt"}


def signed_url(asset: Asset, *, seconds: int = MAX_LINK_SECONDS, download: bool = False) -> str:
    """A link that reads this file for `seconds` (1 to 300). Raises Conflict when the file is not ready."""
    policies.check_readable(asset)
    check_link_seconds(seconds)
    if asset.kind == Asset.Kind.HLS:
        return _play(asset, seconds)
    return storage.private().url(
        asset.storage_key,
        seconds=seconds,
        filename=asset.filename,
        content_type=served_type(asset.content_type),
        inline=not download and asset.content_type in INLINE_TYPES,
    )


def playback_url(asset: Asset) -> str:
    """A link that plays this asset for `playback.url_hours`. Raises Conflict when it is not ready."""
    policies.check_readable(asset)
    return _play(asset, 3600 * values.get("playback.url_hours"))


def served_type(content_type: str) -> str:
    """The type to answer with: known media keeps its own, anything else is bytes to download."""
    if content_type in INLINE_TYPES or content_type == "application/pdf":
        return content_type
    return "application/octet-stream"


def _play(asset: Asset, seconds: int) -> str:
    expires = int(clock.now().timestamp()) + seconds
    token = storage.tokens().make(PLAY_PURPOSE, {"asset": str(asset.id)}, expires=expires)
    name = asset.storage_key.rpartition("/")[2]
    return f"{storage.BASE_URL}/play/{token}/{name}"
