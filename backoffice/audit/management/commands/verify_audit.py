"""``manage.py verify_audit``: recomputes the chain and names what is wrong."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backoffice.audit import chain
from backoffice.audit.models import ChainLink


class Command(BaseCommand):
    help = "Recomputes the audit chain; exits with 1 and names the rows when something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-seal", action="store_true", help="do not link new rows first")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["no_seal"]:
            chain.seal()
        findings = list(chain.verify())
        for finding in findings:
            self.stderr.write(str(finding))
        if findings:
            self.stderr.write(f"{len(findings)} finding(s)")
            sys.exit(1)
        self.stdout.write(f"audit chain: {ChainLink.objects.count()} links, nothing wrong")
