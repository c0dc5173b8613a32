"""The product's Celery application with one more kind of job: ``celery -A tests.verification.worker worker``."""

from backoffice.celery import app

# Imported by the worker once Django is set up.
app.conf.imports = [*app.conf.imports, "tests.verification.handlers"]

__all__ = ["app"]
