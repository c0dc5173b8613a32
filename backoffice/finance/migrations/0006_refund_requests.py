"""Refunds that staff ask for, and refunds that come back from the customer's bank."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.core.clock
import backoffice.core.ids
import backoffice.finance.models.refunds
from backoffice.core.database import AppendOnlyTable

# Whoever writes: what is asked for, what is under way and what went back together never exceed what was paid. The
# payment's row is locked, so that two requests at once see each other.
ROOM = """
CREATE FUNCTION finance_refund_has_room() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paid record;
  spoken_for bigint;
BEGIN
  SELECT amount_minor, refunded_minor, currency INTO paid FROM finance_payment WHERE id = NEW.payment_id FOR UPDATE;
  SELECT coalesce(sum(other.amount_minor), 0) INTO spoken_for FROM finance_refundrequest other
    WHERE other.payment_id = NEW.payment_id AND other.id <> NEW.id
      AND other.status IN ('requested', 'approved', 'processing', 'unknown', 'needs_human');
  IF NEW.currency <> paid.currency OR paid.refunded_minor + spoken_for + NEW.amount_minor > paid.amount_minor THEN
    RAISE EXCEPTION 'refund % is more than is left of the payment', NEW.reference USING ERRCODE = 'check_violation',
      CONSTRAINT = 'refund_request_has_room';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER finance_refund_has_room BEFORE INSERT ON finance_refundrequest
  FOR EACH ROW EXECUTE FUNCTION finance_refund_has_room();

CREATE FUNCTION finance_refund_keep_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what refund % gives back is written once', OLD.reference USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_refund_keep_terms BEFORE UPDATE ON finance_refundrequest
  FOR EACH ROW WHEN (
    (OLD.payment_id, OLD.amount_minor, OLD.currency, OLD.requested_by_id, OLD.is_single_handed)
    IS DISTINCT FROM (NEW.payment_id, NEW.amount_minor, NEW.currency, NEW.requested_by_id, NEW.is_single_handed))
  EXECUTE FUNCTION finance_refund_keep_terms();

-- Nothing is sent that the second person has not approved as it stands here.
CREATE FUNCTION finance_refund_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM approvals_approvalrequest approval
     WHERE approval.id = NEW.approval_id AND approval.kind = 'refund' AND approval.status = 'approved'
       AND approval.subject_id = NEW.id::text AND approval.requested_by_id = NEW.requested_by_id
       AND (approval.payload->>'amount_minor')::bigint = NEW.amount_minor
       AND (approval.needed > 0 OR NEW.is_single_handed)
  ) THEN
    RAISE EXCEPTION 'refund % is not approved', NEW.reference USING ERRCODE = 'check_violation',
      CONSTRAINT = 'refund_request_is_approved';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER finance_refund_is_approved BEFORE UPDATE ON finance_refundrequest
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status = 'approved')
  EXECUTE FUNCTION finance_refund_is_approved();

-- A request is over for good: only a refund that had succeeded can still come back.
CREATE FUNCTION finance_refund_keep_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'refund % is over', OLD.reference USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_refund_keep_end BEFORE UPDATE ON finance_refundrequest
  FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status
    AND (OLD.status IN ('failed', 'rejected', 'withdrawn') OR (OLD.status = 'succeeded' AND NEW.status <> 'failed')))
  EXECUTE FUNCTION finance_refund_keep_end();
"""

ROOM_BACK = """
DROP TRIGGER finance_refund_keep_end ON finance_refundrequest;
DROP FUNCTION finance_refund_keep_end();
DROP TRIGGER finance_refund_is_approved ON finance_refundrequest;
DROP FUNCTION finance_refund_is_approved();
DROP TRIGGER finance_refund_keep_terms ON finance_refundrequest;
DROP FUNCTION finance_refund_keep_terms();
DROP TRIGGER finance_refund_has_room ON finance_refundrequest;
DROP FUNCTION finance_refund_has_room();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_two_people"),
        ("finance", "0005_approvals_of_payout_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "reference",
                    models.CharField(
                        default=backoffice.finance.models.refunds.new_reference,
                        editable=False,
                        max_length=16,
                        unique=True,
                    ),
                ),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("requested", "The customer changed their mind"),
                            ("duplicate", "Paid twice"),
                            ("not_as_described", "Not as described"),
                            ("not_playable", "The title could not be played"),
                            ("taken_down", "The title was taken down"),
                            ("unauthorised", "The customer did not pay this themselves"),
                            ("goodwill", "Goodwill"),
                            ("other", "Another reason"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.TextField(blank=True, default="", verbose_name="note")),
                ("ticket", models.CharField(blank=True, default="", max_length=20, verbose_name="ticket")),
                ("is_single_handed", models.BooleanField(default=False, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Waiting for approval"),
                            ("approved", "Approved"),
                            ("processing", "With the provider"),
                            ("unknown", "Unknown: asking the provider"),
                            ("needs_human", "Needs a person"),
                            ("succeeded", "Refunded"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                (
                    "provider_refund_id",
                    models.CharField(blank=True, default="", max_length=255, verbose_name="provider's refund"),
                ),
                ("answer", models.CharField(blank=True, default="", max_length=30)),
                ("failure_code", models.CharField(blank=True, default="", max_length=100, verbose_name="error code")),
                ("failure", models.TextField(blank=True, default="", verbose_name="error")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("succeeded_at", models.DateTimeField(blank=True, null=True, verbose_name="refunded")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
            ],
            options={
                "verbose_name": "refund request",
                "verbose_name_plural": "refund requests",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="RefundReversal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("reversed_at", models.DateTimeField(verbose_name="came back")),
            ],
            options={
                "verbose_name": "refund that came back",
                "verbose_name_plural": "refunds that came back",
            },
        ),
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_step_once",
        ),
        migrations.AddField(
            model_name="payment",
            name="refund_readings",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="refund",
            name="generation",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="operation",
            field=models.CharField(
                choices=[
                    ("checkout", "Checkout page"),
                    ("transfer", "Transfer to the creator's account"),
                    ("payout", "Payout to the bank"),
                    ("refund", "Refund to the customer"),
                ],
                max_length=12,
                verbose_name="operation",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                fields=("payment", "generation", "cumulative_minor"), name="refund_step_once"
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="approval",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refund_request",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="payment",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refund_requests",
                to="finance.payment",
                verbose_name="payment",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="refund",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requests",
                to="finance.refund",
                verbose_name="posting",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="requested by",
            ),
        ),
        migrations.AddField(
            model_name="refundreversal",
            name="entry",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="refund_reversal_of", to="finance.entry"
            ),
        ),
        migrations.AddField(
            model_name="refundreversal",
            name="refund",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="reversal", to="finance.refund"
            ),
        ),
        migrations.AddIndex(
            model_name="refundrequest",
            index=models.Index(fields=["payment", "-id"], name="refund_request_payment"),
        ),
        migrations.AddIndex(
            model_name="refundrequest",
            index=models.Index(fields=["status", "-id"], name="refund_request_status"),
        ),
        migrations.AddIndex(
            model_name="refundrequest",
            index=models.Index(
                condition=models.Q(("ticket", ""), _negated=True), fields=["ticket"], name="refund_request_ticket"
            ),
        ),
        migrations.AddIndex(
            model_name="refundrequest",
            index=models.Index(
                condition=models.Q(("status__in", ["approved", "processing", "unknown"])),
                fields=["updated_at"],
                name="refund_request_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="refund_request_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "requested",
                            "approved",
                            "processing",
                            "unknown",
                            "needs_human",
                            "succeeded",
                            "failed",
                            "rejected",
                            "withdrawn",
                        ],
                    )
                ),
                name="refund_request_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "succeeded"), _negated=True),
                    models.Q(
                        ("refund__isnull", False),
                        ("succeeded_at__isnull", False),
                        models.Q(("provider_refund_id", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="refund_request_succeeded_is_counted",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status__in", ["approved", "processing", "unknown", "needs_human", "succeeded"]), _negated=True
                    ),
                    ("approval__isnull", False),
                    _connector="OR",
                ),
                name="refund_request_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["failed", "needs_human"]), _negated=True),
                    models.Q(("failure", ""), _negated=True),
                    _connector="OR",
                ),
                name="refund_request_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_refund_id", ""), _negated=True),
                fields=("provider_refund_id",),
                name="refund_request_provider_id_once",
            ),
        ),
        migrations.RunSQL(ROOM, ROOM_BACK),
        AppendOnlyTable("finance_refundreversal"),
    ]
