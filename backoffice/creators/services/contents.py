"""What an identity document may be: its type by content, its limits, and nothing in it that could act (X-054).

Nothing here writes anywhere: a file that is refused has touched memory only.
"""

import io
import re
import warnings
import zlib
from collections.abc import Iterator

from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from backoffice.configuration import values
from backoffice.core.errors import Invalid
from integrations.antivirus.client import ClamAV
from integrations.antivirus.content import sniff
from integrations.antivirus.types import ScannerUnavailable

# MPO is what phones call a JPEG with a second, small picture in it.
IMAGE_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
READERS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 60_000_000
MAX_SIDE = 12_000
# What the compressed tables of a PDF may unpack to.
MAX_UNPACKED = 32_000_000
HEAD = 1024


class TooLarge(Invalid):
    """The file is over `document.max_bytes`, or would unpack to far more."""

    default_code = "file_too_large"


class WrongType(Invalid):
    """The content is not a PDF, JPEG, PNG or WebP, whatever its name says."""

    default_code = "unsupported_type"


class Unsafe(Invalid):
    """The content is of an accepted type and could act, or is two things at once."""

    default_code = "file_unsafe"


def scan(scanner: ClamAV | None, content: bytes) -> str:
    """What the virus scanner found, "" for a clean file. Raises ScannerUnavailable without a verdict."""
    if scanner is None:
        raise ScannerUnavailable("No virus scanner is configured any more.")
    return scanner.scan(io.BytesIO(content)).signature


def detect(content: bytes) -> str:
    """The media type by content.

    Raises TooLarge, WrongType, Unsafe, or Invalid for empty or broken files; each names what is wrong in words for
    whoever sent the file.
    """
    limit = values.get("document.max_bytes")
    if len(content) > limit:
        raise TooLarge(_("The file is larger than %(size)s MB.") % {"size": limit // 1_000_000}, field="file")
    if not content:
        raise Invalid(_("The file is empty."), field="file", code="file_empty")
    if content.startswith(b"%PDF-"):
        _check_pdf(content)
        return "application/pdf"
    found = _picture(content)
    _check_second_nature(content)
    return found


# --- pictures --------------------------------------------------------------------------------------------


def _picture(content: bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=READERS) as image:
                kind, (width, height) = str(image.format), image.size
                if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                    raise TooLarge(_("The picture has too many pixels."), field="file")
                if getattr(image, "n_frames", 1) > 1 and kind != "MPO":
                    raise WrongType(_("The picture is animated. Send a still one."), field="file")
                image.verify()
    except UnidentifiedImageError as error:
        raise WrongType(_advice(content), field="file") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(_("The picture has too many pixels."), field="file") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise Invalid(_("The picture cannot be read."), field="file", code="file_broken") from error
    _check_end(kind, content)
    return IMAGE_TYPES[kind]


def _advice(content: bytes) -> str:
    """Why this is not accepted, as helpful as its first bytes allow."""
    found = sniff(content[:4096])
    if found == "image/heic":
        return _("Your phone saved this picture as HEIC. Send it as JPEG.")
    if found == "application/x-archive":
        return _("This is an archive or an office file. Send a PDF, JPEG, PNG or WebP file.")
    return _("Send a PDF, JPEG, PNG or WebP file.")


def _check_end(kind: str, content: bytes) -> None:
    """Raises for a picture that stops too early, or that carries something behind its end."""
    if kind == "PNG":
        end = content.rfind(b"IEND")
        if end < 0:
            raise Invalid(_("The picture cannot be read."), field="file", code="file_broken")
        behind = content[end + 8 :]
    elif kind == "WEBP":
        end = 8 + int.from_bytes(content[4:8], "little")
        if end > len(content):
            raise Invalid(_("The picture cannot be read."), field="file", code="file_broken")
        behind = content[end + end % 2 :]
    else:
        # Cameras write their own data behind the end of a JPEG.
        if b"\xff\xd9" not in content:
            raise Invalid(_("The picture cannot be read."), field="file", code="file_broken")
        behind = b""
    if behind.strip(b"\x00\r\n\t "):
        raise Unsafe(_("The file holds something behind the end of the picture."), field="file")


# --- two things at once ----------------------------------------------------------------------------------

_MARKUP = re.compile(rb"<\s*(?:script|html|svg|iframe|\?php|!doctype html)", re.IGNORECASE)
_ZIP = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")


def _check_second_nature(content: bytes) -> None:
    if _MARKUP.search(content):
        raise Unsafe(_("The file holds a web page or a script."), field="file")
    if all(mark in content for mark in _ZIP):
        raise Unsafe(_("The file holds an archive."), field="file")
    if b"%PDF-" in content[1:HEAD] or content[:2] == b"MZ":
        raise Unsafe(_("The file is of two types at once."), field="file")


# --- PDF -------------------------------------------------------------------------------------------------

_ACTS = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|Rendition|XFA|SubmitForm|ImportData|GoToE|Movie)(?![A-Za-z0-9])"
)
_ENCRYPTED = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_OBJECT_STREAM = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/[A-Za-z0-9]+)")
_STREAM = re.compile(rb"stream\r?\n")


def _check_pdf(content: bytes) -> None:
    """Raises for a PDF that is cut off, locked, or holds scripts, files, forms that send, or a second file."""
    end = content.rfind(b"%%EOF")
    if end < 0 or len(content) - end > 2048:
        raise Invalid(_("The PDF is incomplete."), field="file", code="file_broken")
    if content[end + 5 :].strip(b"\x00\r\n\t "):
        raise Unsafe(_("The file holds something behind the end of the PDF."), field="file")
    if _MARKUP.search(content[:HEAD]):
        raise Unsafe(_("The file is of two types at once."), field="file")
    if all(mark in content for mark in _ZIP):
        raise Unsafe(_("The file holds an archive."), field="file")
    plain = _unescaped(content)
    _check_acts(plain)
    if _ENCRYPTED.search(plain):
        raise Unsafe(_("The PDF is locked with a password. Send one that is not."), field="file")
    for table in _object_streams(content):
        _check_acts(_unescaped(table))


def _unescaped(content: bytes) -> bytes:
    """Names may write any letter as #xx."""
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), content) if b"#" in content else content


def _check_acts(content: bytes) -> None:
    if _ACTS.search(content):
        raise Unsafe(
            _("The PDF holds a script, a form that sends, or another file. Print it to a new PDF and send that."),
            field="file",
        )


def _object_streams(content: bytes) -> Iterator[bytes]:
    """The unpacked tables of objects, where names hide from a plain search."""
    room = MAX_UNPACKED
    for match in _STREAM.finditer(content):
        head = _unescaped(content[max(content.rfind(b"obj", 0, match.start()), match.start() - 4096) : match.start()])
        if not _OBJECT_STREAM.search(head):
            continue
        written = _FILTER.search(head)
        filters = re.findall(rb"/([A-Za-z0-9]+)", written[1]) if written else []
        if not filters:
            continue  # lies in the open, searched already
        if filters not in ([b"FlateDecode"], [b"Fl"]):
            raise Unsafe(_("The PDF is packed in a way that cannot be checked."), field="file")
        unpacker = zlib.decompressobj()
        try:
            table = unpacker.decompress(content[match.end() :], room)
        except zlib.error as error:
            raise Invalid(_("The PDF cannot be read."), field="file", code="file_broken") from error
        if unpacker.unconsumed_tail and not unpacker.eof:
            raise TooLarge(_("The PDF unpacks to far more than it should."), field="file")
        room -= len(table)
        yield table
