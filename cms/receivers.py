"""What editors do in Wagtail goes on record with everything else that staff do. Connected when the app is ready.

Pages are followed through Wagtail's own log. Pictures and files are not: their uploads by several, their choosers and
their bulk actions write nothing there, so every row that is saved or deleted counts, by whatever way.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from wagtail import hooks
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.log_actions import get_active_log_context
from wagtail.models import ModelLogEntry, PageLogEntry
from wagtail.signals import page_published, page_unpublished

from backoffice.audit import entries
from backoffice.creators.services import training
from cms.training.models import TrainingPage

PICTURES_AND_FILES = (Image, Document)
# What Wagtail looks up and keeps by itself when a picture or file is read.
WORKED_OUT = {"file_hash", "file_size"}


@receiver(post_save, sender=PageLogEntry, dispatch_uid="cms.page_logged")
@receiver(post_save, sender=ModelLogEntry, dispatch_uid="cms.model_logged")
def logged(sender: Any, instance: PageLogEntry | ModelLogEntry, created: bool, **given: Any) -> None:
    """An editor's action on a page or snippet: ``wagtail.publish`` becomes ``cms.publish``."""
    what = instance.content_type
    if not created or (what is not None and what.model_class() in PICTURES_AND_FILES):
        return
    _record(
        instance.action.removeprefix("wagtail.").replace(".", "_"),
        entries.Named(f"{what.app_label}.{what.model}" if what else "", str(instance.object_id), instance.label),
        by=instance.user,
        change=instance.uuid,
        at=instance.timestamp,
    )


@receiver(post_save, sender=Image, dispatch_uid="cms.picture_saved")
@receiver(post_save, sender=Document, dispatch_uid="cms.file_saved")
def kept(sender: Any, instance: Image | Document, created: bool, raw: bool, **given: Any) -> None:
    """A picture or file was added or changed."""
    fields = given.get("update_fields")
    if raw or (fields is not None and set(fields) <= WORKED_OUT):
        return
    _record_own("create" if created else "edit", instance)


@receiver(post_delete, sender=Image, dispatch_uid="cms.picture_deleted")
@receiver(post_delete, sender=Document, dispatch_uid="cms.file_deleted")
def gone(sender: Any, instance: Image | Document, **given: Any) -> None:
    """A picture or file was deleted, alone or with others."""
    _record_own("delete", instance)


@hooks.register("after_bulk_action")
def changed_together(request: HttpRequest, action_type: str, objects: list[Any], action: Any) -> None:
    """Pictures or files were tagged or filed together, which saves none of their rows."""
    if action.model in PICTURES_AND_FILES and action_type != "delete":
        for instance in objects:
            _record_own("edit", instance, how=action_type)


def _record_own(verb: str, instance: Image | Document, how: str = "") -> None:
    subject = entries.Named(instance._meta.label_lower, str(instance.pk), instance.title)
    change = get_active_log_context()
    _record(verb, subject, by=change.user, change=change.uuid, how=how)


def _record(
    verb: str, subject: entries.Named, *, by: Any, change: UUID | None, at: datetime | None = None, how: str = ""
) -> None:
    """One row; what happened by one press of a button shares ``change``."""
    data = {"kind": subject.kind, "key": subject.key, "title": subject.label, "change": str(change or "")}
    with transaction.atomic():
        entries.record(action=f"cms.{verb}", by=by, subject=subject, data=data | ({"how": how} if how else {}), at=at)


@receiver(page_published, sender=TrainingPage, dispatch_uid="cms.training_published")
def training_published(sender: Any, instance: TrainingPage, **given: Any) -> None:
    """A lesson went live: what activation asks of creators follows the page of the platform's first language."""
    revision = given.get("revision")
    first = TrainingPage.objects.live().filter(code=instance.code, locale__language_code=settings.LANGUAGE_CODE).first()
    page = first or instance
    training.declare(
        code=page.code,
        title=page.title,
        position=page.position,
        required=page.required,
        by=revision.user if revision is not None else None,
    )


@receiver(page_unpublished, sender=TrainingPage, dispatch_uid="cms.training_unpublished")
def training_unpublished(sender: Any, instance: TrainingPage, **given: Any) -> None:
    """The last page of a lesson is gone: nobody has to take it any more."""
    if not TrainingPage.objects.live().filter(code=instance.code).exclude(pk=instance.pk).exists():
        training.retire(code=instance.code, by=None)
