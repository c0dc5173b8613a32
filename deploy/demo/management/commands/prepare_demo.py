"""``manage.py prepare_demo``: reference data, and demo data when there is none yet."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.demo import load


class Command(BaseCommand):
    help = "Fills the demo: people, titles, thirteen months of sales, open work. Goes on where it was stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password-file", required=True, help="file with the password of the demo people")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_MODE:
            raise CommandError("demo data belongs to the demo's settings only")
        call_command("load_reference", verbosity=0)
        done = Path(settings.DATA_DIR) / "demo-loaded"
        if done.exists():
            return
        started = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"  {time.monotonic() - started:5.0f} s  {text}")
            self.stdout.flush()

        self.stdout.write("Making demo data (once)")
        load.load(password=Path(options["password_file"]).read_text().strip(), say=say)
        done.touch()
