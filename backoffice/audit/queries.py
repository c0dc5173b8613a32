"""Reading the audit trail."""

from django.db.models import Model, QuerySet

from backoffice.audit.models import AuditEntry


def for_subject(obj: Model) -> QuerySet[AuditEntry]:
    """The entries about one object, newest first, with their actors."""
    return (
        AuditEntry.objects.filter(subject_type=obj._meta.label_lower, subject_id=str(obj.pk))
        .select_related("actor")
        .order_by("-id")
    )


def for_subjects(label: str, ids: list[str]) -> QuerySet[AuditEntry]:
    """The entries about several objects of one kind (``app.model`` in lower case), newest first."""
    return AuditEntry.objects.filter(subject_type=label, subject_id__in=ids).select_related("actor").order_by("-id")
