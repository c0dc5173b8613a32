"""A fee rule names the request that two people put it in force by."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0001_initial"),
        ("finance", "0003_payouts_stay_as_asked"),
    ]

    operations = [
        migrations.AddField(
            model_name="ruleversion",
            name="approval",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.approvalrequest",
                verbose_name="approved request",
            ),
        ),
    ]
