"""``manage.py purge_documents``: destroys what is past its purge date, or says what would be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.core import clock
from backoffice.creators import queries
from backoffice.creators.services import documents


class Command(BaseCommand):
    help = "Destroys identity documents past their purge date; what a legal hold keeps is named and left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing; list what would be destroyed")
        parser.add_argument("--limit", type=int, default=1000, help="at most so many documents (default 1000)")

    def handle(self, *args: Any, **options: Any) -> None:
        at, limit = clock.now(), options["limit"]
        if limit < 1:
            raise CommandError("--limit takes a number from 1")
        holds = queries.hold_references(at=at)
        held = documents.due_for_purge(at=at).filter(subject__in=holds)
        for document in held.iterator():
            kept_by = ", ".join(holds[document.subject_id])
            self.stdout.write(f"kept     {document.pk}  {document.document_type}  by the legal hold {kept_by}")
        if options["dry_run"]:
            free = documents.due_for_purge(at=at).exclude(subject__in=holds)
            for document in free[:limit]:
                day = document.purge_after.date() if document.purge_after else ""
                self.stdout.write(f"destroy  {document.pk}  {document.document_type}  since {day}")
            self.stdout.write(f"{free.count()} would be destroyed, {held.count()} are kept; nothing was changed")
            return
        kept = held.count()
        done = documents.purge_due(at=at, limit=limit)
        self.stdout.write(f"{done} destroyed, {kept} kept")
