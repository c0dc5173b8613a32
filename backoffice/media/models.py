"""Files: uploads on their way, assets, and the checklist of what is done with each (E-025, F-013)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.media.states import PROCESSED, PROCESSING, UPLOAD, Processing, StepState, UploadState


class Asset(Record):
    """One stored file. Whoever owns it points here; files made from it have it as `parent`."""

    class Kind(models.TextChoices):
        VIDEO = "video", _("Video")
        AUDIO = "audio", _("Sound")
        IMAGE = "image", _("Picture")
        SUBTITLE = "subtitle", _("Subtitles")
        PROOF = "proof", _("Proof document")
        SAMPLE = "sample", _("Sample video")
        AVATAR = "avatar", _("Profile picture")
        THUMBNAIL = "thumbnail", _("Thumbnail")
        FRAME_GRID = "frame_grid", _("Frame grid")
        PREVIEW = "preview", _("Preview")
        HLS = "hls", _("Video stream")

    class Scan(models.TextChoices):
        PENDING = "pending", _("Not yet scanned")
        CLEAN = "clean", _("Clean")
        INFECTED = "infected", _("Infected")
        SKIPPED = "skipped", _("No scanner configured")

    owner_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="derived", verbose_name=_("made from")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    filename = models.CharField(_("file name"), max_length=255)
    # Of a stream: its master playlist, beside which everything else lies.
    storage_key = models.CharField(_("storage key"), max_length=500, unique=True, editable=False)
    content_type = models.CharField(_("content type"), max_length=100)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    # What the sender announced until the checksum step is done, then what was found.
    checksum_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    scan_status = models.CharField(_("virus scan"), max_length=10, choices=Scan.choices, default=Scan.PENDING)

    processing_status = models.CharField(
        _("processing"),
        max_length=12,
        choices=Processing.choices,
        default=Processing.UPLOADING,
        editable=False,
    )
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True, editable=False)
    # Attempts that were asked for by people (S-061); starts count every run of the present attempt.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    starts = models.PositiveSmallIntegerField(default=0, editable=False)
    error_code = models.CharField(_("error code"), max_length=40, blank=True, editable=False)
    error_detail = models.TextField(_("error"), blank=True, editable=False)

    duration_ms = models.PositiveBigIntegerField(_("duration (ms)"), null=True, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    # Facts of its kind: codecs, frames per second, loudness; a frame grid's shape; a stream's qualities.
    details = models.JSONField(_("details"), default=dict, blank=True)

    # A job to write when processing ends, for whoever waits for this file.
    then_kind = models.CharField(max_length=100, blank=True, editable=False)
    then_payload = models.JSONField(default=dict, blank=True, editable=False)

    machine: ClassVar[Machine] = PROCESSING

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes: ClassVar = [
            models.Index(fields=["processed_at"], name="asset_processed_at"),
            models.Index(fields=["id"], condition=Q(processing_status="processing"), name="asset_in_processing"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["parent", "kind"],
                condition=Q(parent__isnull=False),
                name="asset_one_of_a_kind_per_parent",
            ),
            models.CheckConstraint(
                condition=Q(processing_status__in=Processing.values), name="asset_processing_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(processing_status__in=["error", "quarantined"]) | ~Q(error_code=""),
                name="asset_failure_has_a_code",
            ),
            models.CheckConstraint(
                condition=Q(processing_status__in=["uploading", "processing"]) | Q(processed_at__isnull=False),
                name="asset_processed_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.id)[-8:]}"

    @property
    def is_ready(self) -> bool:
        return self.processing_status == Processing.READY

    @property
    def is_processed(self) -> bool:
        """Whether processing came to an end, good or bad."""
        return self.processing_status in PROCESSED


class Upload(Record):
    """A file on its way in parts; with the last part it becomes the asset of the same id (A-093)."""

    class Purpose(models.TextChoices):
        VIDEO = "video", _("Video of a title")
        AUDIO = "audio", _("Sound of a title")
        SUBTITLE = "subtitle", _("Subtitles")
        POSTER = "poster", _("Poster")
        IMAGE = "image", _("Picture")
        PROOF = "proof", _("Proof document")
        SAMPLE = "sample", _("Sample video")
        AVATAR = "avatar", _("Profile picture")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("by"))
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    filename = models.CharField(_("file name"), max_length=255)
    bytes = models.PositiveBigIntegerField(_("announced bytes"))
    content_type = models.CharField(_("announced type"), max_length=100)
    checksum_sha256 = models.CharField(_("announced SHA-256"), max_length=64, blank=True)
    storage_key = models.CharField(max_length=500, unique=True, editable=False)
    storage_reference = models.CharField(max_length=1100, editable=False)
    part_bytes = models.PositiveBigIntegerField(_("bytes per part"))
    part_count = models.PositiveIntegerField(_("parts"))
    state = models.CharField(
        _("state"), max_length=10, choices=UploadState.choices, default=UploadState.STARTED, editable=False
    )
    expires_at = models.DateTimeField(_("expires"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    asset = models.OneToOneField(
        Asset, models.SET_NULL, null=True, blank=True, related_name="upload", verbose_name=_("file")
    )

    machine: ClassVar[Machine] = UPLOAD

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(state="started"), name="upload_open"),
            models.Index(fields=["by", "state"], name="upload_by_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=UploadState.values), name="upload_state_known"),
            models.CheckConstraint(
                condition=Q(bytes__gt=0, part_bytes__gt=0, part_count__gt=0), name="upload_has_a_size"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {str(self.id)[-8:]}"

    def size_of_part(self, number: int) -> int:
        """Bytes of part `number`, counted from 1: all have `part_bytes`, the last what is left."""
        return min(self.part_bytes, self.bytes - (number - 1) * self.part_bytes)


class ProcessingStep(Record):
    """One line of an asset's checklist (F-013)."""

    class Name(models.TextChoices):
        VALIDATE = "validate", _("Type and size")
        CHECKSUM = "checksum", _("Checksum")
        SCAN = "scan", _("Virus scan")
        PROBE = "probe", _("Technical check")
        THUMBNAIL = "thumbnail", _("Thumbnail")
        FRAME_GRID = "frame_grid", _("Frame grid")
        PREVIEW = "preview", _("Review preview")
        HLS = "hls", _("Streaming qualities")

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="steps", verbose_name=_("file"))
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("step"), max_length=12, choices=Name.choices)
    state = models.CharField(
        _("state"), max_length=15, choices=StepState.choices, default=StepState.PENDING, editable=False
    )
    detail = models.TextField(_("detail"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("processing step")
        verbose_name_plural = _("processing steps")
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["asset", "name"], name="step_once_per_asset"),
            models.CheckConstraint(condition=Q(state__in=StepState.values), name="step_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {str(self.asset_id)[-8:]}"
