"""What a reviewer fills in beside the evidence: checks, scores, and the texts of a decision."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.creators import states
from backoffice.creators.models import CreatorApplication, QualityAssessment, VerificationDocument
from backoffice.creators.queries import Dossier
from backoffice.creators.services.reviews import Findings, shown_id
from backoffice.creators.states import InfoItem, PublicFigure

SCORE_CHOICES = [
    ("", _("Not judged")),
    ("1", _("1 · poor")),
    ("2", _("2 · weak")),
    ("3", _("3 · fine")),
    ("4", _("4 · good")),
    ("5", _("5 · excellent")),
]
MEETS = "3"

# A check's field, its digit key, and what to ask the applicant for when it fails.
CHECKS = (
    ("identity", "1", InfoItem.GOVERNMENT_ID),
    ("social", "2", InfoItem.SOCIAL),
    ("not_posing", "3", InfoItem.NOTE),
    ("appropriate", "4", InfoItem.SAMPLE),
    ("languages", "5", InfoItem.SAMPLE),
    ("background_passed", "6", InfoItem.BACKGROUND),
)


class ScoreField(forms.TypedChoiceField):
    """1 to 5, or not judged."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=SCORE_CHOICES, coerce=int, empty_value=None, required=False, **options)


class ReviewForm(forms.Form):
    """One form for every button of the dossier, so that nothing typed is lost whichever is pressed.

    Checks stand ticked until the reviewer marks a failing one: approving says that all of them pass.
    """

    token = forms.UUIDField(widget=forms.HiddenInput, required=False)
    bench = forms.BooleanField(widget=forms.HiddenInput, required=False)

    identity = forms.BooleanField(required=False, label=_("The ID is genuine, valid and shows the applicant"))
    social = forms.BooleanField(required=False, label=_("The ticked accounts belong to the applicant"))
    not_posing = forms.BooleanField(required=False, label=_("Does not pose as a public figure"))
    appropriate = forms.BooleanField(required=False, label=_("The sample is appropriate for the platform"))
    languages = forms.BooleanField(required=False, label=_("The sample confirms the languages named"))
    background_passed = forms.BooleanField(required=False, label=_("The background check is passed"))

    accounts = forms.MultipleChoiceField(required=False)
    public_figure = forms.ChoiceField(
        label=_("Public figure"),
        required=False,
        choices=[(PublicFigure.NO.value, _("no")), (PublicFigure.CONFIRMED.value, _("yes, confirmed"))],
    )
    background_required = forms.BooleanField(required=False, label=_("A background check is required"))
    document_expires_on = forms.DateField(
        required=False,
        label=_("The ID is valid until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    # Which ID that day is about, as the page was made.
    date_of = forms.UUIDField(widget=forms.HiddenInput, required=False)
    video_quality = ScoreField(label=_("Video"))
    audio_quality = ScoreField(label=_("Audio"))
    content_rating = ScoreField(label=_("Content"))
    cultural_authenticity = ScoreField(label=_("Cultural authenticity"))
    notes = forms.CharField(
        required=False,
        max_length=4000,
        label=_("Notes for colleagues"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    asked = forms.MultipleChoiceField(required=False, choices=InfoItem.choices)
    request_text = forms.CharField(
        required=False, max_length=4000, label=_("Your request"), widget=forms.Textarea(attrs={"rows": 6})
    )
    reject_text = forms.CharField(
        required=False, max_length=4000, label=_("Your own words"), widget=forms.Textarea(attrs={"rows": 4})
    )
    escalate_reason = forms.CharField(
        required=False,
        max_length=500,
        label=_("What should they look at?"),
        widget=forms.Textarea(attrs={"rows": 3, "data-focus": True}),
    )

    def __init__(self, *args: Any, dossier: Dossier, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dossier = dossier
        field = self.fields["accounts"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(account.pk), account.handle) for account in dossier.accounts]
        for name, bound in self.fields.items():
            bound.widget.attrs |= {"form": "review"} if name not in ("token", "bench") else {}

    def checks(self) -> list[dict[str, Any]]:
        """The checks with their keys, in screen order."""
        return [{"field": self[name], "key": key, "asks": asks.value} for name, key, asks in CHECKS]

    def scores(self) -> list[forms.BoundField]:
        """The four scored parts; the fifth, appropriateness, is a check."""
        names = ("video_quality", "audio_quality", "content_rating", "cultural_authenticity")
        return [self[name] for name in names]

    def dated(self) -> VerificationDocument | None:
        """The ID that the date is about, when there are several."""
        ids = [paper for paper in self.dossier.documents if paper.document_type in states.IDENTITY_TYPES]
        named = str(self["date_of"].value())
        return next((paper for paper in ids if str(paper.pk) == named), None) if len(ids) > 1 else None

    def words(self) -> list[forms.BoundField]:
        """The texts that go out with a decision; they stand in its dialogs."""
        return [self[name] for name in ("request_text", "reject_text", "escalate_reason")]

    def findings(self, *, documents: tuple[UUID, ...] = ()) -> Findings:
        """The findings as the domain takes them; `documents` are those this decision verifies."""
        data = self.cleaned_data
        ticked = {UUID(pk) for pk in data["accounts"]} if data["social"] else set()
        languages = self.dossier.application.languages if data["languages"] else []
        outcome = data["public_figure"] or PublicFigure.NO
        return Findings(
            identity=data["identity"],
            verified_documents=documents if data["identity"] else (),
            document_expires_on=data["document_expires_on"],
            dated_document=data["date_of"],
            checked_accounts=tuple(a.pk for a in self.dossier.accounts if a.pk in ticked),
            refused_accounts=tuple(a.pk for a in self.dossier.accounts if a.pk not in ticked),
            public_figure=outcome if data["not_posing"] else PublicFigure.DOUBTFUL,
            background_required=data["background_required"],
            background_passed=data["background_passed"] if data["background_required"] else None,
            video_quality=data["video_quality"],
            audio_quality=data["audio_quality"],
            content_rating=data["content_rating"],
            cultural_authenticity=data["cultural_authenticity"],
            appropriate=data["appropriate"],
            languages_confirmed=tuple(languages),
            notes=data["notes"],
        )


def initial(dossier: Dossier) -> dict[str, Any]:
    """What the form shows first: saved findings, else every check standing and all scores at the standard."""
    application = dossier.application
    assessment = _assessment(application)
    accounts = [str(a.pk) for a in dossier.accounts if a.verified or a.checked_at is None]
    checked = any(a.checked_at is not None for a in dossier.accounts)
    paper = shown_id(dossier.documents)
    values: dict[str, Any] = {
        "identity": not application.identity_failed or _came_since(dossier, assessment),
        "social": any(a.verified for a in dossier.accounts) or not checked,
        "not_posing": application.public_figure != PublicFigure.DOUBTFUL,
        "accounts": accounts,
        "public_figure": PublicFigure.CONFIRMED
        if application.public_figure == PublicFigure.CONFIRMED
        else PublicFigure.NO,
        "background_required": application.background_required,
        "background_passed": bool(application.background_passed),
        "document_expires_on": paper.document_expires_on if paper is not None else None,
        "date_of": paper.pk if paper is not None else None,
        "appropriate": True,
        "languages": True,
        "video_quality": MEETS,
        "audio_quality": MEETS,
        "content_rating": MEETS,
        "cultural_authenticity": MEETS,
    }
    if assessment is not None:
        values |= {
            "appropriate": assessment.appropriate is not False,
            "languages": bool(assessment.languages_confirmed),
            "video_quality": assessment.video_quality,
            "audio_quality": assessment.audio_quality,
            "content_rating": assessment.content_rating,
            "cultural_authenticity": assessment.cultural_authenticity,
            "notes": assessment.notes,
        }
    return values


def _came_since(dossier: Dossier, assessment: QualityAssessment | None) -> bool:
    """Whether an ID came after the findings were saved: the one that failed is not the last word then."""
    since = assessment.assessed_at if assessment is not None else None
    return since is not None and any(
        paper.document_type in states.IDENTITY_TYPES and paper.status in states.GIVEN and paper.created_at > since
        for paper in dossier.documents
    )


def _assessment(application: CreatorApplication) -> QualityAssessment | None:
    return getattr(application, "assessment", None)


class ReasonForm(forms.Form):
    """A reason, and for a suspension optionally its end."""

    reason = forms.CharField(max_length=2000, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}))
    until = forms.DateField(
        required=False,
        label=_("Until (optional)"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
