"""The rows that every platform needs before anybody works on it."""

from backoffice.accounts.services import roles
from backoffice.catalogue.services import reference as catalogue
from backoffice.finance.services import reference as finance
from backoffice.moderation.services import reference as moderation
from backoffice.support.services import reference as support


def load() -> None:
    """Makes roles, categories, fee rules, policies and service levels; safe to run again."""
    roles.load()
    catalogue.load()
    finance.load()
    moderation.load()
    support.load()
