"""The rules that the database keeps by itself, whoever writes (money.md, "Ledger")."""

from django.conf import settings
from django.db import migrations

from backoffice.core.database import AppendOnlyTable

STRUCTURE = """
-- An entry that nobody sealed cannot be committed.
ALTER TABLE finance_entry
  ADD CONSTRAINT finance_entry_sealed FOREIGN KEY (id) REFERENCES finance_seal (entry_id)
  DEFERRABLE INITIALLY DEFERRED;

-- A posting has its account's currency.
ALTER TABLE finance_posting
  ADD CONSTRAINT finance_posting_account_currency FOREIGN KEY (account_id, currency)
  REFERENCES finance_account (id, currency);

-- An approval repeats who asked for the run, so that its CHECK can refuse the requester's own yes.
ALTER TABLE finance_approval
  ADD CONSTRAINT finance_approval_requester FOREIGN KEY (run_id, requester_id)
  REFERENCES finance_payoutrun (id, requested_by_id);
"""

STRUCTURE_BACK = """
ALTER TABLE finance_approval DROP CONSTRAINT finance_approval_requester;
ALTER TABLE finance_posting DROP CONSTRAINT finance_posting_account_currency;
ALTER TABLE finance_entry DROP CONSTRAINT finance_entry_sealed;
"""

# Balances are written by these functions alone: they run with the owner's rights, the application has none there.
BALANCES = """
CREATE FUNCTION finance_open_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.kind IN ('creator_pending', 'creator_available', 'creator_in_transit', 'customer_credit') THEN
    INSERT INTO finance_balance (account_id, amount, floor, ceiling) VALUES (NEW.id, 0, 0, NULL);
  ELSIF NEW.kind = 'creator_receivable' THEN
    INSERT INTO finance_balance (account_id, amount, floor, ceiling) VALUES (NEW.id, 0, NULL, 0);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER finance_account_opens_balance AFTER INSERT ON finance_account
  FOR EACH ROW EXECUTE FUNCTION finance_open_balance();

CREATE FUNCTION finance_refuse_late_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  late bigint;
BEGIN
  SELECT added.entry_id INTO late FROM added JOIN finance_seal seal ON seal.entry_id = added.entry_id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry % is sealed and takes no further posting', late USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER finance_posting_before_seal AFTER INSERT ON finance_posting
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION finance_refuse_late_posting();

CREATE FUNCTION finance_close_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wrong record;
  change record;
BEGIN
  SELECT sealed.entry_id, count(posting.id) AS postings INTO wrong
    FROM sealed LEFT JOIN finance_posting posting ON posting.entry_id = sealed.entry_id
    GROUP BY sealed.entry_id HAVING count(posting.id) < 2 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry % has % postings: at least two are needed', wrong.entry_id, wrong.postings
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT posting.entry_id, posting.currency, sum(posting.amount) AS total INTO wrong
    FROM sealed JOIN finance_posting posting ON posting.entry_id = sealed.entry_id
    GROUP BY posting.entry_id, posting.currency HAVING sum(posting.amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry % does not balance: % % left over', wrong.entry_id, wrong.total, wrong.currency
      USING ERRCODE = 'check_violation';
  END IF;
  -- In the order of the account ids, so that two entries over the same creators never wait for each other.
  FOR change IN
    SELECT posting.account_id, sum(posting.amount)::bigint AS amount
      FROM sealed
      JOIN finance_posting posting ON posting.entry_id = sealed.entry_id
      JOIN finance_balance balance ON balance.account_id = posting.account_id
      GROUP BY posting.account_id ORDER BY posting.account_id
  LOOP
    UPDATE finance_balance SET amount = amount + change.amount WHERE account_id = change.account_id;
  END LOOP;
  RETURN NULL;
END $$;

CREATE TRIGGER finance_seal_closes AFTER INSERT ON finance_seal
  REFERENCING NEW TABLE AS sealed FOR EACH STATEMENT EXECUTE FUNCTION finance_close_entry();

-- Locks the balances in order and tells them: a service that must look before it posts asks here.
CREATE FUNCTION finance_lock_balances(accounts bigint[]) RETURNS TABLE (account_id bigint, amount bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT balance.account_id, balance.amount FROM finance_balance balance
    WHERE balance.account_id = ANY (accounts) ORDER BY balance.account_id FOR UPDATE
$$;
"""

BALANCES_BACK = """
DROP FUNCTION finance_lock_balances(bigint[]);
DROP TRIGGER finance_seal_closes ON finance_seal;
DROP FUNCTION finance_close_entry();
DROP TRIGGER finance_posting_before_seal ON finance_posting;
DROP FUNCTION finance_refuse_late_posting();
DROP TRIGGER finance_account_opens_balance ON finance_account;
DROP FUNCTION finance_open_balance();
"""

# One statement from the application: entry, postings and seal in one round trip, planned once per connection.
POST = """
CREATE FUNCTION finance_post(
  p_key text, p_hash text, p_kind text, p_effective date, p_posted timestamptz, p_actor uuid,
  p_source_type text, p_source_id text, p_reverses bigint, p_memo text, p_data jsonb,
  p_accounts bigint[], p_amounts bigint[]
) RETURNS TABLE (o_id bigint, o_hash text, o_fresh boolean) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO finance_entry
      (key, input_hash, kind, effective_date, posted_at, actor_id, source_type, source_id, reverses_id, memo, data)
    VALUES (p_key, p_hash, p_kind, p_effective, p_posted, p_actor, p_source_type, p_source_id, p_reverses, p_memo,
            p_data)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO o_id;
  IF o_id IS NULL THEN
    RETURN QUERY SELECT entry.id, entry.input_hash::text, false FROM finance_entry entry WHERE entry.key = p_key;
    RETURN;
  END IF;
  INSERT INTO finance_posting (entry_id, account_id, amount, currency)
    SELECT o_id, account.id, line.amount, account.currency
      FROM unnest(p_accounts, p_amounts) AS line (account_id, amount)
      JOIN finance_account account ON account.id = line.account_id;
  INSERT INTO finance_seal (entry_id) VALUES (o_id);
  RETURN QUERY SELECT o_id, p_hash, true;
END $$;
"""

# A fee rule is written once; only its end may be set, once.
RULES = """
CREATE FUNCTION finance_rule_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.valid_to IS NULL AND NEW.valid_to IS NOT NULL
     AND to_jsonb(OLD) - 'valid_to' - 'updated_at' = to_jsonb(NEW) - 'valid_to' - 'updated_at' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a fee rule is refused: only its end may be set, once', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_rule_keep BEFORE UPDATE OR DELETE ON finance_ruleversion
  FOR EACH ROW EXECUTE FUNCTION finance_rule_keep();
"""

RULES_BACK = """
DROP TRIGGER finance_rule_keep ON finance_ruleversion;
DROP FUNCTION finance_rule_keep();
"""


def revoke_balances(apps, schema_editor) -> None:
    """The application reads balances; only the seal's trigger writes them."""
    role = schema_editor.quote_name(settings.DATABASE_APP_ROLE)
    schema_editor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON finance_balance FROM {role}")


def grant_balances(apps, schema_editor) -> None:
    role = schema_editor.quote_name(settings.DATABASE_APP_ROLE)
    schema_editor.execute(f"GRANT INSERT, UPDATE, DELETE ON finance_balance TO {role}")


class Migration(migrations.Migration):
    dependencies = [("finance", "0001_initial")]

    operations = [
        migrations.RunSQL(STRUCTURE, STRUCTURE_BACK),
        migrations.RunSQL(BALANCES, BALANCES_BACK),
        migrations.RunSQL(
            POST,
            "DROP FUNCTION finance_post(text, text, text, date, timestamptz, uuid, text, text, bigint, text, jsonb,"
            " bigint[], bigint[])",
        ),
        migrations.RunSQL(RULES, RULES_BACK),
        migrations.RunPython(revoke_balances, grant_balances),
        AppendOnlyTable("finance_account"),
        AppendOnlyTable("finance_entry"),
        AppendOnlyTable("finance_posting"),
        AppendOnlyTable("finance_seal"),
        AppendOnlyTable("finance_accountsnapshot"),
        AppendOnlyTable("finance_commissionline"),
        AppendOnlyTable("finance_paymentevent"),
        AppendOnlyTable("finance_refund"),
        AppendOnlyTable("finance_currencyrate"),
        AppendOnlyTable("finance_approval"),
    ]
