from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.creators import states
from backoffice.creators.models.application import CreatorApplication
from backoffice.creators.models.creator import Creator


class SocialAccount(Record):
    """An account elsewhere that shows who the person is (E-016)."""

    application = models.ForeignKey(
        CreatorApplication, models.CASCADE, null=True, blank=True, related_name="social_accounts"
    )
    creator = models.ForeignKey(Creator, models.CASCADE, null=True, blank=True, related_name="social_accounts")
    platform = models.CharField(_("platform"), max_length=12, choices=states.Platform)
    handle = models.CharField(_("handle"), max_length=100)
    url = models.URLField(_("address"), max_length=300, validators=[URLValidator(schemes=["https"])])
    follower_count = models.PositiveBigIntegerField(_("followers"), default=0)
    verified = models.BooleanField(_("belongs to the applicant"), default=False)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-follower_count", "created_at")
        constraints = (
            models.UniqueConstraint(fields=("creator", "platform", "handle"), name="social_account_once_per_creator"),
            models.UniqueConstraint(
                fields=("application", "platform", "handle"), name="social_account_once_per_application"
            ),
            models.CheckConstraint(
                name="social_account_has_owner",
                condition=models.Q(application__isnull=False) | models.Q(creator__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.platform} {str(self.pk)[-8:]}"
