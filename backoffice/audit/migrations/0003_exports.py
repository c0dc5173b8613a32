import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.audit.models
import backoffice.core.clock
import backoffice.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
        ("core", "0002_database_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "reference",
                    models.CharField(
                        default=backoffice.audit.models.export_reference,
                        editable=False,
                        max_length=16,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("dataset", models.CharField(max_length=40, verbose_name="what")),
                ("filters", models.JSONField(default=dict, verbose_name="filter")),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("zip", "ZIP")], max_length=4, verbose_name="format"
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("ticket", models.CharField(blank=True, max_length=20, verbose_name="ticket")),
                ("subject_type", models.CharField(blank=True, max_length=80, verbose_name="kind of object")),
                ("subject_id", models.CharField(blank=True, max_length=64, verbose_name="object")),
                ("subject_label", models.CharField(blank=True, max_length=200, verbose_name="label")),
                ("rows", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="rows")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                ("storage_key", models.CharField(blank=True, editable=False, max_length=200)),
                ("bytes", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="bytes")),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="SHA-256 of the file")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="kept until")),
                ("purged_at", models.DateTimeField(blank=True, null=True, verbose_name="destroyed")),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="exportrecord",
            name="job",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="core.job",
                verbose_name="job",
            ),
        ),
        migrations.AddField(
            model_name="exportrecord",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddIndex(
            model_name="exportrecord",
            index=models.Index(fields=["user", "-id"], name="export_user"),
        ),
        migrations.AddIndex(
            model_name="exportrecord",
            index=models.Index(fields=["dataset", "-id"], name="export_dataset"),
        ),
        migrations.AddIndex(
            model_name="exportrecord",
            index=models.Index(
                condition=models.Q(models.Q(("storage_key", ""), _negated=True), ("purged_at", None)),
                fields=["expires_at"],
                name="export_to_purge",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="export_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("storage_key", ""), ("expires_at__isnull", False), _connector="OR"),
                name="export_kept_file_expires",
            ),
        ),
    ]
