"""Background work of accounts."""

from backoffice.accounts.services import attempts, invitations, roles, sessions
from backoffice.core import jobs


@jobs.handler("accounts.expire_grants")
def expire_grants(job: jobs.JobContext) -> None:
    """Takes roles whose time is over out of the groups."""
    roles.expire_due()


@jobs.handler("accounts.prune_attempts")
def prune_attempts(job: jobs.JobContext) -> None:
    """Drops counts of tries whose window is over."""
    attempts.prune()


@jobs.handler("accounts.prune_sessions")
def prune_sessions(job: jobs.JobContext) -> None:
    """Drops sessions that ran out."""
    sessions.prune()


@jobs.handler(invitations.SEND, queue="mail", max_attempts=5, timeout=60)
def send_invitation(job: jobs.JobContext, *, invitation_id: str) -> None:
    """Mails a fresh invitation link."""
    invitations.send(invitation_id)
