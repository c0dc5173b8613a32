"""``manage.py verify_audit``: recomputes the chain, compares it with the anchors and names what is wrong."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backoffice.audit import verification


class Command(BaseCommand):
    help = "Recomputes the audit chain and compares it with its anchors; exits with 1 and names the rows that differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-seal", action="store_true", help="do not link new rows first")
        parser.add_argument("--json", action="store_true", help="answer for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        result = verification.run(seal=not options["no_seal"])
        if options["json"]:
            self.stdout.write(json.dumps(result.plain(), indent=2))
        else:
            for finding in result.findings:
                self.stderr.write(str(finding))
            if result.findings:
                self.stderr.write(f"{len(result.findings)} finding(s)")
            else:
                self.stdout.write(f"audit chain: {result.links} links, {result.anchors} anchors, nothing wrong")
        if result.findings:
            sys.exit(1)
