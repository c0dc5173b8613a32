"""``manage.py anchor_audit``: seals, writes the chain's head to the day's file and says what it wrote."""

from typing import Any

from django.core.management.base import BaseCommand

from backoffice.audit import anchors, chain


class Command(BaseCommand):
    help = "Writes the head of the audit chain to the day's anchor file and prints the public keys to keep elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        chain.seal()
        anchor = anchors.write()
        self.stdout.write(anchor.line() if anchor else "nothing new to anchor")
        for name, key in anchors.public_keys().items():
            self.stdout.write(f"public key {name}: {key}")
