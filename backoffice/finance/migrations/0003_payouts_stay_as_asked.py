"""A bounced payout may stand beside the next one; who asked for a run and what a payout pays never change."""

from django.db import migrations, models

PINS = """
CREATE FUNCTION finance_run_keep_requester() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'who asked for payout run % is written once', OLD.reference USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_run_keep_requester BEFORE UPDATE ON finance_payoutrun
  FOR EACH ROW WHEN (OLD.requested_by_id IS DISTINCT FROM NEW.requested_by_id)
  EXECUTE FUNCTION finance_run_keep_requester();

CREATE FUNCTION finance_item_keep_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what payout % pays to whom is written once', OLD.id USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_item_keep_terms BEFORE UPDATE ON finance_payoutitem
  FOR EACH ROW WHEN (
    (OLD.run_id, OLD.creator_id, OLD.account_id, OLD.gross_minor, OLD.fee_minor, OLD.withholding_minor, OLD.net_minor,
     OLD.currency)
    IS DISTINCT FROM
    (NEW.run_id, NEW.creator_id, NEW.account_id, NEW.gross_minor, NEW.fee_minor, NEW.withholding_minor, NEW.net_minor,
     NEW.currency))
  EXECUTE FUNCTION finance_item_keep_terms();
"""

PINS_BACK = """
DROP TRIGGER finance_item_keep_terms ON finance_payoutitem;
DROP FUNCTION finance_item_keep_terms();
DROP TRIGGER finance_run_keep_requester ON finance_payoutrun;
DROP FUNCTION finance_run_keep_requester();
"""


class Migration(migrations.Migration):
    dependencies = [("finance", "0002_ledger_rules")]

    operations = [
        migrations.RemoveConstraint(model_name="payoutitem", name="payout_item_one_live_per_creator"),
        migrations.AddConstraint(
            model_name="payoutitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["reserved", "held", "submitting", "unknown", "needs_human", "sent"])
                ),
                fields=("creator", "currency"),
                name="payout_item_one_active_per_creator",
            ),
        ),
        migrations.RunSQL(PINS, PINS_BACK),
    ]
