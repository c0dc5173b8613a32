"""Every page of the staff, opened in French and in Haitian Creole: nothing on it is left in English.

Our own texts have `tests/architecture/test_translations.py`; this finds what Django, the admin, the editor and the
other packages say. What a package lacks is translated in `backoffice/locale_frameworks`.
"""

import html
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from backoffice.accounts.models import User
from backoffice.core import stored
from backoffice.desk import access
from deploy.local import translations
from tests.access import world
from tests.access.crawl import FAILING, KEYS, LEAVING, UNKNOWN, Crawl
from tests.access.world import World
from tests.factories import accounts

MARK = re.compile(r"⟦(\d+)\|")
# One record of each kind shows all words of its page, but for those that look different in each state.
MANY = {"creators.Creator": 2, "creators.CreatorApplication": 4, "finance.PayoutRun": 2}
STAFF = "a member of staff"
# Pages to which `crawl.KEYS` has no key: whose record they are of, or what stands in their address.
RECORDS = {
    "tax_detail": "creators.TaxProfile",
    "refund": "finance.RefundRequest",
    "refund_propose": "finance.Payment",
    "fee_rule": "finance.RuleVersion",
    "fee_rule_replace": "finance.RuleVersion",
    "fee_rule_end": "finance.RuleVersion",
    "payout_method": "finance.PayoutAccount",
    "hold_detail": "creators.LegalHold",
    "hold_place": "accounts.User",
    "factor_reset_ask": "accounts.User",
    "staff_detail": STAFF,
    "staff_profile": STAFF,
    "role_give": STAFF,
}
WORDS = {
    "setting": "payout.dual_approval_over",
    "setting_change": "payout.dual_approval_over",
    "role_networks": "analyst",
    "import_new": "creators",
}


class Listener:
    """Marks each message that a language does not have, so that it is known again on the page."""

    def __init__(self, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.missing: list[str] = []
        self.catalogue: Any = trans_real.translation(language)
        self._single, self._plural = self.catalogue.gettext, self.catalogue.ngettext
        monkeypatch.setattr(self.catalogue, "gettext", self.gettext)
        monkeypatch.setattr(self.catalogue, "ngettext", self.ngettext)

    def gettext(self, message: str) -> str:
        known = self.catalogue._catalog.get(message) is not None
        return str(self._single(message)) if known else self._marked(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        try:
            self.catalogue._catalog.plural(one, number)
        except KeyError:
            return self._marked(one if number == 1 else many)
        return str(self._plural(one, many, number))

    def _marked(self, message: str) -> str:
        text = message.rpartition("\x04")[2]
        if text not in self.missing:
            self.missing.append(text)
        return f"⟦{self.missing.index(text)}|{text}"

    def heard(self, page: str) -> set[str]:
        """The messages without a translation that are on this page."""
        return {self.missing[int(number)] for number in MARK.findall(html.unescape(page))}


def _keys() -> dict[str, list[str]]:
    """The keys of what there is, by model."""
    found = {}
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            label = model._meta.label
            rows = model._base_manager.order_by("-pk").values_list("pk", flat=True)
            found[label] = [str(key) for key in rows[: MANY.get(label, 1)]]
    found[STAFF] = [str(User.objects.filter(is_staff=True).values_list("pk", flat=True)[0])]
    return found


def _pages(crawl: Crawl) -> Iterator[str]:
    """The addresses of the staff and of the door, with the keys of what there is."""
    for route in access.routes():
        mine = route.kind == access.STAFF or route.pattern.startswith("accounts/")
        if not mine or route.pattern.startswith("cms/api/"):
            continue
        if route.name in WORDS:
            yield reverse(f"desk:{route.name}", args=[WORDS[route.name]])
        elif route.name in RECORDS:
            yield reverse(f"desk:{route.name}", args=crawl.world.keys[RECORDS[route.name]])
        elif "<" not in route.pattern or route.pattern.startswith("cms/") or route.name.startswith(tuple(KEYS)):
            for path in crawl._addresses(route):
                if UNKNOWN not in path and not LEAVING.search(path) and not FAILING.match(path):
                    yield path


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Without the log lines of the addresses that are refused."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db
@pytest.mark.usefixtures("_quiet")
def test_no_page_of_the_staff_is_left_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    world._people_and_work()
    world._fill_gaps()
    crawl = Crawl(Client(), World(keys=_keys()), lambda permission: True, role="super_admin")
    pages = list(_pages(crawl))
    left: dict[str, dict[str, str]] = {}
    for language in translations.LANGUAGES:
        client = Client(raise_request_exception=False)
        boss = accounts.staff("super_admin")
        boss.language = language
        boss.save()
        accounts.sign_in(client, boss)
        listener = Listener(language, monkeypatch)
        # What is kept in a row may be a person's own words; those of the system are in our own catalogue.
        monkeypatch.setattr(stored, "_", listener._single)
        left[language] = {}
        opened = []
        for path in pages:
            answer = client.get(path)
            if answer.status_code == 200:
                opened.append(path)
            for message in listener.heard(crawl.body(answer)):
                left[language].setdefault(message, path)
        assert len(opened) > 120
        # What refuses or leads elsewhere does so in every language.
        pages = opened
    told = [f"{language}: {text!r} at {path}" for language, texts in left.items() for text, path in texts.items()]
    # Our own texts: `make messages`. What a package says: backoffice/locale_frameworks.
    assert not told, "\n".join(told)
