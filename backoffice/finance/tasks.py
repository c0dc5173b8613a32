"""Background work of finance: every handler calls one service and may run any number of times."""

from backoffice.core import jobs
from backoffice.finance.models import PaymentEvent, PayoutRun
from backoffice.finance.services import earnings, events, payouts, refunds, snapshots, verification
from backoffice.finance.services.providers import ProviderUnavailable

RETRY_SECONDS = (10, 30, 120, 600, 1800)


def _again(job: jobs.JobContext, error: Exception) -> jobs.Retry:
    return jobs.Retry(RETRY_SECONDS[min(job.attempt, len(RETRY_SECONDS)) - 1], str(error))


@jobs.handler("finance.apply_event", queue="money", max_attempts=8, timeout=120)
def apply_event(job: jobs.JobContext, *, event_id: str) -> None:
    """Applies one provider event."""
    event = PaymentEvent.objects.get(pk=event_id)
    try:
        events.apply(event=event, is_last_try=job.attempt >= 8)
    except ProviderUnavailable as error:
        raise _again(job, error) from error


@jobs.handler("finance.execute_run", queue="money", max_attempts=8, timeout=300)
def execute_run(job: jobs.JobContext, *, run_id: str) -> None:
    """Starts an approved payout run."""
    try:
        payouts.execute(run=PayoutRun.objects.get(pk=run_id))
    except ProviderUnavailable as error:
        raise _again(job, error) from error


@jobs.handler("finance.send_item", queue="money", max_attempts=12, timeout=120)
def send_item(job: jobs.JobContext, *, item_id: str) -> None:
    """Sends one payout, or finds out what became of it."""
    try:
        payouts.send_item(item_id=item_id)
    except ProviderUnavailable as error:
        raise _again(job, error) from error


@jobs.handler("finance.release_earnings", queue="money", max_attempts=3, timeout=600)
def release_earnings(job: jobs.JobContext) -> None:
    """Makes earnings available whose refund window is over."""
    earnings.release_due()


@jobs.handler("finance.recover_payouts", queue="money", max_attempts=1, timeout=300)
def recover_payouts(job: jobs.JobContext) -> None:
    """Looks after payouts whose job or webhook was lost."""
    payouts.recover()


@jobs.handler("finance.send_refund", queue="money", max_attempts=12, timeout=120)
def send_refund(job: jobs.JobContext, *, request_id: str) -> None:
    """Sends one refund, or finds out what became of it."""
    try:
        refunds.send(request_id=request_id)
    except ProviderUnavailable as error:
        raise _again(job, error) from error


@jobs.handler("finance.recover_refunds", queue="money", max_attempts=1, timeout=300)
def recover_refunds(job: jobs.JobContext) -> None:
    """Looks after refunds whose job or webhook was lost."""
    refunds.recover()


@jobs.handler("finance.snapshot_accounts", queue="money", max_attempts=3, timeout=900)
def snapshot_accounts(job: jobs.JobContext) -> None:
    """Sums up the platform's accounts, so that their balances stay quick to read."""
    snapshots.take()


@jobs.handler("finance.verify_ledger", queue="money", max_attempts=1, timeout=3600)
def verify_ledger(job: jobs.JobContext) -> None:
    """Recomputes the ledger; a difference ends on the dead-letter list with its names."""
    problems = verification.run()
    if problems:
        raise jobs.Dead("; ".join(str(problem) for problem in problems[:20]))
