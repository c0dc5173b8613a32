"""A fee rule may be called off before it starts: its end is then its start, whether it had an end or not."""

from django.db import migrations, models
from django.db.models import F, Q

RULES = """
CREATE OR REPLACE FUNCTION finance_rule_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.valid_to = NEW.valid_from THEN
      RAISE EXCEPTION 'a fee rule covers some time' USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_span';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'valid_to' - 'updated_at' = to_jsonb(NEW) - 'valid_to' - 'updated_at' THEN
    IF OLD.valid_to IS NULL AND NEW.valid_to > OLD.valid_from THEN
      RETURN NEW;
    END IF;
    -- Called off: only what nobody can have sold under yet.
    IF NEW.valid_to = OLD.valid_from AND OLD.valid_to IS DISTINCT FROM OLD.valid_from
       AND OLD.valid_from > clock_timestamp() THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '% of a fee rule is refused: only its end may be set, once', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER finance_rule_keep ON finance_ruleversion;
CREATE TRIGGER finance_rule_keep BEFORE INSERT OR UPDATE OR DELETE ON finance_ruleversion
  FOR EACH ROW EXECUTE FUNCTION finance_rule_keep();
"""

RULES_BACK = """
CREATE OR REPLACE FUNCTION finance_rule_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.valid_to IS NULL AND NEW.valid_to IS NOT NULL
     AND to_jsonb(OLD) - 'valid_to' - 'updated_at' = to_jsonb(NEW) - 'valid_to' - 'updated_at' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a fee rule is refused: only its end may be set, once', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER finance_rule_keep ON finance_ruleversion;
CREATE TRIGGER finance_rule_keep BEFORE UPDATE OR DELETE ON finance_ruleversion
  FOR EACH ROW EXECUTE FUNCTION finance_rule_keep();
"""


class Migration(migrations.Migration):
    dependencies = [("finance", "0007_open_refunds")]

    operations = [
        migrations.RemoveConstraint(model_name="ruleversion", name="rule_span"),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="rule_span"
            ),
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
