"""Import runs, what was wrong with them, and where their rows went (E-089)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.ids import reference
from backoffice.core.models import Job, Record
from backoffice.journeys.states import MACHINE, RunStatus


def new_reference() -> str:
    """A fresh reference such as IM-7K2M9QBD."""
    return reference("IM")


class ImportRun(Record):
    """One file on its way in: uploaded, checked, confirmed by the same person in the same session,
    written."""

    class Resource(models.TextChoices):
        CREATORS = "creators", _("Creators")
        TITLES = "titles", _("Titles")
        SALES = "sales", _("Past sales")

    reference = models.CharField(_("reference"), max_length=16, unique=True, default=new_reference, editable=False)
    resource = models.CharField(_("what"), max_length=20, choices=Resource.choices)
    filename = models.CharField(_("file"), max_length=200)
    format = models.CharField(_("format"), max_length=60, blank=True)
    digest = models.CharField(_("SHA-256 of the file"), max_length=64)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    status = models.CharField(
        _("status"), max_length=12, choices=RunStatus.choices, default=RunStatus.UPLOADED, editable=False
    )
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    rows_new = models.PositiveIntegerField(_("new rows"), default=0)
    rows_failed = models.PositiveIntegerField(_("rows with errors"), default=0)
    errors_total = models.PositiveIntegerField(_("errors"), default=0)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    session_digest = models.CharField(max_length=64, editable=False)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    applied_at = models.DateTimeField(_("imported"), null=True, blank=True)

    machine: ClassVar = MACHINE

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status__in=[RunStatus.READY, RunStatus.CONFIRMED, RunStatus.APPLIED]) | Q(errors_total=0),
                name="import_run_goes_on_without_errors",
            ),
            # The same file is written once; a second upload of it is told so.
            models.UniqueConstraint(
                fields=["resource", "digest"],
                condition=Q(status__in=[RunStatus.CONFIRMED, RunStatus.APPLIED]),
                name="import_run_file_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-created_at"], name="import_run_newest")]

    def __str__(self) -> str:
        return self.reference


class ImportFile(models.Model):
    """The uploaded bytes, in the database so that any worker can read them; deleted when the run is over."""

    run = models.OneToOneField(ImportRun, models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField(_("content"))

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")

    def __str__(self) -> str:
        return f"file {str(self.run_id)[-8:]}"


class ImportProblem(models.Model):
    """One thing that is wrong: row and column as the sheet shows them (the header is row 1), and the
    cause."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="errors")
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=100, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    cause = models.CharField(_("cause"), max_length=500)

    class Meta:
        verbose_name = _("import problem")
        verbose_name_plural = _("import problems")
        ordering: ClassVar = ["row", "id"]
        indexes: ClassVar = [models.Index(fields=["run", "row", "id"], name="import_problem_in_order")]

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}"


class ImportedRow(models.Model):
    """Which row of the other system became which row here; keeps the legacy id (Q-002)."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, models.PROTECT, related_name="imported")
    resource = models.CharField(_("what"), max_length=20, choices=ImportRun.Resource.choices)
    external_id = models.CharField(_("id in the other system"), max_length=200)
    subject_id = models.UUIDField(_("key here"))

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        constraints: ClassVar = [models.UniqueConstraint(fields=["resource", "external_id"], name="imported_row_once")]

    def __str__(self) -> str:
        return f"{self.resource} {str(self.subject_id)[-8:]}"
