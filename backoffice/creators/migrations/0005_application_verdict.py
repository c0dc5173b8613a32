"""A decision that can still be undone: what it is and when it takes effect."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("creators", "0004_onboarding"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="creatorapplication",
            name="effective_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="creatorapplication",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[("approve", "Approve"), ("reject", "Reject")],
                db_default="",
                default="",
                editable=False,
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="creatorapplication",
            name="verdict_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="creatorapplication",
            name="verdict_note",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, editable=False),
        ),
        migrations.AddIndex(
            model_name="creatorapplication",
            index=models.Index(
                condition=models.Q(("effective_at__isnull", False)),
                fields=["effective_at"],
                name="application_unsettled",
            ),
        ),
    ]
