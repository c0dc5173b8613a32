"""What Wagtail writes into its own log goes on record with everything else that staff do. Connected when the app is
ready.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from wagtail.models import ModelLogEntry, PageLogEntry

from backoffice.audit import entries


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
