"""Categories and tags: reference words with a name in every language of the platform (E-012, E-027)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record


class Named(Record):
    """A word with a slug and its name in English, French and Haitian Creole."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name_en = models.CharField(_("name in English"), max_length=80)
    name_fr = models.CharField(_("name in French"), max_length=80, blank=True)
    name_ht = models.CharField(_("name in Haitian Creole"), max_length=80, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language, English where there is none."""
        return self.name_in(translation.get_language())

    def name_in(self, language: str | None) -> str:
        """The name in `language` ("fr", "ht-HT" …), English where there is none."""
        names = {"fr": self.name_fr, "ht": self.name_ht}
        return names.get((language or "en")[:2]) or self.name_en


class Category(Named):
    """A place in the catalogue. `kind` says what it sorts: titles, creators or occasions."""

    class Kind(models.TextChoices):
        TITLE = "title", _("Titles")
        CREATOR = "creator", _("Creators")
        OCCASION = "occasion", _("Occasions")

    kind = models.CharField(_("sorts"), max_length=10, choices=Kind.choices, default=Kind.TITLE)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("within")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering: ClassVar = ["kind", "position", "slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="category_not_within_itself"),
            models.CheckConstraint(condition=Q(kind__in=["title", "creator", "occasion"]), name="category_kind_known"),
        ]


class Tag(Named):
    """A free word on titles."""

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering: ClassVar = ["slug"]
