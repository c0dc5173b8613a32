"""What the process refuses to start with."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from backoffice.audit import anchors


@register(Tags.security)
def anchors_can_be_signed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """In production: without a key of its own nothing outside the database tells that the audit chain was cut."""
    if not settings.PRODUCTION:
        return []
    if not settings.AUDIT_ANCHOR_KEYS:
        return [
            Error(
                "AUDIT_ANCHOR_KEYS is missing.",
                hint="The head of the audit chain and evidence bundles are signed with it.",
                id="audit.E001",
            )
        ]
    try:
        anchors.keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="audit.E002")]
    return []
