"""The style page stands for every component: if it renders, the components do."""

import re
from collections.abc import Callable
from pathlib import Path

from django.contrib.staticfiles import finders
from django.urls import reverse

from tests.desk.clients import Desk

PROMISED = [
    "bl-page",
    "bl-grid",
    "bl-grid--2",
    "bl-split",
    "bl-card",
    "bl-card__title",
    "bl-facts",
    "bl-table",
    "bl-badge",
    "bl-badge--ok",
    "bl-badge--warn",
    "bl-badge--danger",
    "bl-badge--info",
    "bl-badge--muted",
    "bl-btn",
    "bl-btn--primary",
    "bl-btn--danger",
    "bl-btn--quiet",
    "bl-kbd",
    "bl-empty",
    "bl-toolbar",
    "bl-tabs",
    "bl-alert--error",
    "bl-alert--ok",
    "bl-alert--warn",
    "bl-alert--info",
    "bl-form",
    "bl-field",
    "bl-field__error",
    "bl-dialog",
    "bl-player",
    "bl-progress",
    "bl-timeline",
    "bl-pager",
    "bl-stat",
]


def sheet() -> str:
    found = finders.find("desk/desk.css")
    assert found
    return Path(str(found)).read_text(encoding="utf-8")


def test_the_page_shows_every_promised_component(desk: Callable[..., Desk]) -> None:
    page = desk("analyst").get(reverse("desk:style")).content.decode()
    shown = {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}
    assert [name for name in PROMISED if name not in shown] == []


def test_every_promised_component_has_a_rule() -> None:
    assert [name for name in [*PROMISED, "bl-grid-frames"] if f".{name}" not in sheet()] == []


def test_our_markup_has_no_inline_scripts_handlers_or_styles(desk: Callable[..., Desk]) -> None:
    root = Path(__file__).resolve().parents[3] / "templates"
    offenders = [
        str(file.relative_to(root))
        for folder in ("desk", "account", "accounts", "allauth", "mfa")
        for file in (root / folder).rglob("*.html")
        if re.search(
            r"\son[a-z]+=|\sstyle=|<style|<script(?![^>]*(src=|type=\"application/json\"))",
            file.read_text("utf-8"),
        )
    ]
    assert offenders == []
