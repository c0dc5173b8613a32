"""After a change of keys: second-factor secrets under the newest one."""

from typing import Any

from django.core.management.base import BaseCommand

from backoffice.accounts.services import factors


class Command(BaseCommand):
    help = "Encrypts second-factor secrets that are under an older key with the newest one. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{factors.reseal()} changed")
