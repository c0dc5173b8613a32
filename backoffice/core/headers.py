"""Headers that every answer carries, besides those that Django and django-csp write (X-014)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# What no page of ours uses, no script that slips in may use either. Passkeys and full screen are ours.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "browsing-topics",
                "camera",
                "display-capture",
                "geolocation",
                "gyroscope",
                "hid",
                "idle-detection",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "serial",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        "fullscreen=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)
# Staff pages and their data are for this site alone; public files may be shown by the storefronts.
SAME_ORIGIN = ("/admin/", "/cms/", "/accounts/")
# The editor shows previews, and rooms show files, in frames of their own origin.
FRAMED = ("/cms/", "/storage/")


class HeadersMiddleware:
    """Permissions policy everywhere; staff pages are not loaded by other sites nor kept by shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("X-Permitted-Cross-Domain-Policies", "none")
        own_frames = "frame-ancestors 'self'" in response.headers.get("Content-Security-Policy", "")
        if own_frames or request.path.startswith(FRAMED):
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if request.path.startswith(SAME_ORIGIN):
            response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
