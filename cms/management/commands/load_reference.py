"""``manage.py load_reference``: roles, fee rules, policies, service levels, the first pages."""

from typing import Any

from django.core.management.base import BaseCommand

from backoffice.journeys import reference
from cms.services import reference as cms_reference


class Command(BaseCommand):
    help = "Makes the rows that every platform needs: roles, fee rules, policies, service levels, first pages."

    def handle(self, *args: Any, **options: Any) -> None:
        reference.load()
        cms_reference.load()
        self.stdout.write("reference data: in place")
