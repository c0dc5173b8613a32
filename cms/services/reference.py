"""The rows that the public pages need before anybody edits them: languages, trees, rights, sections."""

from typing import Final
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from wagtail.models import Collection, GroupPagePermission, Locale, Page, Site

from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.catalogue.models import FeaturedSection
from backoffice.catalogue.services import sections
from cms.help.models import HelpIndexPage
from cms.home.models import HomePage
from cms.policies.models import PolicyIndexPage
from cms.services import pages
from cms.training.models import TrainingIndexPage

EDIT: Final = ("add", "change", "lock")
PUBLISH: Final = ("publish", "unlock")

HOME: Final = {
    "en": {"title": "Backlot", "slug": "backlot", "tagline": "Films and videos straight from their makers."},
    "fr": {
        "title": "Backlot",
        "slug": "backlot-fr",
        "tagline": "Des films et des vidéos, directement de leurs créateurs.",
    },
    "ht": {
        "title": "Backlot",
        "slug": "backlot-ht",
        "tagline": "Fim ak videyo ki soti dirèk nan men kreyatè yo.",
    },
}
HELP: Final = {
    "en": {"title": "Help", "slug": "help"},
    "fr": {"title": "Aide", "slug": "aide"},
    "ht": {"title": "Èd", "slug": "ed"},
}
POLICIES: Final = {
    "en": {"title": "Policies", "slug": "policies"},
    "fr": {"title": "Conditions", "slug": "conditions"},
    "ht": {"title": "Règ yo", "slug": "reg"},
}
TRAINING: Final = {
    "en": {"title": "Training", "slug": "training"},
    "fr": {"title": "Formation", "slug": "formation"},
    "ht": {"title": "Fòmasyon", "slug": "fomasyon"},
}
SECTIONS: Final = (
    (
        "home-hero",
        {"en": "On the front page", "fr": "À la une", "ht": "Sou premye paj la"},
        FeaturedSection.Layout.HERO,
        3,
    ),
    (
        "new-this-week",
        {"en": "New this week", "fr": "Nouveautés de la semaine", "ht": "Nouvo semèn sa a"},
        FeaturedSection.Layout.ROW,
        12,
    ),
    (
        "from-haiti",
        {"en": "From Haiti", "fr": "D’Haïti", "ht": "Soti Ayiti"},
        FeaturedSection.Layout.GRID,
        12,
    ),
)


def load() -> None:
    """Makes languages, page trees, editors' rights and the first sections; safe to run again."""
    with transaction.atomic():
        for code, _name in settings.WAGTAIL_CONTENT_LANGUAGES:
            Locale.objects.get_or_create(language_code=code)
        if Collection.get_first_root_node() is None:
            Collection.add_root(name="Root")
        homes = _trees()
        _rights(homes)
        for position, (slug, headings, layout, most) in enumerate(SECTIONS):
            sections.define(slug=slug, headings=headings, layout=layout, max_items=most, position=position, by=None)


def key(name: str) -> UUID:
    """The translation key of a page that the product brings, the same on every installation."""
    return uuid5(NAMESPACE_URL, f"backlot:page:{name}")


def _trees() -> dict[str, Page]:
    root = Page.get_first_root_node() or Page.add_root(
        instance=Page(title="Root", slug="root", locale=Locale.get_default())
    )
    homes: dict[str, Page] = {}
    for language, text in HOME.items():
        homes[language] = pages.publish(root, HomePage(**text), language=language, by=None, key=key("home"))
    pages.publish_in_languages(homes, HelpIndexPage, HELP, key=key("help"), by=None)
    pages.publish_in_languages(homes, PolicyIndexPage, POLICIES, key=key("policies"), by=None)
    pages.publish_in_languages(homes, TrainingIndexPage, TRAINING, key=key("training"), by=None)
    address = urlsplit(settings.SITE_URL)
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    site.hostname = address.hostname or "localhost"
    site.port = address.port or (443 if address.scheme == "https" else 80)
    site.site_name, site.root_page = settings.WAGTAIL_SITE_NAME, homes["en"]
    site.save()
    # What Wagtail's own migration leaves behind: a welcome page at the place of ours.
    for page in Page.objects.filter(depth=2).exclude(pk__in=[home.pk for home in homes.values()]):
        if page.specific_class is Page:
            page.delete()
    return homes


def _rights(homes: dict[str, Page]) -> None:
    """Wagtail's rights follow the roles (PG-013): `cms.edit` writes, `cms.decide` publishes, others none."""
    # Made by Wagtail's migration; a person put into them would edit without a role.
    Group.objects.filter(name__in=("Editors", "Moderators"), user=None).delete()
    general = list(
        Permission.objects.filter(content_type__app_label="wagtailadmin", codename="access_admin")
        | Permission.objects.filter(content_type__app_label="simple_translation", codename="submit_translation")
    )
    on_pages = {
        permission.codename.removesuffix("_page"): permission
        for permission in Permission.objects.filter(
            content_type__app_label="wagtailcore",
            content_type__model="page",
            codename__in=[f"{verb}_page" for verb in (*EDIT, *PUBLISH)],
        )
    }
    for role in ROLES:
        held = permissions_of(role)
        verbs = (*(EDIT if "cms.edit" in held else ()), *(PUBLISH if "cms.decide" in held else ()))
        group = Group.objects.get(name=role)
        if verbs:
            group.permissions.add(*general)
        else:
            group.permissions.remove(*general)
        wanted = {(home.pk, on_pages[verb].pk) for home in homes.values() for verb in verbs}
        given = GroupPagePermission.objects.filter(group=group)
        present = set(given.values_list("page_id", "permission_id"))
        for page_id, permission_id in present - wanted:
            given.filter(page_id=page_id, permission_id=permission_id).delete()
        GroupPagePermission.objects.bulk_create(
            GroupPagePermission(group=group, page_id=page_id, permission_id=permission_id)
            for page_id, permission_id in sorted(wanted - present)
        )
