from django.db import migrations

# The best that is known of verifications from before the column: the day the creator went live, or joined.
VERIFIED = """
UPDATE creators_creator SET verified_at = COALESCE(activated_at, created_at) WHERE verification_status <> 'pending';
"""
ERASED = """
UPDATE creators_documentkey SET destroyed_because = 'erased' WHERE wrapped IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("creators", "0002_documents_and_tax")]

    operations = [
        migrations.RunSQL(VERIFIED, migrations.RunSQL.noop),
        migrations.RunSQL(ERASED, migrations.RunSQL.noop),
    ]
