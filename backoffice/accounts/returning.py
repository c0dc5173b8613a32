"""Where a person comes back to after signing in or giving a factor: always a page that can be read."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

READING = ("GET", "HEAD")
HOME = "/admin/"


def page(request: HttpRequest, *, part: bool = False) -> str:
    """The page that was asked for; for a posted form, or a `part` of a page, the page that it stood on.

    A page that was itself the answer to a form leads to the nearest page above it. Without any, `HOME`.
    """
    if request.method in READING and not part:
        return request.get_full_path()
    origin = request.headers.get("Referer", "")
    if origin and url_has_allowed_host_and_scheme(origin, {request.get_host()}, request.is_secure()):
        at = urlsplit(origin)
        if _reads(at.path) is not False:
            return f"{at.path}?{at.query}" if at.query else at.path
        return _above(at.path)
    return HOME if part else _above(request.path)


def _reads(path: str) -> bool | None:
    """Whether a staff screen at this address can be read; None for what is no staff screen."""
    try:
        methods = getattr(resolve(path).func, "desk_methods", None)
    except Resolver404:
        return False
    return None if methods is None else "GET" in methods


def _above(path: str) -> str:
    """The nearest staff screen above this address that can be read."""
    parts = path.strip("/").split("/")
    for length in range(len(parts), 0, -1):
        above = f"/{'/'.join(parts[:length])}/"
        if _reads(above):
            return above
    return HOME
