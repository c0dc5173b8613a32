"""The life of an import run (E-089)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class RunStatus(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", _("Being checked")
    REFUSED = "refused", _("Has errors")
    READY = "ready", _("Checked, nothing written yet")
    CONFIRMED = "confirmed", _("Being written")
    APPLIED = "applied", _("Imported")
    DISCARDED = "discarded", _("Discarded")


EDIT = "imports.edit"
RUNNING = (RunStatus.UPLOADED, RunStatus.CONFIRMED)

MACHINE = Machine(
    "import_run",
    field="status",
    record=entries.record_transition,
    rows=[
        (RunStatus.UPLOADED, "pass", RunStatus.READY, ""),
        (RunStatus.UPLOADED, "refuse", RunStatus.REFUSED, ""),
        (RunStatus.READY, "confirm", RunStatus.CONFIRMED, EDIT),
        (RunStatus.CONFIRMED, "apply", RunStatus.APPLIED, ""),
        # The database changed between the check and the writing.
        (RunStatus.CONFIRMED, "refuse", RunStatus.REFUSED, ""),
        (RunStatus.UPLOADED, "discard", RunStatus.DISCARDED, EDIT),
        (RunStatus.REFUSED, "discard", RunStatus.DISCARDED, EDIT),
        (RunStatus.READY, "discard", RunStatus.DISCARDED, EDIT),
    ],
)
