"""The front page, once per language (W-022)."""

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page

from cms.richtext import FEATURES


class HomePage(Page):
    """The root of one language's tree; the languages are translations of each other."""

    tagline: models.CharField = models.CharField(_("tagline"), max_length=160, blank=True)
    body = RichTextField(_("text"), blank=True, features=FEATURES)

    template = "cms/home/page.html"
    content_panels: ClassVar = [*Page.content_panels, FieldPanel("tagline"), FieldPanel("body")]
    parent_page_types: ClassVar = ["wagtailcore.Page"]
    subpage_types: ClassVar = ["cms.HelpIndexPage", "cms.PolicyIndexPage"]

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["sections"] = self.get_children().live().order_by("path")
        return context
