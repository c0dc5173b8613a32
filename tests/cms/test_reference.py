"""The first pages and the editors' rights."""

import pytest
from django.contrib.auth.models import Group
from wagtail.models import GroupPagePermission, Locale, Page, Site

from backoffice.accounts.roles import ROLES
from backoffice.audit.models import AuditEntry
from backoffice.catalogue.models import FeaturedSection
from cms.help.models import HelpIndexPage
from cms.home.models import HomePage
from cms.services import reference
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db

MAY_EDIT = {"super_admin", "admin", "editor"}


def test_every_language_has_its_tree_and_the_trees_are_translations_of_each_other() -> None:
    homes = {page.locale.language_code: page for page in HomePage.objects.live()}

    assert homes.keys() == {"en", "fr", "ht"}
    assert len({page.translation_key for page in homes.values()}) == 1
    for home in homes.values():
        assert HelpIndexPage.objects.child_of(home).live().get().locale_id == home.locale_id


def test_loading_again_changes_nothing() -> None:
    def everything() -> tuple[int, ...]:
        return (
            Page.objects.count(),
            Locale.objects.count(),
            Site.objects.count(),
            GroupPagePermission.objects.count(),
            FeaturedSection.objects.count(),
            AuditEntry.objects.count(),
        )

    before = everything()
    reference.load()

    assert everything() == before
    assert Page.find_problems() == ([], [], [], [], [])


def test_loading_again_keeps_what_editors_changed() -> None:
    home = HomePage.objects.get(locale__language_code="fr")
    home.tagline = "Autre chose"
    home.save_revision().publish()
    FeaturedSection.objects.filter(slug="home-hero").update(heading_en="Tonight")

    reference.load()

    home.refresh_from_db()
    assert home.tagline == "Autre chose"
    assert FeaturedSection.objects.get(slug="home-hero").heading_en == "Tonight"


def test_the_site_opens_on_the_english_home_page_and_wagtails_own_welcome_is_gone() -> None:
    site = Site.objects.get(is_default_site=True)

    assert site.root_page.specific.locale.language_code == "en"
    assert not [page for page in Page.objects.filter(depth=2) if page.specific_class is Page]


@pytest.mark.parametrize("role", ROLES)
def test_only_those_who_may_edit_pages_come_into_wagtail_and_publish(role: str) -> None:
    person = staff(role)
    home = HomePage.objects.get(locale__language_code="ht")
    rights = home.permissions_for_user(person)

    assert person.has_perm("wagtailadmin.access_admin") is (role in MAY_EDIT)
    assert (rights.can_edit(), rights.can_publish()) == (role in MAY_EDIT, role in MAY_EDIT)
    assert not rights.can_delete() or role in MAY_EDIT


def test_nobody_edits_the_root_of_the_tree() -> None:
    rights = Page.get_first_root_node().permissions_for_user(staff("editor"))

    assert not rights.can_edit()
    assert not rights.can_add_subpage()


def test_wagtails_own_groups_give_no_rights_beside_the_roles() -> None:
    assert not Group.objects.exclude(name__in=ROLES).exists()


def test_a_role_that_loses_its_right_loses_wagtail_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "permissions_of", lambda _role: [])

    reference.load()

    editor = staff("editor")
    assert not editor.has_perm("wagtailadmin.access_admin")
    assert not HomePage.objects.get(locale__language_code="en").permissions_for_user(editor).can_edit()
