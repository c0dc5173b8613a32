"""``manage.py rotate_document_keys``: brings every person's key under the newest master key; may be cut off."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.creators.services import rotation, vault


class Command(BaseCommand):
    help = (
        "Wraps every person's document key under the first key of DOCUMENT_MASTER_KEYS. Cut off, it goes on where it "
        "stopped when it is called again. Reading and uploading go on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reencrypt", action="store_true", help="give every person a new key and encrypt all contents under it"
        )
        parser.add_argument("--check", action="store_true", help="change nothing; open every key and every content")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            masters = vault.masters()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        missing = rotation.unknown_masters()
        if missing:
            lost = "\n".join(f"  {name}: {count} key(s)" for name, count in sorted(missing.items()))
            raise CommandError(
                "DOCUMENT_MASTER_KEYS lacks master keys that are still in use. Nothing was changed. Put the keys with "
                f"these fingerprints back at the end of the list and call this again:\n{lost}\n"
                f"Configured: {', '.join(masters)}"
            )
        outcome = self._work(options)
        for key, why in outcome.failed.items():
            self.stderr.write(f"{key}: {why}")
        if outcome.failed:
            raise CommandError(
                f"{len(outcome.failed)} of the keys or contents do not open; they were left as they are, the others "
                "were done. The run stays unfinished: restore what is damaged and call this again."
            )
        self._report(outcome, checked=options["check"])

    def _work(self, options: dict[str, Any]) -> rotation.Outcome:
        if options["check"]:
            return rotation.check(on_progress=self._progress)
        if options["reencrypt"]:
            return rotation.reencrypt(on_progress=self._progress)
        return rotation.rewrap(on_progress=self._progress)

    def _progress(self, done: int, total: int) -> None:
        step = max(1, total // 20)
        if total and (done == total or done % step == 0):
            self.stdout.write(f"{done} of {total}")
            self.stdout.flush()

    def _report(self, outcome: rotation.Outcome, *, checked: bool) -> None:
        if outcome.resumed:
            self.stdout.write("went on with a run that had been cut off")
        if checked:
            self.stdout.write(f"{outcome.keys} key(s) and {outcome.contents} content(s) open")
            return
        self.stdout.write(f"{outcome.keys} key(s) changed, {outcome.contents} content(s) encrypted anew")
        for name in rotation.unneeded_masters():
            self.stdout.write(f"nothing needs the master key {name} any more: take it out of DOCUMENT_MASTER_KEYS")
