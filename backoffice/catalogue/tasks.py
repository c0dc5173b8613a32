"""Background work of the catalogue."""

from backoffice.catalogue.services import titles
from backoffice.core import jobs


@jobs.handler(titles.ASSET_FINISHED)
def asset_finished(job: jobs.JobContext, *, asset_id: str) -> None:
    """A file reached its final state: the titles that show it take the state over."""
    titles.asset_finished(asset_id=asset_id)


@jobs.handler("catalogue.tick")
def tick(job: jobs.JobContext) -> None:
    """Every minute: titles whose video was finished without their hearing of it."""
    titles.catch_up()
