from typing import ClassVar

from django.db import migrations

from backoffice.core.database import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0002_database_roles"), ("configuration", "0001_initial")]

    operations: ClassVar = [AppendOnlyTable("configuration_settingversion")]
