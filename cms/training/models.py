"""Lessons for new creators: one page per module and language (E-018, W-022). Creators and editors read them, not the
public.
"""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page

from backoffice.accounts.models import User
from backoffice.creators import queries as creators
from cms.richtext import FEATURES


def may_read(user: Any) -> bool:
    """Creators, from their approval on, and staff who see the pages."""
    return isinstance(user, User) and (user.may("cms.view") or creators.for_user(user) is not None)


class ForCreators(Page):
    """A page that the public does not get; it is in no sitemap."""

    show_in_menus_default = False

    class Meta:
        abstract = True

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_read(request.user):
            raise Http404
        return super().serve(request, *args, **kwargs)

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[dict[str, Any]]:
        return []


class TrainingIndexPage(ForCreators):
    """The list of training modules of one language."""

    template = "cms/training/index.html"
    parent_page_types: ClassVar = ["cms.HomePage"]
    subpage_types: ClassVar = ["cms.TrainingPage"]

    class Meta:
        verbose_name = _("training index")
        verbose_name_plural = _("training indexes")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["lessons"] = TrainingPage.objects.child_of(self).live().order_by("position", "title")
        return context


class TrainingPage(ForCreators):
    """One module. `code` is the same in every language; place and whether it is required are those of the platform's
    first language.
    """

    code: models.SlugField = models.SlugField(
        _("code"),
        max_length=60,
        help_text=_("The same in every language; it does not change once creators have begun."),
    )
    position: models.PositiveSmallIntegerField = models.PositiveSmallIntegerField(
        _("position"), default=1, validators=[MinValueValidator(1), MaxValueValidator(999)]
    )
    required: models.BooleanField = models.BooleanField(
        _("required"), default=True, help_text=_("Creators go live only after every required module.")
    )
    minutes: models.PositiveSmallIntegerField = models.PositiveSmallIntegerField(
        _("minutes"), default=5, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    body = RichTextField(_("text"), features=FEATURES)
    video_url: models.URLField = models.URLField(
        _("video address"), blank=True, help_text=_("The page that plays the video, if there is one.")
    )

    template = "cms/training/lesson.html"
    content_panels: ClassVar = [
        *Page.content_panels,
        MultiFieldPanel(
            [
                FieldPanel("code"),
                FieldRowPanel([FieldPanel("position"), FieldPanel("minutes")]),
                FieldPanel("required"),
            ],
            heading=_("Where it belongs"),
        ),
        FieldPanel("body"),
        FieldPanel("video_url"),
    ]
    parent_page_types: ClassVar = ["cms.TrainingIndexPage"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("training module")
        verbose_name_plural = _("training modules")

    def clean(self) -> None:
        super().clean()
        same = TrainingPage.objects.filter(code=self.code, locale=self.locale).exclude(pk=self.pk)
        if same.exclude(translation_key=self.translation_key).exists():
            raise ValidationError({"code": _("Another module of this language has this code.")})
