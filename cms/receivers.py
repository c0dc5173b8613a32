"""What Wagtail writes into its own log goes on record with everything else that staff do. Connected when the app is
ready.
"""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from wagtail.models import ModelLogEntry, PageLogEntry
from wagtail.signals import page_published, page_unpublished

from backoffice.audit import entries
from backoffice.creators.services import training
from cms.training.models import TrainingPage


@receiver(post_save, sender=PageLogEntry, dispatch_uid="cms.page_logged")
@receiver(post_save, sender=ModelLogEntry, dispatch_uid="cms.model_logged")
def logged(sender: Any, instance: PageLogEntry | ModelLogEntry, created: bool, **given: Any) -> None:
    """An editor's action on a page, snippet, picture or document: ``wagtail.publish`` becomes ``cms.publish``."""
    if not created:
        return
    name = instance.action.removeprefix("wagtail.").replace(".", "_")
    what = instance.content_type
    with transaction.atomic():
        entries.record(
            action=f"cms.{name}",
            by=instance.user,
            data={
                "kind": f"{what.app_label}.{what.model}" if what else "",
                "key": str(instance.object_id),
                "title": instance.label,
                "change": str(instance.uuid or ""),
            },
            at=instance.timestamp,
        )


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
