"""The few refunds that wait for somebody are found without reading the many that are over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("finance", "0006_refund_requests")]

    operations = [
        migrations.AddIndex(
            model_name="refundrequest",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["requested", "approved", "processing", "unknown", "needs_human"]),
                    ("failure_code", "contradiction"),
                    _connector="OR",
                ),
                fields=["-id"],
                name="refund_request_open",
            ),
        ),
    ]
