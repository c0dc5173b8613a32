"""A browser that goes wherever one person can go and reports every canary that it is shown, and every search by one."""

import html
import io
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.contrib.admin import ModelAdmin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.desk import access
from backoffice.desk.site import desk_site
from tests.access.world import WORD, Plant, World

# A route's name, or its beginning, and whose keys stand in its address. Other routes are tried with one key of every
# model.
KEYS = {
    "application_": "creators.CreatorApplication",
    "document_unlock": "creators.CreatorApplication",
    "document_": "creators.VerificationDocument",
    "creator_": "creators.Creator",
    "creator": "creators.Creator",
    "case": "moderation.Case",
    "decision_": "moderation.Decision",
    "title": "catalogue.Title",
    "own_title": "catalogue.Title",
    "payout": "finance.PayoutRun",
    "payout_item_": "finance.PayoutItem",
    "payment": "finance.Payment",
    "event": "finance.EventOutcome",
    "ticket": "support.Ticket",
    "response_template": "support.ResponseTemplate",
    "sla": "support.SlaPolicy",
    "person_": "accounts.User",
    "import_": "journeys.ImportRun",
    "job_": "core.Job",
    "audit_person": "accounts.User",
    "investigate_person": "accounts.User",
    "investigate_payment": "finance.Payment",
    "investigate_payout": "finance.PayoutItem",
    "export": "audit.ExportRecord",
    "staff_": "accounts.User",
    "approval_": "approvals.ApprovalRequest",
    "upload": "media.Upload",
    "asset": "media.Asset",
    "accounts_user_": "accounts.User",
    "catalogue_category_": "catalogue.Category",
    "catalogue_tag_": "catalogue.Tag",
    "api_notification_read": "notifications.Notification",
    "wagtail": "wagtailcore.Page",
}
# How many of them; those that come in many states need more than others.
MANY = {
    "creators.Creator": 8,
    "creators.CreatorApplication": 8,
    "finance.PayoutRun": 6,
    "catalogue.Title": 6,
    "accounts.User": 4,
    "wagtailcore.Page": 2,
}
SOME = 3
LEAVING = re.compile(r"/(accounts|cms|admin)/logout/|/accounts/2fa/(totp|webauthn|recovery)|/accounts/demo/")
# Ends the session that the crawl needs, or makes files: these have a test of their own.
HARMFUL = re.compile(r"sessions/|export|bundle|errors\.csv|logout|password")
ELSEWHERE = ("/static/", "/storage/", "/cms-media/", "/i18n/", "/accounts/2fa/")
LINK = re.compile(r"(?:href|src|hx-get|action|formaction|data-[\w-]*(?:url|href))=[\"']([^\"'#\s]+)", re.IGNORECASE)
INPUT = re.compile(r"<(?:input|select|textarea)[^>]*\bname=[\"']([\w.-]+)[\"']", re.IGNORECASE)
GET_FORM = re.compile(r"<form(?![^>]*method=[\"']?post)[^>]*>(.*?)</form>", re.IGNORECASE | re.DOTALL)
NUMBER = re.compile(
    r"(?<![\w.-])(?:\d{1,3}(?:[.,\u00a0\u202f \u2019']\d{3})+|\d{5,})(?:[.,]\d{2})?(?![\w-])",
)
UNKNOWN = "0195b2a0-0000-7000-8000-000000000000"
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
NEEDLE = "zqneedle"
# Wagtail's own views that fail on a made-up key; they are open to editors only, and must not tell anything either.
FAILING = re.compile(r"/cms/(documents|images)/chooser/chosen|/cms/choose-page/chosen-multiple/")
COLUMN = re.compile(r'"?(\w+)"?\."(\w+)"')
ALIAS = re.compile(r'"(\w+)" ([A-Z]\d+)\b')
USUAL = ("q", "search", "words", "text", "name", "email", "user", "person", "actor", "about", "object", "kind")
NONSENSE = {"page": "zz", "cursor": "zz", "after": "zz", "o": "zz", "tab": "zz", "id": "zz", "expand": "*"}


class Crawl:
    """One person's way through the product, from every published address onwards."""

    def __init__(
        self, client: Client, world: World, may: Callable[[str], bool], *, role: str = "", budget: int = 200
    ) -> None:
        client.raise_request_exception = False
        self.client, self.world, self.may, self.role, self.budget = client, world, may, role, budget
        self.leaks: dict[tuple[str, str], str] = {}
        self.oracles: set[str] = set()
        self.errors: list[str] = []
        self.seen: set[str] = set()
        self.visited: set[str] = set()
        self.queue: deque[str] = deque()
        self.shapes: dict[str, int] = {}
        self.closed = self.opened = 0

    # --- the way -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Every address of the product, then whatever their pages lead to, until the budget is spent."""
        for route in access.routes():
            for path in self._addresses(route):
                answer = self.get(path)
                # Another key would not change this: the method is not the right one, or the person is not.
                if answer is None or answer.status_code in (401, 403, 405) or self._at_the_door(answer):
                    break
        while self.queue and self.budget > 0:
            self.get(self.queue.popleft(), found=True)

    def press(self) -> None:
        """Every verb that is open here, with a form that is all wrong: what the refusals say."""
        for route in access.routes():
            if route.kind != access.STAFF or not route.pattern.startswith("admin/") or HARMFUL.search(route.pattern):
                continue
            for path in list(self._addresses(route))[: 2 if self.role in route.roles else 1]:
                self.read(self.client.post(path, {"reason": "", "token": "unknown", "seen": "0"}), path)
        self.client.handler.enforce_csrf_checks = True
        answer = self.client.post("/admin/support/tickets/next/")
        self.client.handler.enforce_csrf_checks = False
        assert answer.status_code == 403
        self.read(answer, "/admin/support/tickets/next/")

    def _at_the_door(self, answer: Any) -> bool:
        return answer.status_code in (301, 302) and "/accounts/login/" in answer["Location"]

    def _addresses(self, route: access.Route) -> Iterable[str]:
        if LEAVING.search(f"/{route.pattern}") or route.pattern.startswith(("static/", "admin/^", "admin/(")):
            return
        pattern = "/" + re.sub(r"[\^$\\]|\(\?:|\[.*?\]\+?/?\)?\*?\)?", "", route.pattern)
        holes = re.findall(r"<(?:(\w+):)?(\w+)>", pattern)
        if "(" in pattern or self._closed_part_of_the_editor(route):
            return
        open_to_them = route.kind in (
            access.EVERYONE,
            access.SESSION,
            access.SIGNED,
            access.MEMBER,
            access.CREATOR,
        ) or (route.kind == access.STAFF and (not self.role or self.role in route.roles))
        for keys in self._keys(route, holes, everything=open_to_them):
            path = pattern
            for (kind, name), key in zip(holes, keys, strict=True):
                path = path.replace(f"<{kind}:{name}>" if kind else f"<{name}>", key)
            yield path

    def _closed_part_of_the_editor(self, route: access.Route) -> bool:
        """Whom Wagtail does not let in, it answers alike everywhere: one address stands for all."""
        shut = route.kind == access.NOBODY or (self.role and self.role not in route.roles) or not self.role
        if not (route.pattern.startswith("cms/") and route.kind != access.EVERYONE and shut):
            return False
        self.closed += 1
        return self.closed > 3

    def _keys(self, route: access.Route, holes: list[tuple[str, str]], *, everything: bool) -> Iterable[list[str]]:
        if not holes:
            return [[]]
        if holes[0][0] in ("slug", "str") and len(holes) == 1:
            return [["unknown"]]
        label = max((name for name in KEYS if route.name.startswith(name)), key=len, default="")
        if route.pattern.startswith("cms/"):
            label = "wagtail"
        if label:
            found = self.world.keys.get(KEYS[label], [])
            rows = [*found[: MANY.get(KEYS[label], SOME) if everything else 1], UNKNOWN]
        elif not everything:
            rows = [UNKNOWN]
        else:
            rows = [keys[0] for name, keys in sorted(self.world.keys.items()) if keys and KEY.fullmatch(keys[0])]
        samples = {"int": "1", "slug": "csv", "str": "accounts.user"}
        return [
            [str(row) if n == 0 else samples.get(kind, str(row)) for n, (kind, _) in enumerate(holes)] for row in rows
        ]

    def get(self, path: str, *, found: bool = False, **headers: Any) -> Any:
        """Opens an address, reads what comes back, and remembers where it leads."""
        shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", urlsplit(path).path)
        shape += "?" + ",".join(sorted({name for name, _ in parse_qsl(urlsplit(path).query, keep_blank_values=True)}))
        if path in self.visited or LEAVING.search(path):
            return None
        if found and self.shapes.get(shape, 0) >= 3:
            return None
        self.shapes[shape] = self.shapes.get(shape, 0) + 1
        self.visited.add(path)
        if found:
            self.budget -= 1
        answer = self.client.get(path, **headers)
        text = self.read(answer, path)
        self.opened += answer.status_code == 200
        if answer.status_code in (301, 302) and "Location" in answer:
            self._lead(answer["Location"], path)
        if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
            for link in LINK.findall(text):
                if link.startswith(("/", "?", "http://testserver/")):
                    self._lead(html.unescape(link), path)
            if self.shapes[shape] == 1 and "?" not in path:
                self._search(path, text)
        elif answer.status_code == 200 and "json" in answer.get("Content-Type", "") and self.shapes[shape] == 1:
            self._search(path, "")
        return answer

    def _lead(self, link: str, path: str) -> None:
        place = urlsplit(urljoin(f"http://testserver{path}", link))
        if place.netloc not in ("testserver", "") or place.path.startswith(ELSEWHERE):
            return
        there = place.path + (f"?{place.query}" if place.query else "")
        if there not in self.visited:
            self.queue.append(there)

    # --- what is shown -------------------------------------------------------------------------------------------

    def read(self, answer: Any, path: str) -> str:
        """Everything that an answer carries, searched for canaries; returns its text."""
        text = self.body(answer)
        headers = " ".join(f"{name}: {value}" for name, value in answer.items())
        cookies = " ".join(str(morsel.value) for name, morsel in answer.cookies.items() if "session" not in name)
        if answer.status_code >= 500 and not FAILING.match(path):
            self.errors.append(f"{path}: {answer.status_code}")
        self.search_text(f"{headers} {cookies} {text}", path)
        return text

    def body(self, answer: Any) -> str:
        """The text of an answer, also of one that comes in pieces."""
        return _text(b"".join(answer.streaming_content) if answer.streaming else answer.content)

    def search_text(self, text: str, path: str, allowed: Callable[[Plant], bool] | None = None) -> None:
        """Notes every canary in a text that this person may not see there."""
        whole = html.unescape(text)
        small = whole.lower()
        opens = allowed or (lambda plant: plant.secret.allows(path, plant.row, self.may))
        for match in WORD.finditer(small):
            plant = self.world.words.get(match[0])
            if plant is not None:
                self._judge([plant], path, whole, match.start(), opens)
        for value, plant in self.world.values.items():
            place = small.find(value)
            if place >= 0:
                self._judge([plant], path, whole, place, opens)
        for match in NUMBER.finditer(whole):
            plants = self.world.amounts.get(re.sub(r"\D", "", match[0]).lstrip("0"))
            if plants:
                self._judge(plants, path, whole, match.start(), opens)

    def _judge(self, plants: list[Plant], path: str, text: str, place: int, opens: Callable[[Plant], bool]) -> None:
        # The same amount may stand in several fields: it is a leak when none of them is open.
        if any(opens(plant) for plant in plants):
            self.seen.update(plant.name for plant in plants)
        else:
            excerpt = " ".join(text[max(0, place - 70) : place + 50].split())
            names = " or ".join(sorted({plant.name for plant in plants}))
            self.leaks.setdefault((names, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<key>", path)), excerpt)

    # --- what is searched ----------------------------------------------------------------------------------------

    def _search(self, path: str, text: str) -> None:
        """Asks a page by every parameter that it has; a search by a field that is closed here is an oracle."""
        names = {name for form in GET_FORM.findall(text) for name in INPUT.findall(form)}
        if KEY.search(path) and not names:
            return
        self.ask(path, dict.fromkeys(sorted(names | set(USUAL)), NEEDLE))
        nonsense = self.client.get(f"{path}?{urlencode(NONSENSE)}")
        self.read(nonsense, f"{path}?{urlencode(NONSENSE)}")

    def ask(self, path: str, query: dict[str, str]) -> None:
        """Opens an address with a word in its parameters and looks which columns the database compares it with."""
        address = f"{path}?{urlencode(query)}"
        with CaptureQueriesContext(connection) as captured:
            answer = self.client.get(address)
        self.read(answer, address)
        for statement in captured.captured_queries:
            for table, column in compared(statement["sql"]):
                name, secret = self.world.columns.get((table, column), ("", None))
                if secret is not None and not any(self.may(rule.permission) for rule in secret.rules):
                    self.oracles.add(f"{name} can be searched at {path}")

    def lookups(self) -> None:
        """Every list of the generic admin by every field of its model and of the models next to it; its side doors."""
        for model, admin in desk_site._registry.items():
            if not isinstance(admin, ModelAdmin) or not self.may(f"{admin.area}.view"):  # type: ignore[attr-defined]
                continue
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            for found in model._meta.get_fields():
                near = [found.name]
                if found.is_relation and found.related_model not in (None, "self"):
                    near = [f"{found.name}__{other.name}" for other in found.related_model._meta.local_fields]
                for name in near:
                    self.ask(path, {f"{name}__startswith": NEEDLE})
            for key in self.world.keys.get(model._meta.label, [])[:1]:
                for extra in ("_popup=1&_to_field=email", "_popup=1&_to_field=id", "_changelist_filters=q%3Dzq"):
                    self.get(f"{path}?{extra}")
                    self.get(f"{path}{key}/change/?{extra}")
                self.get(f"{path}{key}/history/")
                self.get(f"{path}{key}/delete/?_popup=1")
            label = f"{model._meta.app_label}&model_name={model._meta.model_name}"
            for name in ("groups", "parent", "user"):
                self.get(f"/admin/autocomplete/?app_label={label}&field_name={name}&term=zq")


def compared(statement: str) -> list[tuple[str, str]]:
    """The columns (table, column) that a statement compares the needle with."""
    names = {alias: table for table, alias in ALIAS.findall(statement)}
    found = []
    for match in re.finditer(NEEDLE, statement, re.IGNORECASE):
        # Of a comparison the column stands just before the word; words over several columns have all of them.
        before = statement[: match.start()]
        near = before[before.rfind("(", 0, max(before.rfind('"."'), 0)) :] if '"."' in before else ""
        columns = COLUMN.findall(near)
        found += [(names.get(table, table), column) for table, column in columns[-1:]]
        if "to_tsvector" in before:
            vector = before[before.rfind("to_tsvector") :]
            found += [(names.get(table, table), column) for table, column in COLUMN.findall(vector)]
    return found


def _text(body: bytes) -> str:
    """The text of a page, a file or an archive of files."""
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return " ".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return body.decode("utf-8", "replace")
