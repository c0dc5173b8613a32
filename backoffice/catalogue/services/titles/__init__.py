"""Titles: one module per group of verbs, all of them `titles.<verb>` (S-049 to S-061)."""

from backoffice.catalogue.services.titles.deciding import approve, classify, reject, restore, take_down
from backoffice.catalogue.services.titles.guards import OPEN_CASE, owner_of
from backoffice.catalogue.services.titles.offering import Files, create, offer, submit, update
from backoffice.catalogue.services.titles.processing import (
    ASSET_FINISHED,
    asset_finished,
    catch_up,
    mark_processing,
    retry_processing,
    retry_video,
)

__all__ = [
    "ASSET_FINISHED",
    "OPEN_CASE",
    "Files",
    "approve",
    "asset_finished",
    "catch_up",
    "classify",
    "create",
    "mark_processing",
    "offer",
    "owner_of",
    "reject",
    "restore",
    "retry_processing",
    "retry_video",
    "submit",
    "take_down",
    "update",
]
