"""Tables of the creators domain."""

from .application import CreatorApplication, QualityAssessment
from .creator import Creator
from .document import DocumentKey, KeyRotation, VerificationDocument
from .hold import LegalHold
from .onboarding import (
    AvailabilityBlock,
    BadgeGrant,
    CreatorAgreement,
    OnboardingStep,
    ServiceOffering,
    TrainingModule,
    TrainingProgress,
)
from .sanction import Sanction
from .social import SocialAccount
from .tax import TaxProfile

__all__ = [
    "AvailabilityBlock",
    "BadgeGrant",
    "Creator",
    "CreatorAgreement",
    "CreatorApplication",
    "DocumentKey",
    "KeyRotation",
    "LegalHold",
    "OnboardingStep",
    "QualityAssessment",
    "Sanction",
    "ServiceOffering",
    "SocialAccount",
    "TaxProfile",
    "TrainingModule",
    "TrainingProgress",
    "VerificationDocument",
]
