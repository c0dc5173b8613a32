"""Lanes, groups, escalation, the end of a return and of an undo window; who is away; what a queue went through."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.core.clock
import backoffice.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "absence",
                "verbose_name_plural": "absences",
            },
        ),
        migrations.CreateModel(
            name="QueueHour",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("queue", models.CharField(max_length=30, verbose_name="queue")),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("measured_at", models.DateTimeField(verbose_name="measured at")),
                ("open", models.PositiveIntegerField(default=0, verbose_name="open")),
                ("claimed", models.PositiveIntegerField(default=0, verbose_name="claimed")),
                ("paused", models.PositiveIntegerField(default=0, verbose_name="paused")),
                ("overdue", models.PositiveIntegerField(default=0, verbose_name="overdue")),
                ("escalated", models.PositiveIntegerField(default=0, verbose_name="escalated")),
                ("arrived", models.PositiveIntegerField(default=0, verbose_name="arrived")),
                ("decided", models.PositiveIntegerField(default=0, verbose_name="decided")),
                ("decided_late", models.PositiveIntegerField(default=0, verbose_name="decided late")),
            ],
            options={
                "verbose_name": "hour of a queue",
                "verbose_name_plural": "hours of queues",
            },
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalated_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="escalated at"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalated_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="escalated by",
            ),
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalation_level",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="escalation level"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalation_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="why escalated"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="group_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="group"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="lane",
            field=models.CharField(db_default="|", default="|", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="workitem",
            name="return_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="returns until"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="skills",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="skills asked for",
            ),
        ),
        migrations.AddField(
            model_name="workitem",
            name="undo_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="undo until"),
        ),
        migrations.AlterField(
            model_name="workitem",
            name="done_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="done by",
            ),
        ),
        migrations.AlterField(
            model_name="workitem",
            name="holder",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="held by",
            ),
        ),
        migrations.AlterField(
            model_name="workitem",
            name="return_to",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="returns to",
            ),
        ),
        migrations.AddField(
            model_name="absence",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="queuehour",
            constraint=models.UniqueConstraint(fields=("queue", "hour"), name="queue_hour_once"),
        ),
        migrations.RunSQL(
            "UPDATE queues_workitem SET lane = left(language, 2) || '|' "
            "WHERE language <> '' AND state IN ('open', 'claimed', 'paused')",
            migrations.RunSQL.noop,
        ),
        # Without a word on until when, a day: what returned before this had no end.
        migrations.RunSQL(
            "UPDATE queues_workitem SET return_until = now() + interval '1 day' "
            "WHERE state = 'open' AND return_to_id IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]
