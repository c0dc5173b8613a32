"""Background work of accounts."""

from backoffice.accounts.services import assistance, attempts, invitations, roles, sessions
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


@jobs.handler(assistance.SEND_CONFIRMATION, queue="mail", max_attempts=5, timeout=60)
def send_confirmation(job: jobs.JobContext, *, user_id: str) -> None:
    """Mails a fresh link that confirms an address."""
    assistance.send_confirmation(user_id)


@jobs.handler(assistance.SEND_RESET, queue="mail", max_attempts=5, timeout=60)
def send_reset(job: jobs.JobContext, *, user_id: str) -> None:
    """Mails a fresh link to choose a new password."""
    assistance.send_reset(user_id)
