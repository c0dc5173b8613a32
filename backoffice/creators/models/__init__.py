"""Tables of the creators domain."""

from .application import CreatorApplication, QualityAssessment
from .creator import Creator
from .document import DocumentKey, VerificationDocument
from .social import SocialAccount

__all__ = [
    "Creator",
    "CreatorApplication",
    "DocumentKey",
    "QualityAssessment",
    "SocialAccount",
    "VerificationDocument",
]
