"""Messages of tickets are written once."""

from typing import ClassVar

from django.db import migrations

from backoffice.core.database import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0002_database_roles"), ("support", "0001_initial")]

    operations: ClassVar = [AppendOnlyTable("support_ticketmessage")]
