"""Reading and changing settings."""

from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.core.errors import Invalid

CACHE_SECONDS = 3600  # N-071; a change drops the cached value at once


def get(key: str) -> Any:
    """The value in force. KeyError for a key that is not declared in `defaults`."""
    setting = DEFAULTS[key]
    cached = cache.get(f"setting:{key}")
    if cached is not None:
        return cached["value"]
    row = SettingVersion.objects.filter(key=key).order_by("-created_at").first()
    value = row.value if row is not None else setting.default
    cache.set(f"setting:{key}", {"value": value}, CACHE_SECONDS)
    return value


def change(*, key: str, value: Any, by: Any, reason: str) -> SettingVersion:
    """Sets a new value. Invalid when the key is unknown or the value is not of its type."""
    setting = DEFAULTS.get(key)
    if setting is None:
        raise Invalid(_("There is no setting “%(key)s”.") % {"key": key}, field="key")
    if type(value) is not setting.type:
        raise Invalid(
            _("“%(key)s” takes a value of type %(type)s.") % {"key": key, "type": setting.type.__name__}, field="value"
        )
    with transaction.atomic():
        before = get(key)
        row = SettingVersion.objects.create(key=key, value=value, reason=reason, changed_by=by)
        entries.record(
            action="setting.change", by=by, subject=row, reason=reason, before={"value": before}, after={"value": value}
        )
        transaction.on_commit(lambda: cache.delete(f"setting:{key}"))
    return row
