"""Everybody with an account. Addresses are for those who help people, names for those who work with them."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from backoffice.accounts.models import User
from backoffice.desk.base import DeskAdmin
from backoffice.desk.site import desk_site
from backoffice.desk.system.audit import PERSON_REFERENCE


@admin.register(User, site=desk_site)
class PersonAdmin(DeskAdmin):
    """Read only: suspending, helping and erasing have screens of their own."""

    area = "users"
    list_display = ("reference", "display_name", "kind", "language", "country", "active", "date_joined")
    list_display_links: ClassVar = ["reference"]
    list_filter = ("is_staff", "is_active", "language")
    ordering = ("-date_joined", "-id")
    search_help_text = _("Name or reference (U-…)")
    change_form_after_template = "desk/system/people/trail.html"

    def _helps_people(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and (user.may("users.edit") or user.may("users.assist"))

    def get_list_display(self, request: HttpRequest) -> list[str]:
        columns = [*self.list_display]
        if self._helps_people(request):
            columns.insert(2, "email")
            columns.append("sign_in_help")
        return columns

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["display_name", "email"] if self._helps_people(request) else ["display_name"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """A reference (U-…) finds its person; anything else is looked for in what the role may read."""
        if reference := PERSON_REFERENCE.fullmatch(search_term.strip()):
            return queryset.filter(id__iendswith=reference[1]), False
        found: tuple[QuerySet[User], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @display(description=_("Reference"))
    def reference(self, person: User) -> str:
        return f"U-{str(person.pk)[-8:]}"

    @display(description=_("Account"), label={_("Staff"): "info", _("Member"): "default"})
    def kind(self, person: User) -> str:
        return gettext("Staff") if person.is_staff else gettext("Member")

    @display(description=_("Sign-in"))
    def sign_in_help(self, person: User) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("desk:person_security", args=[person.pk]), gettext("Sessions and help")
        )

    @display(description=_("Active"), boolean=True)
    def active(self, person: User) -> bool:
        return person.is_active
