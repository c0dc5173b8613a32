"""What every verb on a title needs: who may, the locked row, who is told, when a case is opened."""

from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.catalogue.models import Title
from backoffice.catalogue.states import Moderation, Processing
from backoffice.core import jobs
from backoffice.core.errors import Forbidden
from backoffice.creators.models import Creator
from backoffice.notifications import services as notifications

# The job that a higher floor does when a submitted title can be looked at; named here, not imported.
OPEN_CASE = "moderation.open_case"


def owner_of(title: Title) -> User | None:
    """Who is told about a title: its creator's user, or for a platform title whoever made it."""
    return title.creator.user if title.creator is not None else title.created_by


def locked(title: Title) -> Title:
    """The title's row as it is now, locked until the transaction ends, with who and what it points to."""
    return (
        Title.objects.select_for_update(of=("self",))
        .select_related("creator__user", "created_by", "video", "poster")
        .get(pk=title.pk)
    )


def check_offer(creator: Creator | None, by: User | None) -> None:
    """Raises Forbidden unless `by` is this creator, staff who edit titles, or the system (None)."""
    if by is None or by.may("titles.edit") or (creator is not None and creator.user_id == by.pk):
        return
    raise Forbidden(_("This is not your title."))


def check_decide(by: User | None) -> None:
    """Raises Forbidden unless `by` decides on titles, or is the system (None)."""
    if by is not None:
        require(by, "titles.decide")


def open_case_when_ready(title: Title, *, by: User | None) -> None:
    """Asks for a moderation case once a submitted title can be watched; until then nothing."""
    waits = title.moderation_status == Moderation.PENDING and title.submitted_at is not None
    if waits and title.processing_status == Processing.READY:
        jobs.enqueue(OPEN_CASE, {"title_id": str(title.id)}, by=by)


def tell_owner(title: Title, event: str, *, by: User | None, reason: str) -> None:
    """Notifies whoever the title belongs to, if there is anybody."""
    owner = owner_of(title)
    if owner is not None:
        notifications.notify(user=owner, event=event, data={"title": title.title, "reason": reason}, by=by)
