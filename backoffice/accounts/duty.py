"""What a staff person may be handed: on duty, capacity, languages, skills, supervision (E-008, S-067, R-028)."""

from backoffice.accounts import scopes
from backoffice.accounts.models import StaffProfile, User
from backoffice.queues.worker import Worker

# What an item asks for that only a cultural reviewer should see.
CULTURAL = "cultural"


def worker(user: User, *, queue: str, decide: str, supervise: str) -> Worker:
    """The person before a queue, from their working profile and roles; without a profile its defaults hold.

    ``decide`` and ``supervise`` are the permissions of the queue. A role limited to languages limits strictly. The
    profile's languages let items without a language pass, and do not limit a supervisor.
    """
    profile = StaffProfile.objects.filter(user=user).first() or StaffProfile(user=user)
    supervisor = user.may(supervise)
    languages = scopes.languages(user, decide)
    if languages is None and profile.languages and not supervisor:
        languages = frozenset({*(language[:2] for language in profile.languages), ""})
    return Worker(
        user=user,
        languages=languages,
        skills=frozenset({*profile.skills, *([CULTURAL] if profile.cultural_reviewer else [])}),
        capacity=profile.max_open_items,
        on_duty=profile.on_duty,
        supervises=frozenset({queue} if supervisor else ()),
    )
