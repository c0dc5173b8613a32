"""What a decision does to a title (S-050, S-051, S-053), and where staff put it."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.audit import entries
from backoffice.catalogue import policies
from backoffice.catalogue.models import Category, Tag, Title
from backoffice.catalogue.services import featured
from backoffice.catalogue.services.titles.guards import check_decide, locked, tell_owner
from backoffice.catalogue.states import Visibility
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.core.states import advance


def approve(title: Title, *, by: User | None, at: datetime | None = None) -> Title:
    """Approves a pending title (S-050); `by` None is an approval by policy. Sets `published_at` when it is public.

    Raises Conflict with the reason when its video is not ready or proof of rights is missing (E-026).
    """
    check_decide(by)
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        policies.check_approve(found)
        advance(
            found,
            "approve",
            by=by,
            at=at,
            changes={"reviewed_revision": found.revision, "published_at": _first_publication(found, at)},
        )
    return found


def reject(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Rejects a pending title (S-051) with the reason that staff see; the creator may change and resubmit it."""
    check_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        advance(found, "reject", by=by, at=at, reason=reason, changes={"reviewed_revision": found.revision})
    return found


def take_down(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Takes an approved title off the platform (S-053): featured slots end, the creator is told why."""
    check_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        advance(found, "take_down", by=by, at=at, reason=reason, changes={"removed_at": at})
        featured.end_all_of(found, by=by, reason=_("The title was taken down."), at=at)
        tell_owner(found, "title.removed", by=by, reason=reason)
    return found


def restore(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Puts a taken down title back (Q-038). Raises Conflict for a title that was only ever rejected in review."""
    check_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        if found.removed_at is None:
            raise Conflict(_("This title was not taken down; its creator may submit it again."), code="not_removed")
        advance(found, "restore", by=by, at=at, reason=reason, changes={"removed_at": None})
        tell_owner(found, "title.restored", by=by, reason=reason)
    return found


def classify(
    title: Title, *, by: User, category: Category | None, tags: Iterable[Tag], at: datetime | None = None
) -> Title:
    """Staff put a title under another category and other tags (W-005)."""
    require(by, "titles.decide")
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        before = {"category": found.category_id, "tags": sorted(found.tags.values_list("slug", flat=True))}
        found.category = category
        found.save(update_fields=["category", "updated_at"])
        found.tags.set(tags)
        entries.record(
            action="title.classify",
            by=by,
            subject=found,
            before=before,
            after={"category": found.category_id, "tags": sorted(found.tags.values_list("slug", flat=True))},
            at=at,
        )
    return found


def _first_publication(title: Title, at: datetime) -> datetime | None:
    if title.published_at is not None or title.visibility != Visibility.PUBLIC:
        return title.published_at
    return at
