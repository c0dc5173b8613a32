"""What every server process does before it takes work: the security checks, and no start when one fails."""

from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks
from django.core.management.base import SystemCheckError


def refuse_unsafe() -> None:
    """Runs the security checks; in production also Django's own for deployment. Raises SystemCheckError.

    `manage.py` runs checks before its commands; a WSGI server or a worker would not.
    """
    found = run_checks(tags=[Tags.security], include_deployment_checks=settings.PRODUCTION)
    wrong = [message for message in found if message.is_serious(ERROR) and not message.is_silenced()]
    if wrong:
        raise SystemCheckError("Not started:\n" + "\n".join(str(message) for message in wrong))
