import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("configuration", "0002_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="settingversion",
            name="previous",
            field=models.JSONField(blank=True, null=True, verbose_name="value before"),
        ),
        migrations.AddField(
            model_name="settingversion",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approved by",
            ),
        ),
        migrations.AddField(
            model_name="settingversion",
            name="source",
            field=models.CharField(blank=True, default="", max_length=16, verbose_name="request"),
        ),
        migrations.AddField(
            model_name="settingversion",
            name="restored_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="configuration.settingversion",
                verbose_name="went back to",
            ),
        ),
        migrations.AddConstraint(
            model_name="settingversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("changed_by")), _negated=True),
                    _connector="OR",
                ),
                name="setting_approved_by_another_person",
            ),
        ),
    ]
