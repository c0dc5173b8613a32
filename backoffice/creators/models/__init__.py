"""Tables of the creators domain."""

from .application import CreatorApplication, QualityAssessment
from .creator import Creator
from .document import DocumentKey, KeyRotation, VerificationDocument
from .hold import LegalHold
from .social import SocialAccount
from .tax import TaxProfile

__all__ = [
    "Creator",
    "CreatorApplication",
    "DocumentKey",
    "KeyRotation",
    "LegalHold",
    "QualityAssessment",
    "SocialAccount",
    "TaxProfile",
    "VerificationDocument",
]
