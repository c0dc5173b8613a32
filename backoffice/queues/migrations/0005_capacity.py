"""One person's hand-outs come one after the other, so that two windows at the same instant keep to the capacity."""

from importlib import import_module

from django.db import migrations

before = import_module("backoffice.queues.migrations.0004_claim_next")
COUNTED = "    IF most IS NOT NULL AND most <="
ONE_AT_A_TIME = """    IF most IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('queues_claim_next ' || who, 0));
    END IF;
"""
assert before.CLAIM_NEXT.count(COUNTED) == 1


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0004_claim_next"),
    ]

    operations = [
        migrations.RunSQL(before.CLAIM_NEXT.replace(COUNTED, ONE_AT_A_TIME + COUNTED), before.CLAIM_NEXT),
    ]
