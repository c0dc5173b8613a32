"""What was done to creators who broke the rules."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.core.clock
import backoffice.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("creators", "0005_application_verdict"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Sanction",
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
                    "kind",
                    models.CharField(
                        choices=[("suspension", "Suspension")], default="suspension", max_length=12, verbose_name="kind"
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("issued_at", models.DateTimeField(verbose_name="from")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "ended_as",
                    models.CharField(blank=True, choices=[("lifted", "Lifted"), ("expired", "Expired")], max_length=8),
                ),
                ("end_reason", models.TextField(blank=True)),
                (
                    "creator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sanctions", to="creators.creator"
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "sanction",
                "verbose_name_plural": "sanctions",
                "ordering": ("-issued_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("creator", "kind"), name="sanction_one_running"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="sanction_has_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), models.Q(("ended_as", ""), _negated=True), _connector="OR"
                        ),
                        name="sanction_end_is_named",
                    ),
                ],
            },
        ),
    ]
