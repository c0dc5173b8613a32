"""What an approver reads changes with a new revision only, and no edit does away with the second person."""

from typing import ClassVar

from django.db import migrations

RULES = """
CREATE FUNCTION approvals_keep_what_is_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.reason <> OLD.reason THEN
    RAISE EXCEPTION 'why request % was asked for is written once', OLD.reference USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.needed = 0 AND OLD.needed > 0 THEN
    RAISE EXCEPTION 'request % needs another person', OLD.reference USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.revision = OLD.revision
     AND (OLD.label, OLD.before, OLD.expires_at) IS DISTINCT FROM (NEW.label, NEW.before, NEW.expires_at) THEN
    RAISE EXCEPTION 'another text or time of request % makes a new revision', OLD.reference
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approvals_keep_what_is_read BEFORE UPDATE ON approvals_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION approvals_keep_what_is_read();
"""

BACK = """
DROP TRIGGER approvals_keep_what_is_read ON approvals_approvalrequest;
DROP FUNCTION approvals_keep_what_is_read();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0002_two_people")]

    operations: ClassVar = [migrations.RunSQL(RULES, BACK)]
