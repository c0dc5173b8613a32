"""Approvals of payout runs move to `backoffice.approvals`, with everything that was approved until now."""

from collections import defaultdict
from datetime import timedelta
from itertools import batched

from django.conf import settings
from django.db import connections, migrations
from django.db.models import F

from backoffice.approvals.models import new_reference
from backoffice.core import clock

KIND, SUBJECT = "payout", "finance.payoutrun"
AT_ONCE = 500
# What was submitted has a request; how it stands there.
ENDS = {
    "submitted": "pending",
    "approved": "approved",
    "executing": "applied",
    "settled": "applied",
    "partially_failed": "applied",
    "rejected": "rejected",
    "cancelled": "withdrawn",
}
# The settings' values until somebody changes them.
DUAL_APPROVAL_OVER, APPROVAL_DAYS = 1_000_00, 30


def carry_over(apps, schema_editor):
    """A request for every run that was submitted, at the run's revision, and every yes at the revision it was for."""
    database = schema_editor.connection.alias
    Run, Old = apps.get_model("finance", "PayoutRun"), apps.get_model("finance", "Approval")
    runs = (
        Run.objects.using(database)
        .filter(status__in=ENDS, submitted_at__isnull=False)
        .select_related("method")
        .order_by("pk")
    )
    threshold = _threshold(apps, database)
    for some in batched(runs.iterator(chunk_size=AT_ONCE), AT_ONCE):
        given = defaultdict(list)
        for old in Old.objects.using(database).filter(run__in=[run.pk for run in some]).order_by("approved_at", "pk"):
            given[old.run_id].append(old)
        _carry_over(apps, database, some, given, threshold)


def _carry_over(apps, database, runs, given, threshold):
    Request, Approval = apps.get_model("approvals", "ApprovalRequest"), apps.get_model("approvals", "Approval")
    requests = Request.objects.using(database)
    made = {run.pk: _request(Request, run, given[run.pk], threshold) for run in runs}
    requests.bulk_create(made.values())
    # The database takes a yes for the present revision only: every request goes through its revisions.
    for revision in range(1, max(run.revision for run in runs) + 1):
        Approval.objects.using(database).bulk_create(
            Approval(
                request=made[run.pk],
                requester_id=old.requester_id,
                approver_id=old.approver_id,
                revision=revision,
                approved_at=old.approved_at,
                created_at=old.created_at,
            )
            for run in runs
            for old in given[run.pk]
            if old.revision == revision
        )
        goes_on = [made[run.pk].pk for run in runs if run.revision > revision]
        requests.filter(pk__in=goes_on).update(revision=F("revision") + 1)
    for run in runs:
        _end(requests.filter(pk=made[run.pk].pk), run, [old for old in given[run.pk] if old.revision == run.revision])


def _request(Request, run, given, threshold):
    totals = run.preview.get("totals", {})
    needed = 1 if run.currency == "USD" and totals.get("gross_minor", 0) <= threshold else 2
    if run.status not in ("submitted", "rejected", "cancelled"):
        # It was enough for the threshold of its day; where nobody has approved, `verify_ledger` says so.
        needed = len({old.approver_id for old in given if old.revision == run.revision})
    return Request(
        reference=new_reference(),
        kind=KIND,
        subject_type=SUBJECT,
        subject_id=str(run.pk),
        label=run.reference,
        payload={
            "run": run.reference,
            "origin": run.origin,
            "method": run.method.code,
            "method_name": run.method.name,
            "currency": run.currency,
            "totals": totals,
            "snapshot_hash": run.snapshot_hash,
        },
        fingerprint=run.snapshot_hash,
        needed=needed,
        status="pending",
        requested_by_id=run.requested_by_id,
        # Nobody was told of a time limit: it begins with this change.
        expires_at=clock.now() + timedelta(days=APPROVAL_DAYS) if run.status == "submitted" else None,
        created_at=run.submitted_at,
    )


def _end(request, run, counting):
    status = ENDS[run.status]
    if status in ("approved", "applied"):
        last = counting[-1] if counting else None
        request.update(
            status="approved",
            decided_by_id=last and last.approver_id,
            decided_at=last.approved_at if last else run.approved_at,
        )
        if status == "applied":
            request.update(status="applied")
    elif status != "pending":
        request.update(status=status, decided_at=run.updated_at, decision_reason=run.rejected_reason)


def _threshold(apps, database):
    versions = apps.get_model("configuration", "SettingVersion").objects.using(database)
    newest = versions.filter(key="payout.dual_approval_over").order_by("-created_at").first()
    return newest.value if newest is not None else DUAL_APPROVAL_OVER


def carry_back(apps, schema_editor):
    """Every yes to its run again. Of an earlier preview only the revision is known, not its hash."""
    database = schema_editor.connection.alias
    Run, Old = apps.get_model("finance", "PayoutRun"), apps.get_model("finance", "Approval")
    Request, Approval = apps.get_model("approvals", "ApprovalRequest"), apps.get_model("approvals", "Approval")
    given = Approval.objects.using(database).filter(request__kind=KIND).select_related("request").order_by("pk")
    for some in batched(given.iterator(chunk_size=AT_ONCE), AT_ONCE):
        runs = Run.objects.using(database).in_bulk([approval.request.subject_id for approval in some])
        by_key = {str(key): run for key, run in runs.items()}
        Old.objects.using(database).bulk_create(
            Old(
                run=by_key[approval.request.subject_id],
                requester_id=approval.requester_id,
                approver_id=approval.approver_id,
                revision=approval.revision,
                snapshot_hash=approval.request.fingerprint if approval.revision == approval.request.revision else "",
                approved_at=approval.approved_at,
                created_at=approval.created_at,
            )
            for approval in some
        )
    # The tables refuse deletion; going back to the time before them is the one exception.
    tables = [Approval._meta.db_table, Request._meta.db_table]
    with connections[database].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        requests = Request.objects.using(database).filter(kind=KIND)
        Approval.objects.using(database).filter(request__in=requests)._raw_delete(database)
        requests._raw_delete(database)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# Only on the way back: the table as it was guarded before.
GUARDS_BACK = """
ALTER TABLE finance_approval
  ADD CONSTRAINT finance_approval_requester FOREIGN KEY (run_id, requester_id)
  REFERENCES finance_payoutrun (id, requested_by_id);
CREATE TRIGGER finance_approval_append_only BEFORE UPDATE OR DELETE ON finance_approval
  FOR EACH ROW EXECUTE FUNCTION backlot_refuse_change();
CREATE TRIGGER finance_approval_no_truncate BEFORE TRUNCATE ON finance_approval
  FOR EACH STATEMENT EXECUTE FUNCTION backlot_refuse_change();
"""


def revoke_back(apps, schema_editor):
    role = schema_editor.quote_name(settings.DATABASE_APP_ROLE)
    schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON finance_approval FROM {role}")


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0004_rule_names_its_request"),
        ("approvals", "0002_two_people"),
        ("configuration", "0002_append_only"),
    ]

    operations = [
        migrations.RunPython(carry_over, carry_back),
        migrations.RunPython(migrations.RunPython.noop, revoke_back),
        migrations.RunSQL(migrations.RunSQL.noop, GUARDS_BACK),
        migrations.DeleteModel(name="Approval"),
        migrations.RemoveConstraint(model_name="payoutrun", name="payout_run_requester"),
    ]
