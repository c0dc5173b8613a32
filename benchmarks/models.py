"""A ledger as it is often written first: tables, Python, and no rule in the database but its foreign keys."""

from typing import ClassVar

from django.db import models


class PlainAccount(models.Model):
    """An account with its running balance, in minor units."""

    kind = models.CharField(max_length=24)
    owner = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "owner", "currency"], name="plain_account_one_per_owner")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class PlainEntry(models.Model):
    """One dated fact about money."""

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=24)
    effective_date = models.DateField()
    posted_at = models.DateTimeField()
    source_type = models.CharField(max_length=60)
    source_id = models.CharField(max_length=64)
    memo = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["source_type", "source_id"], name="plain_entry_source")]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class PlainPosting(models.Model):
    """A signed amount on one account, in minor units."""

    entry = models.ForeignKey(PlainEntry, models.PROTECT, related_name="postings")
    account = models.ForeignKey(PlainAccount, models.PROTECT, related_name="postings")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return f"posting {self.pk}"


PLAIN = (PlainAccount, PlainEntry, PlainPosting)
