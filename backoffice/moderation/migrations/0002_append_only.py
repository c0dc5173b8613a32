"""Decisions, and what came of them, are written once."""

from django.db import migrations

from backoffice.core.database import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [AppendOnlyTable("moderation_decision"), AppendOnlyTable("moderation_enforcement")]
