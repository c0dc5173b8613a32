"""Makes the first Super Admin, or a second one when approvals wait for nobody (P-030)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.accounts.models import User
from backoffice.accounts.services import invitations
from backoffice.core.errors import DomainError


class Command(BaseCommand):
    """Prints the invitation link of a new person, or gives the role to a colleague; every Super Admin is told."""

    help = "Makes a Super Admin: invites a new person and prints the link, or gives the role to a colleague."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="the person's work address")
        parser.add_argument("--name", default="", help="the person's name; by default the address before the @")
        parser.add_argument("--language", default="en", choices=User.Language.values)
        parser.add_argument("--reason", default="Made on the server", help="kept in the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        try:
            invitation = invitations.make_super_admin(
                email=email,
                display_name=options["name"] or email.partition("@")[0],
                language=options["language"],
                reason=options["reason"],
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        if invitation is None:
            self.stdout.write(f"{email} is a Super Admin now.")
            return
        until = invitation.expires_at.strftime("%Y-%m-%d %H:%M UTC")
        self.stdout.write(f"{email} is invited as Super Admin. Hand over this link; it works once, until {until}:")
        self.stdout.write(invitations.new_link(invitation))
