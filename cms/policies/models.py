"""Terms, privacy and the other rules that people agree to, once per language (W-022)."""

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from cms.richtext import FEATURES


class PolicyIndexPage(Page):
    """The list of policies of one language."""

    template = "cms/policies/index.html"
    parent_page_types: ClassVar = ["cms.HomePage"]
    subpage_types: ClassVar = ["cms.PolicyPage"]

    class Meta:
        verbose_name = _("policy index")
        verbose_name_plural = _("policy indexes")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["policies"] = PolicyPage.objects.child_of(self).live().order_by("title")
        return context


class PolicyPage(Page):
    """One policy with its version and the day from which it holds."""

    version: models.CharField = models.CharField(
        _("version"), max_length=20, help_text=_("As people accept it, such as 2026-01.")
    )
    effective_from: models.DateField = models.DateField(_("holds from"))
    body = RichTextField(_("text"), features=FEATURES)

    template = "cms/policies/policy.html"
    content_panels: ClassVar = [
        *Page.content_panels,
        FieldRowPanel([FieldPanel("version"), FieldPanel("effective_from")]),
        FieldPanel("body"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("body")]
    parent_page_types: ClassVar = ["cms.PolicyIndexPage"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
