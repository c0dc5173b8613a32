"""The editor's own language and time zone inside Wagtail, which asks its own profile for both (L-014)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.users.models import UserProfile

from backoffice.accounts.models import User


class EditorMiddleware:
    """Goes after `accounts.person.PersonMiddleware`, and keeps Wagtail's profile in step with the person.

    Wagtail activates the zone and the language of its profile around every view of its own, and writes its
    mails in them. What is stored is the person's own choice; a language chosen in the switcher holds for the
    request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and user.is_staff and request.path.startswith(reverse("wagtailadmin_home")):
            _keep_in_step(user)
        return self.get_response(request)


def _keep_in_step(user: User) -> None:
    try:
        profile = user.wagtail_userprofile  # type: ignore[attr-defined]  # Wagtail adds it
    except UserProfile.DoesNotExist:
        profile = user.wagtail_userprofile = UserProfile.get_for_user(user)  # type: ignore[attr-defined]
    # The zone in force is the person's own, or the platform's where theirs does not exist.
    own = (user.language, timezone.get_current_timezone_name())
    if own != (profile.preferred_language, profile.current_time_zone):
        profile.preferred_language, profile.current_time_zone = own
        profile.save(update_fields=["preferred_language", "current_time_zone"])
    profile.preferred_language = translation.get_language() or user.language
