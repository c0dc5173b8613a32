"""``python -m benchmarks [--quick] [--only CASE]``: measures and writes ``benchmarks/RESULTS.md``."""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks import measuring
from benchmarks.database import database

CASES = ("queue", "ledger", "lists", "webhooks")
RESULTS = Path(__file__).with_name("RESULTS.md")


def say(text: str) -> None:
    """One line for whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Runs the cases one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="small data, few rounds; printed, not written")
    parser.add_argument("--only", choices=CASES, action="append", help="just this case; printed, not written")
    chosen = parser.parse_args()
    scale = measuring.QUICK if chosen.quick else measuring.NORMAL
    results: list[measuring.Result] = []
    with database() as server:
        with server.connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        for name in chosen.only or CASES:
            started = time.monotonic()
            results += import_module(f"benchmarks.cases.{name}").measure(scale)
            say(f"{name}: {time.monotonic() - started:.0f} s")
    facts = measuring.machine(f"{row[0]}, default settings")
    facts["Run"] = f"{scale.rounds} rounds in turn; medians; cache in memory, broker in files"
    text = measuring.page(results, facts)
    say(text)
    if not chosen.quick and not chosen.only:
        RESULTS.write_text(text)
        say(f"written to {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
