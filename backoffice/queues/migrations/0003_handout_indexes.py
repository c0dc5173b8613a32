"""The indexes of the hand-out and of the counts, built while the queues go on working."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queues", "0002_handout"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("escalation_level", 0), ("return_to__isnull", True), ("state", "open")),
                fields=["queue", "lane", "-priority", "due_at", "id"],
                name="work_item_handout",
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("escalation_level__gt", 0), ("return_to__isnull", True), ("state", "open")),
                fields=["queue", "-priority", "due_at", "id"],
                name="work_item_escalated",
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("return_until__isnull", False), ("state", "open")),
                fields=["return_until"],
                name="work_item_return_until",
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["queue", "group_key"], name="work_item_group"
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(condition=models.Q(("state", "open")), fields=["queue", "due_at"], name="work_item_due"),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["queue", "created_at"], name="work_item_age"
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["created_at"], name="work_item_arrived", pages_per_range=32
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("state", "paused")), fields=["queue", "paused_at"], name="work_item_paused"
            ),
        ),
        AddIndexConcurrently(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("state", "done")), fields=["queue", "-done_at"], name="work_item_decided"
            ),
        ),
        RemoveIndexConcurrently(
            model_name="workitem",
            name="work_item_next",
        ),
    ]
