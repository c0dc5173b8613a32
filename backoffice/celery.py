"""The Celery application: queues and the timetable of periodic work."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.core.management.base import SystemCheckError
from kombu import Queue

from backoffice import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings.production")

app = Celery("backlot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.task_queues = [Queue(name) for name in ("default", "money", "media", "mail", "reports")]

# kind of job: seconds between two runs
MINUTE, HOUR, DAY = 60, 3600, 86_400
PERIODIC: dict[str, int] = {
    "approvals.expire": 5 * MINUTE,
    "audit.anchor": HOUR,
    "accounts.expire_grants": MINUTE,
    "accounts.prune_attempts": HOUR,
    "accounts.prune_sessions": HOUR,
    "audit.seal": 30,
    "audit.verify": DAY,
    "catalogue.tick": MINUTE,
    "creators.activate_ready": MINUTE,
    "creators.end_suspensions": 5 * MINUTE,
    "creators.expire_documents": HOUR,
    "creators.expire_tax_profiles": HOUR,
    "creators.hold_overdue": HOUR,
    "creators.lapse_applications": HOUR,
    "creators.purge_documents": HOUR,
    "creators.remind_onboarding": DAY,
    "creators.return_abandoned": MINUTE,
    "creators.review_due": HOUR,
    "creators.scan_documents": 5 * MINUTE,
    "creators.tell_expiring": HOUR,
    "finance.recover_payouts": 5 * MINUTE,
    "finance.recover_refunds": 5 * MINUTE,
    "finance.release_earnings": 10 * MINUTE,
    "finance.snapshot_accounts": HOUR,
    "finance.verify_ledger": DAY,
    "journeys.discard_imports": HOUR,
    "journeys.purge_exports": HOUR,
    "media.expire_uploads": 10 * MINUTE,
    "media.recover": MINUTE,
    "moderation.tick": MINUTE,
    "queues.tick": MINUTE,
    "support.close_resolved": 10 * MINUTE,
    "support.escalate_due": MINUTE,
    "support.watch_clocks": MINUTE,
}
app.conf.beat_schedule = {
    "core.sweep_jobs": {"task": "core.sweep_jobs", "schedule": 5.0},
    **{kind: {"task": "core.enqueue_periodic", "schedule": float(s), "args": [kind]} for kind, s in PERIODIC.items()},
}


@setup_logging.connect
def keep_django_logging(**_kwargs: Any) -> None:
    """Celery would set up its own log format; Django's settings have done it already."""


@worker_init.connect
@beat_init.connect
def refuse_unsafe(**_kwargs: Any) -> None:
    """A worker holds the same keys as the web server and starts under the same conditions."""
    try:
        starting.refuse_unsafe()
    except SystemCheckError as error:
        # Celery logs what its signals raise and goes on; only this ends the process.
        raise SystemExit(str(error)) from error
