"""The hand-out itself: one call finds, locks and claims the next item for a person.

A function, so that its plans are kept per connection and the steps after the first that finds something are never
run. What a lane is: `models.lane_of`.
"""

from django.db import migrations

CLAIM_NEXT = """
CREATE OR REPLACE FUNCTION queues_claim_next(
    who uuid,
    wanted text[],
    tongues text[],
    abilities text[],
    most integer,
    oversees text[],
    lasts integer,
    moment timestamptz
) RETURNS SETOF queues_workitem LANGUAGE plpgsql AS $$
DECLARE
    code text;
    spot record;
    chosen uuid;
BEGIN
    -- A lease that ran out holds nothing.
    UPDATE queues_workitem
       SET state = 'open', holder_id = NULL, lease_token = NULL, lease_until = NULL, claimed_at = NULL,
           updated_at = moment
     WHERE id IN (SELECT i.id FROM queues_workitem i
                   WHERE i.state = 'claimed' AND i.queue = ANY(wanted) AND i.lease_until < moment
                   LIMIT 100 FOR UPDATE SKIP LOCKED);
    -- What waited long enough for one person is anybody's.
    UPDATE queues_workitem SET return_to_id = NULL, return_until = NULL, updated_at = moment
     WHERE id IN (SELECT i.id FROM queues_workitem i
                   WHERE i.state = 'open' AND i.return_until <= moment
                   LIMIT 100 FOR UPDATE SKIP LOCKED);

    IF most IS NOT NULL AND most <= (SELECT count(*) FROM queues_workitem i
                                      WHERE i.state = 'claimed' AND i.holder_id = who AND i.lease_until >= moment)
    THEN
        RETURN;
    END IF;

    SELECT i.id INTO chosen FROM queues_workitem i
     WHERE i.state = 'open' AND i.return_to_id = who AND i.queue = ANY(wanted)
       AND (i.not_before IS NULL OR i.not_before <= moment)
       AND NOT EXISTS (SELECT 1 FROM queues_skip s WHERE s.item_id = i.id AND s.user_id = who)
     ORDER BY array_position(wanted, i.queue::text), i.priority DESC, i.due_at, i.id
     LIMIT 1 FOR UPDATE OF i SKIP LOCKED;

    IF chosen IS NULL THEN
        FOREACH code IN ARRAY wanted LOOP
            IF code = ANY(oversees) THEN
                SELECT i.id INTO chosen FROM queues_workitem i
                 WHERE i.state = 'open' AND i.return_to_id IS NULL AND i.escalation_level > 0 AND i.queue = code
                   AND (i.not_before IS NULL OR i.not_before <= moment)
                   AND (tongues IS NULL OR left(i.language, 2) = ANY(tongues))
                   AND NOT EXISTS (SELECT 1 FROM queues_skip s WHERE s.item_id = i.id AND s.user_id = who)
                 ORDER BY i.priority DESC, i.due_at, i.id
                 LIMIT 1 FOR UPDATE OF i SKIP LOCKED;
                EXIT WHEN chosen IS NOT NULL;
            END IF;
            -- The first item of each lane is one step in the index; the lane with the most urgent one is tried first.
            FOR spot IN
                WITH RECURSIVE spots AS (
                    (SELECT i.lane, i.priority, i.due_at, i.id FROM queues_workitem i
                      WHERE i.state = 'open' AND i.return_to_id IS NULL AND i.escalation_level = 0 AND i.queue = code
                      ORDER BY i.lane, i.priority DESC, i.due_at, i.id LIMIT 1)
                    UNION ALL
                    SELECT following.* FROM spots, LATERAL (
                        SELECT i.lane, i.priority, i.due_at, i.id FROM queues_workitem i
                         WHERE i.state = 'open' AND i.return_to_id IS NULL AND i.escalation_level = 0
                           AND i.queue = code AND i.lane > spots.lane
                         ORDER BY i.lane, i.priority DESC, i.due_at, i.id LIMIT 1) following
                )
                SELECT spots.lane FROM spots
                 WHERE (tongues IS NULL OR split_part(spots.lane, '|', 1) = ANY(tongues))
                   AND string_to_array(split_part(spots.lane, '|', 2), ',') <@ abilities
                 ORDER BY spots.priority DESC, spots.due_at, spots.id
            LOOP
                SELECT i.id INTO chosen FROM queues_workitem i
                 WHERE i.state = 'open' AND i.return_to_id IS NULL AND i.escalation_level = 0 AND i.queue = code
                   AND i.lane = spot.lane
                   AND (i.not_before IS NULL OR i.not_before <= moment)
                   AND NOT EXISTS (SELECT 1 FROM queues_skip s WHERE s.item_id = i.id AND s.user_id = who)
                 ORDER BY i.priority DESC, i.due_at, i.id
                 LIMIT 1 FOR UPDATE OF i SKIP LOCKED;
                EXIT WHEN chosen IS NOT NULL;
            END LOOP;
            EXIT WHEN chosen IS NOT NULL;
        END LOOP;
    END IF;

    IF chosen IS NOT NULL THEN
        RETURN QUERY
        UPDATE queues_workitem w
           SET state = 'claimed', holder_id = who, lease_token = gen_random_uuid(),
               lease_until = moment + make_interval(secs => lasts), claimed_at = moment, updated_at = moment
         WHERE w.id = chosen
        RETURNING w.*;
    END IF;
END $$;
"""
DROP = "DROP FUNCTION IF EXISTS queues_claim_next(uuid, text[], text[], text[], integer, text[], integer, timestamptz)"


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0003_handout_indexes"),
    ]

    operations = [
        migrations.RunSQL(CLAIM_NEXT, DROP),
    ]
