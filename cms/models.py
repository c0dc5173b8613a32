"""The page types of the public pages; Wagtail looks for them here."""

from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.home.models import HomePage
from cms.policies.models import PolicyIndexPage, PolicyPage
from cms.training.models import TrainingIndexPage, TrainingPage

__all__ = [
    "HelpArticlePage",
    "HelpIndexPage",
    "HomePage",
    "PolicyIndexPage",
    "PolicyPage",
    "TrainingIndexPage",
    "TrainingPage",
]
