"""Writing and publishing the public pages from code: first pages, imports, demo content."""

from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.text import slugify
from wagtail.fields import RichTextField
from wagtail.models import Locale, Page
from wagtail.whitelist import Whitelister

from backoffice.accounts.models import User
from backoffice.audit import entries


def publish[P: Page](parent: Page, page: P, *, language: str, by: User | None, key: UUID | None = None) -> P:
    """Puts `page` below `parent` in `language` and publishes it.

    `key` is the translation key that the same page has in every language. A page of that key and language
    that is there already is returned as it stands, so editors' changes survive a second run.
    """
    with transaction.atomic():
        locale = Locale.objects.get(language_code=language)
        key = key or uuid4()
        existing = type(page).objects.filter(translation_key=key, locale=locale).first()  # type: ignore[attr-defined]
        if existing is not None:
            return existing
        page.locale, page.translation_key = locale, key
        page.slug = page.slug or slugify(page.title)
        page.live = False
        _clean(page)
        # The tree counts children on the parent row: never on a copy that an earlier insertion made stale.
        Page.objects.get(pk=parent.pk).add_child(instance=page)
        page.save_revision(user=by, log_action=True).publish(user=by)
        entries.record(action="page.publish", by=by, subject=page, data={"language": language})
    page.refresh_from_db()
    return page


def _clean(page: Page) -> None:
    """What the editor does to running text in the browser, done to text that did not come through it."""
    for field in page._meta.get_fields():
        if isinstance(field, RichTextField):
            setattr(page, field.name, Whitelister().clean(getattr(page, field.name)))


def publish_in_languages(
    parents: dict[str, Page],
    kind: type[Page],
    texts: dict[str, dict[str, Any]],
    *,
    key: UUID,
    by: User | None,
) -> dict[str, Page]:
    """The same page in several languages: `texts` maps each to its fields, `parents` to the page above it."""
    return {
        language: publish(parents[language], kind(**fields), language=language, by=by, key=key)
        for language, fields in texts.items()
    }
