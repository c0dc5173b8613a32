"""What viewers did and what they were granted is written once."""

from django.db import migrations

from backoffice.core.database import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("engagement", "0001_initial")]

    operations = [AppendOnlyTable("engagement_engagementevent"), AppendOnlyTable("engagement_playbackgrant")]
