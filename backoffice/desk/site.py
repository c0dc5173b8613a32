"""The staff admin: one site, no login of its own, My work as its first page."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_not_required
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite


def door(request: HttpRequest, then: str = "") -> HttpResponseRedirect:
    """Sends the visitor to the one sign-in page and from there to ``then``, or to the page asked for."""
    wanted = then or request.GET.get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        wanted = reverse("desk:work")
    return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")


class DeskSite(UnfoldAdminSite):
    """The admin at /admin/. Purpose-built screens are mounted beside it under the namespace ``desk``."""

    site_title = _("Backlot")
    site_header = _("Backlot")
    index_title = _("My work")
    site_url = None
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff who are active; the factor is the middleware's part."""
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))

    @login_not_required
    @never_cache
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is no login here: everybody comes in by the one door."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("desk:work"))
        return door(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The menu's button signs out at once; the address alone asks first."""
        if request.method == "POST":
            get_adapter(request).logout(request)
            return HttpResponseRedirect(reverse("account_login"))
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:work"))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Only for fields that a list declares in ``autocomplete_fields``; Django would answer for any foreign key."""
        asked = (request.GET.get("app_label", ""), request.GET.get("model_name", ""), request.GET.get("field_name", ""))
        declared = {
            (model._meta.app_label, model._meta.model_name, name)
            for model, admin in self._registry.items()
            for name in admin.autocomplete_fields
        }
        if asked not in declared:
            raise PermissionDenied
        return super().autocomplete_view(request)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The menu is ours; Django's list of an app's models leads nowhere useful."""
        return HttpResponseRedirect(reverse("desk:work"))


desk_site = DeskSite(name="admin")
