"""The knowledge base: one index and its articles per language (E-068, W-020)."""

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from cms.richtext import FEATURES


class HelpIndexPage(Page):
    """The list of help articles of one language."""

    intro = RichTextField(_("introduction"), blank=True, features=FEATURES)

    template = "cms/help/index.html"
    content_panels: ClassVar = [*Page.content_panels, FieldPanel("intro")]
    parent_page_types: ClassVar = ["cms.HomePage"]
    subpage_types: ClassVar = ["cms.HelpArticlePage"]

    class Meta:
        verbose_name = _("help index")
        verbose_name_plural = _("help indexes")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["articles"] = HelpArticlePage.objects.child_of(self).live().order_by("topic", "title")
        return context


class HelpArticlePage(Page):
    """One answer. `kind` says what sort of answer, `topic` where a reader looks for it."""

    class Kind(models.TextChoices):
        FAQ = "faq", _("Question and answer")
        ARTICLE = "article", _("Article")
        VIDEO_TUTORIAL = "video_tutorial", _("Video tutorial")

    class Topic(models.TextChoices):
        ACCOUNT = "account", _("Account")
        BUYING = "buying", _("Buying and watching")
        CREATING = "creating", _("For creators")
        PAYOUTS = "payouts", _("Payouts")
        SAFETY = "safety", _("Safety")

    kind: models.CharField = models.CharField(_("kind"), max_length=16, choices=Kind, default=Kind.ARTICLE)
    topic: models.CharField = models.CharField(_("topic"), max_length=16, choices=Topic, default=Topic.ACCOUNT)
    summary: models.CharField = models.CharField(_("summary"), max_length=240, blank=True)
    video_url: models.URLField = models.URLField(
        _("video address"), blank=True, help_text=_("For video tutorials: the page that plays the video.")
    )
    body = RichTextField(_("text"), features=FEATURES)

    template = "cms/help/article.html"
    content_panels: ClassVar = [
        *Page.content_panels,
        MultiFieldPanel([FieldPanel("kind"), FieldPanel("topic")], heading=_("Where it belongs")),
        FieldPanel("summary"),
        FieldPanel("body"),
        FieldPanel("video_url"),
    ]
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("summary"),
        index.SearchField("body"),
        index.FilterField("kind"),
        index.FilterField("topic"),
    ]
    parent_page_types: ClassVar = ["cms.HelpIndexPage"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("help article")
        verbose_name_plural = _("help articles")
