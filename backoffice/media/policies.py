"""What may be uploaded for which purpose, how large, and what a failure is called."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.configuration import values
from backoffice.core.errors import Conflict, Invalid
from backoffice.media.models import Asset, ProcessingStep, Upload
from backoffice.media.states import Processing

MEBIBYTE = 1024 * 1024
PART_BYTES = 8 * MEBIBYTE
# With more parts than this the list of links grows too long to send: parts grow instead.
PARTS_AIM = 500

VIDEO_TYPES = frozenset(
    {
        "video/mp4",
        "video/quicktime",
        "video/webm",
        "video/x-matroska",
        "video/x-msvideo",
        "video/mp2t",
        "video/mpeg",
    }
)
AUDIO_TYPES = frozenset({"audio/mpeg", "audio/mp4", "audio/aac", "audio/flac", "audio/ogg", "audio/wav"})
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
SUBTITLE_TYPES = frozenset({"text/vtt", "application/x-subrip"})
PROOF_TYPES = IMAGE_TYPES | {"application/pdf"}

# Other names that browsers and tools give to the same types.
ALIASES = {
    "application/x-matroska": "video/x-matroska",
    "audio/mp3": "audio/mpeg",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/jpg": "image/jpeg",
    "text/srt": "application/x-subrip",
    "video/avi": "video/x-msvideo",
    "video/matroska": "video/x-matroska",
    "video/x-m4v": "video/mp4",
}

S = ProcessingStep.Name
_CHECKS = (S.VALIDATE, S.CHECKSUM, S.SCAN)
# What is done with an uploaded file of each kind, in this order (F-013).
STEPS: dict[str, tuple[str, ...]] = {
    Asset.Kind.VIDEO: (*_CHECKS, S.PROBE, S.THUMBNAIL, S.FRAME_GRID, S.PREVIEW, S.HLS),
    Asset.Kind.SAMPLE: (*_CHECKS, S.PROBE, S.THUMBNAIL, S.FRAME_GRID, S.PREVIEW),
    Asset.Kind.AUDIO: (*_CHECKS, S.PROBE, S.PREVIEW),
    Asset.Kind.IMAGE: (*_CHECKS, S.PROBE, S.THUMBNAIL),
    Asset.Kind.AVATAR: (*_CHECKS, S.PROBE, S.THUMBNAIL),
    Asset.Kind.SUBTITLE: _CHECKS,
    Asset.Kind.PROOF: _CHECKS,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one purpose accepts: `announced` types, and those that the `content` may turn out to be."""

    kind: str
    announced: frozenset[str]
    size_key: str
    content: frozenset[str]


def _rule(kind: str, types: frozenset[str], size_key: str, also: frozenset[str] = frozenset()) -> Rule:
    return Rule(kind=kind, announced=types, size_key=size_key, content=types | also)


# Sound in an MP4 file looks like video/mp4 until it is probed.
_SOUND_IN_MP4 = frozenset({"video/mp4", "video/quicktime"})
PURPOSES: dict[str, Rule] = {
    Upload.Purpose.VIDEO: _rule(Asset.Kind.VIDEO, VIDEO_TYPES, "media.max_bytes"),
    Upload.Purpose.SAMPLE: _rule(Asset.Kind.SAMPLE, VIDEO_TYPES, "media.max_bytes"),
    Upload.Purpose.AUDIO: _rule(Asset.Kind.AUDIO, AUDIO_TYPES, "media.max_audio_bytes", _SOUND_IN_MP4),
    Upload.Purpose.SUBTITLE: _rule(Asset.Kind.SUBTITLE, SUBTITLE_TYPES, "media.max_subtitle_bytes"),
    Upload.Purpose.POSTER: _rule(Asset.Kind.IMAGE, IMAGE_TYPES, "media.max_image_bytes"),
    Upload.Purpose.IMAGE: _rule(Asset.Kind.IMAGE, IMAGE_TYPES, "media.max_image_bytes"),
    Upload.Purpose.AVATAR: _rule(Asset.Kind.AVATAR, IMAGE_TYPES, "media.max_image_bytes"),
    Upload.Purpose.PROOF: _rule(Asset.Kind.PROOF, PROOF_TYPES, "media.max_document_bytes"),
}
BY_KIND: dict[str, Rule] = {rule.kind: rule for rule in PURPOSES.values()}

ERRORS: dict[str, str | Promise] = {
    "empty": gettext_lazy("The file is empty."),
    "too_large": gettext_lazy("The file is larger than is accepted here."),
    "wrong_type": gettext_lazy("The content of the file is not of a type that is accepted here."),
    "checksum": gettext_lazy("The file that arrived is not the one that was announced. Upload it again."),
    "unreadable": gettext_lazy("The file is damaged, cut off, or in a format that cannot be read."),
    "too_long": gettext_lazy("The film is longer than is accepted here."),
    "timed_out": gettext_lazy("The file could not be prepared in the time allowed."),
    "over_limit": gettext_lazy("The file asks for more memory or space than is allowed."),
    "interrupted": gettext_lazy("The work on this file broke off several times. It can be tried again."),
    "missing": gettext_lazy("The file is no longer in the storage."),
    "forbidden_content": gettext_lazy("The file is not media: its content could run or open other files."),
    "hostile": gettext_lazy("The file was made to cause harm and has been isolated."),
    "infected": gettext_lazy("The virus scanner found something in the file. It has been isolated."),
}


class TooLarge(Invalid):
    """More bytes than the purpose accepts; answered with 413."""

    default_code = "too_large"
    http_status = 413


def error_message(asset: Asset) -> str:
    """The sentence for people in their language, with the technical detail behind it; "" without an error."""
    if not asset.error_code:
        return ""
    sentence = ERRORS.get(asset.error_code, gettext_lazy("The file could not be prepared."))
    if not asset.error_detail:
        return str(sentence)
    return str(format_lazy("{} ({})", sentence, asset.error_detail.rstrip(".")))


def check_upload(*, purpose: str, content_type: str, bytes: int) -> Rule:
    """The rule of the purpose. Raises Invalid (purpose, content_type, bytes) or TooLarge."""
    rule = PURPOSES.get(purpose)
    if rule is None:
        raise Invalid(_("There is no such purpose of an upload."), code="unknown_purpose", field="purpose")
    if plain_type(content_type) not in rule.announced:
        raise Invalid(
            _("Files of the type “%(type)s” are not accepted here; accepted are: %(accepted)s.")
            % {"type": content_type[:100], "accepted": ", ".join(sorted(rule.announced))},
            code="wrong_type",
            field="content_type",
        )
    if bytes < 1:
        raise Invalid(_("The file is empty."), code="empty", field="bytes")
    most = values.get(rule.size_key)
    if bytes > most:
        raise TooLarge(
            _("The file has %(bytes)s MB; at most %(most)s MB are accepted.")
            % {"bytes": -(-bytes // MEBIBYTE), "most": most // MEBIBYTE},
            field="bytes",
        )
    return rule


def plain_type(content_type: str) -> str:
    """The content type without parameters, under its usual name."""
    name = content_type.partition(";")[0].strip().lower()
    return ALIASES.get(name, name)


def check_checksum(checksum: str) -> str:
    """The SHA-256 in lower case, "" stays "". Raises Invalid when it is not 64 hexadecimal digits."""
    checksum = checksum.strip().lower()
    if checksum and not re.fullmatch(r"[0-9a-f]{64}", checksum):
        raise Invalid(_("A SHA-256 has 64 hexadecimal digits."), code="bad_checksum", field="checksum")
    return checksum


def plain_filename(filename: str) -> str:
    """The name to show: no path, no control or direction characters, at most 255 characters."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C").strip(" .")
    if not name:
        return "file"
    return name if len(name) <= 255 else name[: 255 - 12] + name[-12:]


def part_plan(total: int) -> tuple[int, int]:
    """Bytes per part and number of parts for a file of `total` bytes."""
    size = max(PART_BYTES, -(-total // PARTS_AIM // MEBIBYTE) * MEBIBYTE)
    return size, -(-total // size)


def attempts_left(asset: Asset) -> int:
    """How often a failed file may still be tried again (`media.max_attempts`, N-097)."""
    return max(0, int(values.get("media.max_attempts")) - asset.attempts)


def may_retry(asset: Asset) -> bool:
    return asset.processing_status == Processing.ERROR and attempts_left(asset) > 0


def check_retry(asset: Asset) -> None:
    """Raises Conflict unless the file failed and attempts are left (S-061)."""
    if asset.processing_status != Processing.ERROR:
        raise Conflict(_("Only a file whose processing failed can be tried again."), code="not_failed")
    if not attempts_left(asset):
        raise Conflict(
            _("This file was tried %(count)s times. Upload it again.") % {"count": asset.attempts},
            code="attempts_used_up",
        )


def check_readable(asset: Asset) -> None:
    """Raises Conflict unless links to the file may be given."""
    if asset.processing_status != Processing.READY:
        raise Conflict(_("This file is not ready."), code="not_ready")
