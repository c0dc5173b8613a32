"""Keeps what the queues went through, hour by hour, so that no page has to count."""

from datetime import datetime, timedelta

from django.db import connection

from backoffice.core import clock

# The whole count, once a minute instead of once a page.
MEASURE = """
INSERT INTO queues_queuehour
       (id, created_at, updated_at, queue, hour, measured_at, open, claimed, paused, overdue, escalated,
        arrived, decided, decided_late)
SELECT gen_random_uuid(), %(at)s, %(at)s, known.queue, %(hour)s, %(at)s,
       coalesce(now.open, 0), coalesce(now.claimed, 0), coalesce(now.paused, 0), coalesce(now.overdue, 0),
       coalesce(now.escalated, 0), coalesce(came.arrived, 0), coalesce(went.decided, 0), coalesce(went.late, 0)
  FROM unnest(%(queues)s::text[]) AS known(queue)
  LEFT JOIN (SELECT queue, count(*) FILTER (WHERE state = 'open') AS open,
                    count(*) FILTER (WHERE state = 'claimed') AS claimed,
                    count(*) FILTER (WHERE state = 'paused') AS paused,
                    count(*) FILTER (WHERE state <> 'paused' AND due_at < %(at)s) AS overdue,
                    count(*) FILTER (WHERE state = 'open' AND escalation_level > 0) AS escalated
               FROM queues_workitem WHERE state IN ('open', 'claimed', 'paused') GROUP BY queue) now
         ON now.queue = known.queue
  LEFT JOIN (SELECT queue, count(*) AS arrived FROM queues_workitem
              WHERE created_at >= %(hour)s AND created_at < %(next)s GROUP BY queue) came
         ON came.queue = known.queue
  LEFT JOIN (SELECT queue, count(*) AS decided, count(*) FILTER (WHERE due_at < done_at) AS late
               FROM queues_workitem
              WHERE state = 'done' AND queue = ANY(%(queues)s::text[]) AND done_at >= %(hour)s AND done_at < %(next)s
              GROUP BY queue) went
         ON went.queue = known.queue
ON CONFLICT (queue, hour) DO UPDATE
   SET updated_at = EXCLUDED.updated_at, measured_at = EXCLUDED.measured_at, open = EXCLUDED.open,
       claimed = EXCLUDED.claimed, paused = EXCLUDED.paused, overdue = EXCLUDED.overdue,
       escalated = EXCLUDED.escalated, arrived = EXCLUDED.arrived, decided = EXCLUDED.decided,
       decided_late = EXCLUDED.decided_late
"""
# Every queue there ever was, one step in an index each.
KNOWN = """
WITH RECURSIVE codes AS (
    (SELECT min(queue) AS queue FROM queues_workitem WHERE state = 'done')
    UNION ALL
    SELECT (SELECT min(i.queue) FROM queues_workitem i WHERE i.state = 'done' AND i.queue > codes.queue)
      FROM codes WHERE codes.queue IS NOT NULL
), waiting AS (
    (SELECT min(queue) AS queue FROM queues_workitem WHERE state = 'open')
    UNION ALL
    SELECT (SELECT min(i.queue) FROM queues_workitem i WHERE i.state = 'open' AND i.queue > waiting.queue)
      FROM waiting WHERE waiting.queue IS NOT NULL
)
SELECT queue FROM codes WHERE queue IS NOT NULL UNION SELECT queue FROM waiting WHERE queue IS NOT NULL ORDER BY 1
"""


def measure(*, at: datetime | None = None) -> int:
    """Writes the current hour of every queue, or brings it up to date; returns how many queues there are.

    In the first minutes of an hour the one before is finished too: what came and went in it, late writers included.
    """
    at = at or clock.now()
    hour = at.replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(KNOWN)
        queues = [row[0] for row in cursor.fetchall()]
        cursor.execute(MEASURE, {"queues": queues, "at": at, "hour": hour, "next": hour + timedelta(hours=1)})
        if at - hour < timedelta(minutes=3):
            cursor.execute(FINISH, {"queues": queues, "hour": hour - timedelta(hours=1), "next": hour})
    return len(queues)


FINISH = """
UPDATE queues_queuehour h
   SET arrived = (SELECT count(*) FROM queues_workitem i
                   WHERE i.queue = h.queue AND i.created_at >= %(hour)s AND i.created_at < %(next)s),
       decided = (SELECT count(*) FROM queues_workitem i WHERE i.state = 'done' AND i.queue = h.queue
                     AND i.done_at >= %(hour)s AND i.done_at < %(next)s)
 WHERE h.hour = %(hour)s AND h.queue = ANY(%(queues)s::text[])
"""
