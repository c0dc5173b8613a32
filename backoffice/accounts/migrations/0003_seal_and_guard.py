"""Second-factor secrets become ciphertext, roles that people hold get their grant, events become insert-only."""

from django.conf import settings
from django.db import migrations
from django.db.models import Q

from backoffice.accounts import sealing
from backoffice.accounts.roles import ROLES
from backoffice.core.database import AppendOnlyTable


def _change(apps, change):
    """Runs every secret of every factor through ``change``."""
    Authenticator = apps.get_model("mfa", "Authenticator")
    for row in Authenticator.objects.filter(Q(type="totp") | Q(type="recovery_codes")).iterator():
        data = dict(row.data)
        for name in ("secret", "seed"):
            if name in data:
                data[name] = change(data[name])
        if "migrated_codes" in data:
            data["migrated_codes"] = [change(code) for code in data["migrated_codes"]]
        if data != row.data:
            row.data = data
            row.save(update_fields=["data"])


def seal(apps, schema_editor):
    _change(apps, lambda text: text if sealing.is_sealed(text) else sealing.seal(text))


def open_again(apps, schema_editor):
    _change(apps, lambda text: sealing.open_sealed(text) if sealing.is_sealed(text) else text)


def note_grants(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    RoleGrant = apps.get_model("accounts", "RoleGrant")
    for user in User.objects.filter(is_staff=True).prefetch_related("groups"):
        for group in user.groups.all():
            if group.name in ROLES and not RoleGrant.objects.filter(user=user, role=group.name, ended_at=None).exists():
                RoleGrant.objects.create(user=user, role=group.name)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_staff_access"),
        ("core", "0002_database_roles"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AppendOnlyTable("accounts_securityevent"),
        migrations.RunPython(seal, open_again),
        migrations.RunPython(note_grants, migrations.RunPython.noop),
    ]
