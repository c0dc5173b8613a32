from django.db import migrations, models

# The best that is known of requests from before the column: the deadline, less the days that were given by default.
ASKED = """
UPDATE creators_creator SET reverify_asked_at = reverify_by - interval '30 days' WHERE reverify_by IS NOT NULL;
"""
# A refused creator is not live, and opening the verification again must not make them so.
REFUSED = """
UPDATE creators_creator SET is_active = false WHERE verification_status = 'rejected' AND is_active;
"""


class Migration(migrations.Migration):
    dependencies = [("creators", "0008_identity_failed")]

    operations = [
        migrations.AddField(
            model_name="creator",
            name="reverify_asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="creator",
            name="refused_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL(ASKED, migrations.RunSQL.noop),
        migrations.RunSQL(REFUSED, migrations.RunSQL.noop),
    ]
