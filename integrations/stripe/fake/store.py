"""Everything the fake remembers, in one SQLite file (or in memory)."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Object = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, account TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_listing ON object (kind, account, seq);
CREATE INDEX IF NOT EXISTS object_transfer_group ON object (json_extract(body, '$.transfer_group'));
CREATE INDEX IF NOT EXISTS object_payment_intent ON object (json_extract(body, '$.payment_intent'));
CREATE TABLE IF NOT EXISTS movement (
    account TEXT NOT NULL, currency TEXT NOT NULL, available_on INTEGER NOT NULL, net INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS movement_sum ON movement (account, currency, available_on, net);
CREATE TABLE IF NOT EXISTS answer (
    account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL, request_id TEXT NOT NULL, created REAL NOT NULL, PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'due', error TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due, seq);
CREATE TABLE IF NOT EXISTS schedule (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL);
"""


class Store:
    """One connection behind one lock; `transaction()` makes a group of changes whole and lasting."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another joins it."""
        with self._lock:
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth = 0

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """Number of rows changed."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    # Objects

    def add(self, body: Object, *, account: str = "") -> Object:
        self.run(
            "INSERT INTO object (id, kind, account, created, body) VALUES (?, ?, ?, ?, ?)",
            body["id"],
            body["object"],
            account,
            body.get("created", 0),
            json.dumps(body),
        )
        return body

    def save(self, body: Object) -> Object:
        if self.run("UPDATE object SET body = ? WHERE id = ?", json.dumps(body), body["id"]) != 1:
            raise LookupError(body["id"])
        return body

    def get(self, id: str, *, kind: str = "", account: str | None = None) -> Object | None:
        """The object, or None when it is of another kind or belongs to another account."""
        for row in self.rows("SELECT kind, account, body FROM object WHERE id = ?", id):
            if (not kind or row["kind"] == kind) and (account is None or row["account"] == account):
                found: Object = json.loads(row["body"])
                return found
        return None

    def account_of(self, id: str) -> str:
        return str(self.rows("SELECT account FROM object WHERE id = ?", id)[0]["account"])

    def sequence(self, id: str) -> int | None:
        found = self.rows("SELECT seq FROM object WHERE id = ?", id)
        return int(found[0]["seq"]) if found else None

    def page(
        self,
        kind: str,
        *,
        account: str,
        limit: int,
        equal: Mapping[str, str | None] | None = None,
        one_of: Mapping[str, list[str]] | None = None,
        created: Mapping[str, int] | None = None,
        after: int | None = None,
        before: int | None = None,
    ) -> tuple[list[Object], bool]:
        """Newest first; `after` and `before` are sequences of the cursors. Also tells if there is more."""
        where = ["kind = ?", "account = ?"]
        values: list[Any] = [kind, account]
        for field, value in (equal or {}).items():
            if value is not None:
                where.append(f"json_extract(body, '$.{field}') = ?")
                values.append(value)
        for field, choices in (one_of or {}).items():
            if choices:
                where.append(f"json_extract(body, '$.{field}') IN ({', '.join('?' * len(choices))})")
                values.extend(choices)
        for name, bound in (created or {}).items():
            where.append(f"created {COMPARISONS[name]} ?")
            values.append(bound)
        if after is not None:
            where.append("seq < ?")
            values.append(after)
        if before is not None:
            where.append("seq > ?")
            values.append(before)
        direction = "ASC" if before is not None else "DESC"
        # Field names come from the fake's own code; every value is bound.
        sql = f"SELECT body FROM object WHERE {' AND '.join(where)} ORDER BY seq {direction} LIMIT ?"  # noqa: S608
        found = [json.loads(row["body"]) for row in self.rows(sql, *values, limit + 1)]
        has_more = len(found) > limit
        found = found[:limit]
        return (found[::-1] if before is not None else found), has_more


COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
