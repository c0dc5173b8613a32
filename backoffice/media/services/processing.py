"""The pipeline of an uploaded file (F-013), step by step; a killed run goes on after the last finished step.

What a step makes is stored under a fixed key before the step counts as done; running it again overwrites the
same place and the same row.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.media import storage
from backoffice.media.models import Asset, ProcessingStep
from backoffice.media.services import assets, steps
from backoffice.media.states import FINISHED_STEPS, Processing, StepState
from integrations.antivirus.types import Dangerous, Refused
from integrations.ffmpeg.types import Hostile, MediaError
from integrations.storage.types import Missing

Progress = Callable[[int, int, str], None]

# A run that is killed this often, each time without a word, is given up.
MAX_STARTS = 5
# A run whose process is gone is taken up again after this time.
ABANDONED_AFTER = timedelta(seconds=60)


class Busy(Exception):
    """Another process works on this file now."""


def process(asset_id: UUID | str, *, on_progress: Progress, at: datetime | None = None) -> Asset:
    """Run every step that is not finished, then mark the file ready, failed or quarantined.

    Does nothing when the file is not in processing. `on_progress` gets hundredths done, hundredths in all and
    the step's name. Raises Busy; anything unexpected is raised too and leaves the file in processing, to be
    taken up again.
    """
    with _alone(asset_id):
        asset = Asset.objects.get(pk=asset_id)
        if asset.processing_status != Processing.PROCESSING:
            return asset
        if asset.starts >= MAX_STARTS:
            assets.fail(asset, code="interrupted", detail="", at=at)
            return asset
        Asset.objects.filter(pk=asset.pk).update(starts=F("starts") + 1)
        workspace = _fresh(storage.workspace(str(asset.id)))
        try:
            _run(asset, workspace, on_progress)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
    return asset


def recover(*, at: datetime | None = None) -> int:
    """Take up files whose process was killed, and give up those that nobody will take up; returns how many.

    A killed process loses its lock at once, while its job would wait for the end of its lease.
    """
    at = at or clock.now()
    count = 0
    for asset in Asset.objects.filter(processing_status=Processing.PROCESSING, updated_at__lt=at - ABANDONED_AFTER):
        unfinished = Job.objects.filter(
            kind=assets.PROCESS,
            payload__asset_id=str(asset.id),
            state__in=[Job.State.DUE, Job.State.RUNNING],
        )
        states = set(unfinished.values_list("state", flat=True))
        if Job.State.DUE in states or _is_held(asset.id):
            continue
        if not states:
            assets.fail(asset, code="interrupted", detail="", at=at)
        elif not unfinished.filter(started_at__gte=at - ABANDONED_AFTER).exists():
            jobs.enqueue(assets.PROCESS, {"asset_id": str(asset.id)}, key=f"{asset.id}:{asset.starts}")
        else:
            continue
        count += 1
    return count


def _run(asset: Asset, workspace: Path, on_progress: Progress) -> None:
    checklist = list(ProcessingStep.objects.filter(asset=asset).order_by("position"))
    total = 100 * len(checklist)
    step: ProcessingStep | None = None
    try:
        with storage.private().as_file(asset.storage_key, workspace) as source:
            for number, step in enumerate(checklist):
                if step.state in FINISHED_STEPS:
                    continue
                on_progress(100 * number, total, step.name)
                _begin_step(step)
                work = steps.Work(
                    asset=asset,
                    source=source,
                    workspace=workspace,
                    on_progress=_within(on_progress, number, total, step.name),
                )
                outcome = steps.RUN[step.name](work)
                _end_step(asset, step, outcome)
    except (Dangerous, Hostile) as error:
        _refuse(asset, step, code=error.code, detail=str(error), harmful=True)
    except steps.Infected as error:
        _refuse(asset, step, code="infected", detail=str(error), harmful=True)
    except (Refused, MediaError) as error:
        _refuse(asset, step, code=error.code, detail=str(error))
    except Missing:
        _missing(asset)
    else:
        on_progress(total, total, "")
        assets.finish(asset)


def _within(on_progress: Progress, number: int, total: int, name: str) -> Callable[[float], None]:
    def tell(fraction: float) -> None:
        on_progress(100 * number + round(100 * fraction), total, name)

    return tell


def _begin_step(step: ProcessingStep) -> None:
    now = clock.now()
    step.state, step.started_at, step.detail = StepState.RUNNING, now, ""
    step.save(update_fields=["state", "started_at", "detail", "updated_at"])


def _end_step(asset: Asset, step: ProcessingStep, outcome: steps.Outcome) -> None:
    now = clock.now()
    with transaction.atomic():
        if outcome.facts:
            for name, value in outcome.facts.items():
                setattr(asset, name, value)
        # Also without facts: `updated_at` tells `recover` that somebody is at work.
        asset.save(update_fields=[*outcome.facts, "updated_at"])
        for made in outcome.made:
            _keep(asset, made, at=now)
        step.state, step.detail, step.finished_at = outcome.state, outcome.detail, now
        step.save(update_fields=["state", "detail", "finished_at", "updated_at"])


def _keep(asset: Asset, made: steps.Made, *, at: datetime) -> None:
    Asset.objects.update_or_create(
        parent=asset,
        kind=made.kind,
        defaults={
            "owner_user": asset.owner_user,
            "filename": made.filename,
            "storage_key": made.storage_key,
            "content_type": made.content_type,
            "bytes": made.bytes,
            "checksum_sha256": made.sha256,
            "scan_status": Asset.Scan.SKIPPED,
            "processing_status": Processing.READY,
            "processed_at": at,
            "duration_ms": made.duration_ms,
            "width": made.width,
            "height": made.height,
            "details": made.details,
        },
    )


def _refuse(asset: Asset, step: ProcessingStep | None, *, code: str, detail: str, harmful: bool = False) -> None:
    now = clock.now()
    with transaction.atomic():
        if step is not None:
            step.state, step.detail, step.finished_at = StepState.FAILED, detail, now
            step.save(update_fields=["state", "detail", "finished_at", "updated_at"])
        if harmful:
            assets.quarantine(asset, code=code, detail=detail, infected=code == "infected", at=now)
        else:
            assets.fail(asset, code=code, detail=detail, at=now)


def _missing(asset: Asset) -> None:
    try:
        storage.private().stat(assets.quarantine_key(asset.id))
    except Missing:
        assets.fail(asset, code="missing", detail="")
        return
    # A run was killed after it moved the file away and before it could say so.
    asset.storage_key = assets.quarantine_key(asset.id)
    assets.quarantine(asset, code="hostile", detail="")


def _fresh(workspace: Path) -> Path:
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True, mode=0o700)
    return workspace


def _lock_number(asset_id: UUID | str) -> int:
    """A signed 64-bit number from the random half of the id."""
    return int.from_bytes(UUID(str(asset_id)).bytes[8:], signed=True)


@contextmanager
def _alone(asset_id: UUID | str) -> Iterator[None]:
    """Hold the database's lock on this file; it goes with the connection, also when the process is killed."""
    number = _lock_number(asset_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Busy(str(asset_id))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _is_held(asset_id: UUID | str) -> bool:
    try:
        with _alone(asset_id):
            return False
    except Busy:
        return True
