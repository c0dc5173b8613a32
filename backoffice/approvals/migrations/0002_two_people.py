"""What the database refuses by itself, whoever writes: one person alone, and an edit behind the approvers' back."""

from typing import ClassVar

from django.db import migrations

from backoffice.core.database import AppendOnlyTable

RULES = """
-- An approval repeats who asked, so that its CHECK can refuse the requester's own yes.
ALTER TABLE approvals_approval
  ADD CONSTRAINT approvals_approval_requester FOREIGN KEY (request_id, requester_id)
  REFERENCES approvals_approvalrequest (id, requested_by_id);

CREATE FUNCTION approvals_new_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> 'pending' THEN
    RAISE EXCEPTION 'request % has to start as pending', NEW.reference USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approvals_new_request BEFORE INSERT ON approvals_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION approvals_new_request();

CREATE FUNCTION approvals_keep_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  given integer;
BEGIN
  IF (OLD.id, OLD.kind, OLD.subject_type, OLD.subject_id, OLD.requested_by_id, OLD.created_at)
     IS DISTINCT FROM (NEW.id, NEW.kind, NEW.subject_type, NEW.subject_id, NEW.requested_by_id, NEW.created_at) THEN
    RAISE EXCEPTION 'who asked for what in request % is written once', OLD.reference
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.payload, OLD.fingerprint, OLD.needed) IS DISTINCT FROM (NEW.payload, NEW.fingerprint, NEW.needed)
     AND NOT (NEW.revision = OLD.revision + 1 AND NEW.status = 'pending') THEN
    RAISE EXCEPTION 'an edit of request % makes a new revision that waits for approval', OLD.reference
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.revision <> OLD.revision AND NOT (NEW.revision = OLD.revision + 1 AND NEW.status = 'pending') THEN
    RAISE EXCEPTION 'revisions of request % follow one another', OLD.reference USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status IN ('approved', 'applied', 'failed') AND NEW.status <> OLD.status THEN
    IF NEW.status <> 'approved' AND OLD.status <> 'approved' THEN
      RAISE EXCEPTION 'request % is not approved', OLD.reference USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT count(*) INTO given FROM approvals_approval
     WHERE request_id = NEW.id AND revision = NEW.revision AND approver_id <> NEW.requested_by_id;
    IF given < NEW.needed THEN
      RAISE EXCEPTION 'request % has % of % approvals', OLD.reference, given, NEW.needed
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF OLD.status IN ('applied', 'failed', 'rejected', 'expired', 'withdrawn') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'request % is over', OLD.reference USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approvals_keep_request BEFORE UPDATE ON approvals_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION approvals_keep_request();

CREATE TRIGGER approvals_request_stays BEFORE DELETE ON approvals_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION backlot_refuse_change();
CREATE TRIGGER approvals_request_no_truncate BEFORE TRUNCATE ON approvals_approvalrequest
  FOR EACH STATEMENT EXECUTE FUNCTION backlot_refuse_change();

CREATE FUNCTION approvals_of_this_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked approvals_approvalrequest%ROWTYPE;
BEGIN
  SELECT * INTO asked FROM approvals_approvalrequest WHERE id = NEW.request_id;
  IF asked.status <> 'pending' OR asked.revision <> NEW.revision THEN
    RAISE EXCEPTION 'request % does not wait for approval at revision %', asked.reference, NEW.revision
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approvals_of_this_revision BEFORE INSERT ON approvals_approval
  FOR EACH ROW EXECUTE FUNCTION approvals_of_this_revision();
"""

BACK = """
DROP TRIGGER approvals_of_this_revision ON approvals_approval;
DROP FUNCTION approvals_of_this_revision();
DROP TRIGGER approvals_request_no_truncate ON approvals_approvalrequest;
DROP TRIGGER approvals_request_stays ON approvals_approvalrequest;
DROP TRIGGER approvals_keep_request ON approvals_approvalrequest;
DROP FUNCTION approvals_keep_request();
DROP TRIGGER approvals_new_request ON approvals_approvalrequest;
DROP FUNCTION approvals_new_request();
ALTER TABLE approvals_approval DROP CONSTRAINT approvals_approval_requester;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0002_database_roles"), ("approvals", "0001_initial")]

    operations: ClassVar = [migrations.RunSQL(RULES, BACK), AppendOnlyTable("approvals_approval")]
