"""The doors of private storage: parts go in, files come out, each by a signed token and nothing else.

No session, no cookie and no CSRF token plays a part here: the token is the permission. Files are served so
that no browser ever runs them: type from an allow-list, nosniff, a sandbox policy, and a download for all
that is not media.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from backoffice.core import clock
from backoffice.media import storage
from backoffice.media.models import Asset
from backoffice.media.services import links
from backoffice.media.services.steps import HLS_TYPES
from backoffice.media.states import Processing
from integrations.storage.local import FILE_PURPOSE, PART_PURPOSE
from integrations.storage.tokens import BadToken, ExpiredToken
from integrations.storage.types import MAX_LINK_SECONDS, BadParts, Missing

# One range in bytes; Python refuses numbers of thousands of digits, so their length is bounded here.
_RANGE = re.compile(r"bytes=(?=\d|-\d)(\d{0,18})-(\d{0,18})", re.ASCII)
_STREAM_FILE = re.compile(r"(?:[0-9a-z]+/)?[0-9a-z]+\.(?:m3u8|ts)")


@csrf_exempt
@require_http_methods(["PUT"])
def part(request: HttpRequest, token: str) -> HttpResponse:
    """Receive one part of an upload: exactly the announced bytes, straight to disk. Answers its ETag."""
    if settings.MEDIA_STORAGE_BACKEND != "local":
        raise Http404
    claims = _claims(PART_PURPOSE, token)
    if isinstance(claims, HttpResponse):
        return claims
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdigit():
        return _refusal("length_required", _("The size of the part must be sent with it."), 411)
    if int(length) > claims["bytes"]:
        return _refusal("too_large", _("The part is larger than announced."), 413)
    if int(length) < claims["bytes"]:
        return _refusal("too_small", _("The part is smaller than announced."), 400)
    try:
        arrived = storage.local().receive_part(claims["ref"], number=claims["n"], bytes=claims["bytes"], stream=request)
    except BadParts as error:
        return _refusal("bad_part", str(error), 400)
    except Missing:
        return _refusal("upload_over", _("This upload is over."), 404)
    response = HttpResponse(status=200)
    response["ETag"] = f'"{arrived.etag}"'
    return response


@require_safe
def file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """Serve one file by its signed link."""
    if settings.MEDIA_STORAGE_BACKEND != "local":
        raise Http404
    claims = _claims(FILE_PURPOSE, token)
    if isinstance(claims, HttpResponse):
        return claims
    return _serve(
        request,
        claims["key"],
        content_type=claims["type"],
        filename=name,
        inline=claims["inline"],
        until=claims["exp"],
    )


@require_safe
def play(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """Serve an asset, or a piece of a stream, by a playback link; refused once it is no longer ready."""
    claims = _claims(links.PLAY_PURPOSE, token)
    if isinstance(claims, HttpResponse):
        return claims
    found = Asset.objects.select_related("parent").filter(id=claims["asset"])
    asset = found.filter(processing_status=Processing.READY).first()
    # The parent is looked at too: a film that was isolated later takes its previews with it.
    if asset is None or (asset.parent is not None and asset.parent.processing_status != Processing.READY):
        return _refusal("not_found", _("There is no such file."), 404)
    if asset.kind != Asset.Kind.HLS:
        content_type = links.served_type(asset.content_type)
        inline = asset.content_type in links.INLINE_TYPES
        return _serve(
            request,
            asset.storage_key,
            content_type=content_type,
            filename=asset.filename,
            inline=inline,
            until=claims["exp"],
        )
    if not _STREAM_FILE.fullmatch(name):
        return _refusal("not_found", _("There is no such file."), 404)
    key = f"{asset.storage_key.rpartition('/')[0]}/{name}"
    content_type = HLS_TYPES[f".{name.rpartition('.')[2]}"]
    if content_type == HLS_TYPES[".ts"] and settings.MEDIA_STORAGE_BACKEND == "s3":
        url = storage.private().url(
            key,
            seconds=MAX_LINK_SECONDS,
            filename=name.rpartition("/")[2],
            content_type=content_type,
            inline=True,
        )
        response = HttpResponseRedirect(url)
        patch_cache_control(response, private=True, no_store=True)
        return response
    return _serve(
        request,
        key,
        content_type=content_type,
        filename=name.rpartition("/")[2],
        inline=True,
        until=claims["exp"],
    )


def _claims(purpose: str, token: str) -> dict[str, Any] | HttpResponse:
    try:
        return storage.tokens().read(purpose, token, now=clock.now().timestamp())
    except ExpiredToken:
        return _refusal("expired", _("This link has expired."), 410)
    except BadToken:
        return _refusal("bad_link", _("This link is not valid."), 403)


def _refusal(code: str, message: str, status: int) -> HttpResponse:
    response = JsonResponse({"success": False, "error": {"code": code, "message": message}}, status=status)
    patch_cache_control(response, private=True, no_store=True)
    return _guarded(response)


def _serve(
    request: HttpRequest, key: str, *, content_type: str, filename: str, inline: bool, until: int
) -> HttpResponseBase:
    keeper = storage.private()
    try:
        size = keeper.stat(key).bytes
        asked = request.headers.get("Range", "").strip()
        # Several ranges, or other units, get the whole: a server may ignore what it does not offer.
        match = _RANGE.fullmatch(asked)
        span = _span(match, size) if match else (0, size - 1)
        if span is None:
            outside = HttpResponse(status=416)
            outside["Content-Range"] = f"bytes */{size}"
            return _guarded(outside)
        start, end = span
        length = end - start + 1
        chunks: Iterator[bytes] = iter(()) if request.method == "HEAD" else keeper.read(key, start=start, length=length)
    except Missing:
        return _refusal("not_found", _("There is no such file."), 404)
    response = StreamingHttpResponse(chunks, content_type=content_type)
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = (
        f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(filename, safe='')}"
    )
    if match:
        # Also when the range is the whole: players take only a 206 as leave to jump about.
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    patch_cache_control(response, private=True, max_age=max(0, until - int(clock.now().timestamp())))
    return _guarded(response)


def _guarded(response: HttpResponse | HttpResponseBase) -> Any:
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'self'"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _span(asked: re.Match[str], size: int) -> tuple[int, int] | None:
    """First and last byte to serve; None when the range lies outside the file."""
    first, last = asked.groups()
    if first:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    else:
        start, end = max(0, size - int(last)), size - 1
    return (start, end) if start <= end and start < size else None
