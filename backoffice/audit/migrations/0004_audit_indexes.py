"""Indexes over a table that may be long already: made while others go on writing to it."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("audit", "0003_exports")]

    operations: ClassVar = [
        AddIndexConcurrently(
            "auditentry",
            models.Index(fields=["request_id"], condition=~models.Q(request_id=""), name="audit_request"),
        ),
        AddIndexConcurrently(
            "auditentry",
            models.Index(
                Upper("subject_label"),
                models.F("id").desc(),
                condition=~models.Q(subject_label=""),
                name="audit_label",
            ),
        ),
    ]
