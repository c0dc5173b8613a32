"""What an export was, who took it and why is written once; only what becomes known later may be filled in."""

from typing import ClassVar

from django.conf import settings
from django.db import migrations

ROLE = '"' + settings.DATABASE_APP_ROLE.replace('"', '""') + '"'
LATER = "rows, finished_at, job_id, storage_key, bytes, digest, expires_at, purged_at, updated_at"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0002_database_roles"), ("audit", "0004_audit_indexes")]

    operations: ClassVar = [
        migrations.RunSQL(
            f"REVOKE UPDATE, DELETE, TRUNCATE ON audit_exportrecord FROM {ROLE}; "
            f"GRANT UPDATE ({LATER}) ON audit_exportrecord TO {ROLE}",
            f"GRANT UPDATE, DELETE ON audit_exportrecord TO {ROLE}",
        )
    ]
