from typing import ClassVar

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations

from backoffice.core.database import ApplicationRole


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0001_initial")]

    operations: ClassVar = [BtreeGistExtension(), TrigramExtension(), UnaccentExtension(), ApplicationRole()]
