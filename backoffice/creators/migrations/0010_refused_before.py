from django.db import migrations

# Refused before the moment was kept. What is known is when the row changed last: the wait runs from there.
REFUSED = """
UPDATE creators_creator SET refused_at = updated_at WHERE verification_status = 'rejected' AND refused_at IS NULL;
"""
# Refused, and applying again since: verified once, not live, and nobody asked for a new ID. Their application began
# when the verification was opened again, so the refusal lies before all that came with it.
APPLYING = """
UPDATE creators_creator SET refused_at = latest.created_at
FROM (
    SELECT applicant_id, max(created_at) AS created_at FROM creators_creatorapplication GROUP BY applicant_id
) AS latest
WHERE latest.applicant_id = creators_creator.user_id
  AND verification_status = 'pending' AND NOT is_active
  AND verified_at IS NOT NULL AND reverify_asked_at IS NULL AND refused_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("creators", "0009_reverification_asked")]

    operations = [
        migrations.RunSQL(REFUSED, migrations.RunSQL.noop),
        migrations.RunSQL(APPLYING, migrations.RunSQL.noop),
    ]
