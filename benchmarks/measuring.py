"""Medians of runs in turn, and the table that they go into."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything: open items, rows of a list, and how often each thing is done per round."""

    items: int
    rows: int
    claims: int
    posts: int
    pages: int
    events: int
    rounds: int = ROUNDS


NORMAL = Scale(items=1_000_000, rows=50_000, claims=100, posts=200, pages=15, events=150)
QUICK = Scale(items=20_000, rows=5_000, claims=30, posts=60, pages=5, events=30, rounds=3)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``ratio`` compares the two figures; ``better`` says which way is good."""

    work: str
    ours: str
    other: str
    against: str
    ratio: float
    better: str
    reach: str
    meaning: str


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """What each side measures, round by round; who begins changes, so that warming up favours nobody."""
    for side in sides:
        side()  # plans, caches and connections are there before it counts
    found: list[list[float]] = [[] for _side in sides]
    for turn in range(rounds):
        order = range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides)))
        for index in order:
            found[index].append(sides[index]())
    return found


def ratio(ours: list[float], other: list[float]) -> float:
    """The median of what the rounds' pairs give: the two of a pair saw the same machine."""
    return median(a / b for a, b in zip(ours, other, strict=True))


def milliseconds(values: list[float]) -> str:
    """The median of times in seconds, for people."""
    return f"{median(values) * 1000:.2f} ms"


def per_second(values: list[float]) -> str:
    """The median of rates, for people."""
    return f"{median(values):,.0f}/s"


def machine(postgres: str) -> dict[str, str]:
    """What the run ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB memory, {platform.system()}",
        # Whoever else is at work shows in the milliseconds, less so in the ratios.
        "Load before the run": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "PostgreSQL": postgres,
    }


def page(results: list[Result], facts: dict[str, Any]) -> str:
    """The results as a page in Markdown."""
    lines = [
        "# Results",
        "",
        "Written by `make bench`; how to read it: [docs/developers/benchmarks.md](../docs/developers/benchmarks.md).",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in facts.items()),
        "",
        "| Work | Backlot | Measured against | Its figure | Ratio | Aim |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r.work} | {r.ours} | {r.against} | {r.other} | **{r.ratio:.2f}** ({r.better}) | {r.reach} |"
            for r in results
        ),
        "",
        "What each line means:",
        "",
        *(f"- {r.work}: {r.meaning}" for r in results),
        "",
    ]
    return "\n".join(lines)
