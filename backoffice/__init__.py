"""The back office. Importing the Celery application here makes `shared_task` find it."""

from backoffice.celery import app as celery_app

__all__ = ("celery_app",)
