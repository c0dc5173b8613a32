"""Content-Security-Policy per path: strict by default, wider only where a package needs it."""

from collections.abc import Callable

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponse

STRICT = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "media-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}
# Alpine, which Unfold brings, evaluates its attributes; Unfold and Plotly write style attributes.
DESK = STRICT | {
    "script-src": [SELF, UNSAFE_EVAL, NONCE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "media-src": [SELF, "blob:"],
    "frame-src": [SELF],
    "object-src": [NONE],
}
# Wagtail's editor writes inline scripts and shows pages in frames of the same origin.
CMS = DESK | {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "frame-ancestors": [SELF],
    "frame-src": [SELF],
    "worker-src": [SELF, "blob:"],
}
API_DOCS = STRICT | {"script-src": [SELF, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]}
POLICIES = [("/admin/", DESK), ("/cms/", CMS), ("/accounts/", DESK), ("/api/v1/docs/", API_DOCS)]


class PathPolicyMiddleware:
    """Chooses the policy of the longest prefix; django-csp writes the header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if hasattr(response, "_csp_replace") or "Content-Security-Policy" in response:
            return response
        policy = next((policy for prefix, policy in POLICIES if request.path.startswith(prefix)), STRICT)
        extra = {"media-src": settings.CSP_MEDIA_SOURCES, "img-src": settings.CSP_MEDIA_SOURCES}
        response._csp_replace = policy  # type: ignore[attr-defined]
        response._csp_update = {name: sources for name, sources in extra.items() if sources}  # type: ignore[attr-defined]
        return response
