"""``manage.py verify_ledger``: recomputes the books and names what is wrong."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backoffice.finance.queries import balances
from backoffice.finance.services import verification


class Command(BaseCommand):
    help = "Recomputes every rule of the ledger, every balance and the trial balance; exits with 1 when one is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = verification.run()
        trial = balances.trial_balance()
        if options["json"]:
            content = {
                "ok": not problems,
                "problems": [asdict(problem) for problem in problems],
                "trial_balance": [asdict(line) for line in trial],
            }
            self.stdout.write(json.dumps(content, indent=2))
        else:
            for line in trial:
                name = f"{line.kind} {line.provider}".strip()
                self.stdout.write(f"{name:<40} {line.total:>20,} {line.currency}")
            for problem in problems:
                self.stdout.write(self.style.ERROR(str(problem)))
            summary = f"{len(problems)} problems" if problems else "The ledger is right."
            self.stdout.write(summary)
        if problems:
            sys.exit(1)
