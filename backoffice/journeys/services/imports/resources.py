"""What each table looks like: columns with their types (django-import-export), and the rules between the
cells.

A resource turns a row into a draft of the domain and says what is wrong with it; it writes nothing. `runs` hands
the drafts to the domains' bulk services.
"""

import re
from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources, widgets

from backoffice.accounts.models import User
from backoffice.accounts.services.imports import NewMember
from backoffice.catalogue import policies as catalogue
from backoffice.catalogue.models import Category, Title
from backoffice.catalogue.services.imports import NewTitle
from backoffice.catalogue.states import Visibility
from backoffice.commerce.models import Purchase
from backoffice.commerce.states import ACTIVE
from backoffice.core import money
from backoffice.core.errors import Invalid
from backoffice.creators.models import Creator
from backoffice.creators.services.imports import NewCreator
from backoffice.creators.states import VerificationStatus
from backoffice.finance.services.imports import PastSale, problem
from backoffice.journeys.models import ImportedRow, ImportRun
from backoffice.journeys.services.imports.sheets import Sheet, Trouble

LANGUAGES = ("en", "fr", "ht", "es")
OLDEST_SALE = datetime(2000, 1, 1, tzinfo=UTC)
IN_BATCHES = 5_000


class Cell(widgets.Widget):
    """A typed cell. `clean` gets text and raises ValueError with the cause."""

    def clean(self, value: Any, row: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """The value of a filled cell; empty cells never come here."""
        return self.read(str(value), row or {})

    def read(self, text: str, row: dict[str, str]) -> Any:
        """The typed value of the text; ValueError says what is wrong."""
        return text


class Text(Cell):
    """Text with a limit."""

    def __init__(self, limit: int, *, one_line: bool = True) -> None:
        super().__init__()
        self.limit, self.one_line = limit, one_line

    def read(self, text: str, row: dict[str, str]) -> str:
        text = " ".join(text.split()) if self.one_line else text
        if len(text) > self.limit:
            raise ValueError(_("This is longer than %(limit)d characters.") % {"limit": self.limit})
        return text


class Email(Cell):
    """An address, in lower case."""

    def read(self, text: str, row: dict[str, str]) -> str:
        try:
            validate_email(text)
        except ValidationError as error:
            raise ValueError(_("“%(text)s” is not an e-mail address.") % {"text": text}) from error
        if len(text) > 150:
            raise ValueError(_("This is longer than %(limit)d characters.") % {"limit": 150})
        return text.lower()


class Choice(Cell):
    """One of a few words."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self.words = tuple(words)

    def read(self, text: str, row: dict[str, str]) -> str:
        word = text.strip().lower()
        if word not in self.words:
            raise ValueError(_("“%(text)s” is none of: %(words)s.") % {"text": text, "words": ", ".join(self.words)})
        return word


class YesNo(Choice):
    """yes or no."""

    def __init__(self) -> None:
        super().__init__(("yes", "no", "true", "false", "1", "0"))

    def read(self, text: str, row: dict[str, str]) -> bool:  # type: ignore[override]
        return super().read(text, row) in ("yes", "true", "1")


class Currency(Cell):
    """An ISO 4217 code."""

    def read(self, text: str, row: dict[str, str]) -> str:
        try:
            return money.check_currency(text)
        except money.MoneyError as error:
            raise ValueError(str(error)) from error


class Amount(Cell):
    """An amount in the currency of the same row, as minor units."""

    def read(self, text: str, row: dict[str, str]) -> int:
        try:
            currency = money.check_currency(row.get("currency") or "USD")
        except money.MoneyError:
            # The currency's own cell reports it; the amount is read with two decimals meanwhile.
            currency = "USD"
        try:
            return money.parse(text, currency)
        except money.MoneyError as error:
            raise ValueError(str(error)) from error


class Country(Cell):
    """Two letters (ISO 3166-1)."""

    def read(self, text: str, row: dict[str, str]) -> str:
        if not re.fullmatch(r"[A-Za-z]{2}", text):
            raise ValueError(_("“%(text)s” is not a country code of two letters.") % {"text": text})
        return text.upper()


class Words(Cell):
    """Several words, separated by a comma or semicolon."""

    def __init__(self, allowed: Sequence[str] = (), *, limit: int = 20) -> None:
        super().__init__()
        self.allowed, self.limit = tuple(allowed), limit

    def read(self, text: str, row: dict[str, str]) -> list[str]:
        words = [word.strip() for word in re.split(r"[,;|]", text) if word.strip()]
        if len(words) > self.limit:
            raise ValueError(_("At most %(limit)d words.") % {"limit": self.limit})
        for word in words:
            if self.allowed and word.lower() not in self.allowed:
                raise ValueError(
                    _("“%(text)s” is none of: %(words)s.") % {"text": word, "words": ", ".join(self.allowed)}
                )
            if len(word) > 80 or not slugify(word):
                raise ValueError(_("“%(text)s” cannot be a word here.") % {"text": word})
        return [word.lower() for word in words] if self.allowed else words


class Moment(Cell):
    """A date, or a date with time; without an offset it is UTC."""

    def read(self, text: str, row: dict[str, str]) -> datetime:
        cause = _("“%(text)s” is not a date such as 2024-05-31 or 2024-05-31 18:30.") % {"text": text}
        try:
            moment = parse_datetime(text.replace(" ", "T", 1)) if len(text) > 10 else None
            if moment is None and (day := parse_date(text[:10])) is not None and len(text) == 10:
                moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001  gets its offset below
            if moment is None:
                raise ValueError(cause)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:  # the latter: no such moment in UTC
            raise ValueError(cause) from error


class Column(fields.Field):
    """A column with what the screen says about it."""

    def __init__(
        self,
        name: str,
        widget: Cell,
        help_text: str | Promise,
        *,
        attribute: str = "",
        required: bool = False,
        example: str = "",
        default: Any = "",
    ) -> None:
        super().__init__(attribute=attribute or name, column_name=name, widget=widget, default=default)
        self.help_text, self.required, self.example = help_text, required, example


class Draft:
    """A row on its way: the cells by attribute."""

    def __init__(self, **cells: Any) -> None:
        self.__dict__.update(cells)

    def __getattr__(self, name: str) -> Any:
        # Only attributes that no cell has filled come here: the cell was wrong and is reported already.
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class TableResource(resources.Resource):
    """A table of one kind. Use: `prepare` with all rows, `check_row` for each, then the drafts."""

    code: ClassVar[str]
    describes: ClassVar[str | Promise]

    def __init__(self, *, by: User, at: datetime) -> None:
        super().__init__()
        self.by, self.at = by, at
        self.drafts: list[tuple[str, Any]] = []
        self._seen: dict[tuple[str, ...], int] = {}
        self._known: set[str] = set()

    @classmethod
    def columns(cls) -> list[Column]:
        """The columns in the order of the template file."""
        return [field for field in cls.fields.values() if isinstance(field, Column)]

    def check_headers(self, sheet: Sheet) -> list[Trouble]:
        """Missing and unknown columns, reported for row 1."""
        known = [column.column_name for column in self.columns()]
        troubles = [
            Trouble(1, column.column_name, _("This column is missing."))
            for column in self.columns()
            if column.required and column.column_name not in sheet.headers
        ]
        for header in dict.fromkeys(sheet.headers):
            if header and header not in known:
                cause = _("This column is not known. Known: %(names)s.") % {"names": ", ".join(known)}
                troubles.append(Trouble(1, header[:100], cause))
        return troubles

    def prepare(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        """Reads what the checks compare with, in a fixed number of statements per batch."""
        ids = [row.get("external_id", "") for _number, row in rows]
        self._known = set()
        for batch in _batches(ids):
            self._known |= set(
                ImportedRow.objects.filter(resource=self.code, external_id__in=batch).values_list(
                    "external_id", flat=True
                )
            )
        self.look_up(rows)

    @abstractmethod
    def look_up(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        """Reads what this table's own checks compare with."""

    @abstractmethod
    def check_draft(self, number: int, draft: Draft) -> list[Trouble]:
        """The rules between cells and with the database; keeps a good row in `drafts`."""

    def check_row(self, number: int, row: dict[str, str]) -> list[Trouble]:
        """Everything that is wrong with a row. A row without troubles is kept as a draft."""
        draft = Draft()
        troubles: list[Trouble] = []
        for column in self.columns():
            name = column.column_name
            text = row.get(name, "")
            if not text:
                if column.required:
                    troubles.append(Trouble(number, name, _("This cell must not be empty.")))
                default = column.default() if callable(column.default) else column.default
                setattr(draft, column.attribute, default)
                continue
            try:
                self.import_field(column, draft, row)
            except ValueError as error:
                troubles.append(Trouble(number, name, str(error), text[:200]))
        external_id = draft.external_id
        if external_id:
            troubles += self._once(number, "external_id", ("id", external_id), external_id)
            if external_id in self._known:
                troubles.append(Trouble(number, "external_id", _("This id was imported before."), external_id[:200]))
        troubles += self.check_draft(number, draft) if not troubles else self.check_despite(number, draft)
        return troubles

    def check_despite(self, number: int, draft: Draft) -> list[Trouble]:
        """Rules that still make sense when some cells of the row are wrong; none unless a table says so."""
        return []

    def _once(self, number: int, column: str, key: tuple[str, ...], value: str) -> list[Trouble]:
        """A trouble when another row of the file has the same key."""
        first = self._seen.setdefault(key, number)
        if first == number:
            return []
        cause = _("The same as in row %(row)d of this file.") % {"row": first}
        return [Trouble(number, column, cause, value[:200])]


class CreatorTable(TableResource):
    """Creators with their accounts (M-015)."""

    code = ImportRun.Resource.CREATORS
    describes = gettext_lazy("One row per creator. An account is made for an address that has none.")

    external_id = Column(
        "external_id", Text(200), gettext_lazy("Id in the other system"), required=True, example="artist-1041"
    )
    email = Column("email", Email(), gettext_lazy("E-mail address"), required=True, example="nadege@example.com")
    stage_name = Column("stage_name", Text(200), gettext_lazy("Stage name"), required=True, example="Nadège Baptiste")
    slug = Column("slug", Text(80), gettext_lazy("Address part; made from the stage name when empty"))
    bio = Column("bio", Text(4000, one_line=False), gettext_lazy("About the creator"), example="Konpa singer")
    country = Column("country", Country(), gettext_lazy("Two letters"), example="HT")
    currency = Column("currency", Currency(), gettext_lazy("ISO 4217; USD when empty"), example="USD", default="USD")
    languages = Column("languages", Words(LANGUAGES), gettext_lazy("en, fr, ht, es"), example="ht, fr", default=list)
    language = Column(
        "language",
        Choice(("en", "fr", "ht")),
        gettext_lazy("Language of messages; en when empty"),
        example="ht",
        default="en",
    )
    verified = Column(
        "verified",
        YesNo(),
        gettext_lazy("yes keeps the other system's verification and activates the creator"),
        example="no",
        default=False,
    )

    def look_up(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        emails = [row.get("email", "").lower() for _number, row in rows]
        self._users: dict[str, User] = {}
        for batch in _batches(emails):
            self._users |= {user.email.lower(): user for user in User.objects.filter(email__in=batch)}
        self._creators = set(
            Creator.objects.filter(user__in=[user.pk for user in self._users.values()]).values_list(
                "user_id", flat=True
            )
        )
        self._slugs: set[str] = set()
        for batch in _batches([row.get("slug", "") for _number, row in rows]):
            self._slugs |= set(Creator.objects.filter(slug__in=batch).values_list("slug", flat=True))
        self._may_verify = self.by.may("applications.decide")

    def check_draft(self, number: int, draft: Draft) -> list[Trouble]:
        troubles = self._once(number, "email", ("email", draft.email), draft.email)
        user = self._users.get(draft.email)
        if user is not None and user.pk in self._creators:
            troubles.append(
                Trouble(number, "email", _("The person with this address is a creator already."), draft.email)
            )
        elif user is not None and user.is_staff:
            troubles.append(Trouble(number, "email", _("This address belongs to a member of staff."), draft.email))
        if draft.slug:
            if slugify(draft.slug) != draft.slug:
                cause = _("Only small letters, digits and hyphens.")
                troubles.append(Trouble(number, "slug", cause, draft.slug))
            elif draft.slug in self._slugs:
                troubles.append(Trouble(number, "slug", _("This slug is taken."), draft.slug))
            troubles += self._once(number, "slug", ("slug", draft.slug), draft.slug)
        if draft.verified and not self._may_verify:
            cause = _("Your roles do not include verifying creators.")
            troubles.append(Trouble(number, "verified", cause, "yes"))
        if not troubles:
            person = user or NewMember(
                email=draft.email,
                display_name=draft.stage_name[:100],
                language=draft.language,
                country=draft.country,
            )
            creator = NewCreator(
                stage_name=draft.stage_name,
                slug=draft.slug,
                bio=draft.bio,
                country=draft.country,
                currency=draft.currency,
                languages=draft.languages,
                verified=draft.verified,
            )
            self.drafts.append((draft.external_id, (person, creator)))
        return troubles


class TitleTable(TableResource):
    """Titles of creators (M-002)."""

    code = ImportRun.Resource.TITLES
    describes = gettext_lazy(
        "One row per title. Titles come in as pending, without a video; upload it and submit them afterwards."
    )

    external_id = Column(
        "external_id", Text(200), gettext_lazy("Id in the other system"), required=True, example="movie-20417"
    )
    creator = Column(
        "creator", Text(80), gettext_lazy("The creator's slug"), required=True, example="nadege-baptiste",
        attribute="creator_slug",
    )  # fmt: skip
    title = Column("title", Text(255), gettext_lazy("Title"), required=True, example="Lavi nan mòn yo")
    description = Column(
        "description",
        Text(10_000, one_line=False),
        gettext_lazy("Description"),
        example="A family in the hills",
    )
    kind = Column(
        "kind",
        Choice(Title.Kind.values),
        gettext_lazy("movie, video, locker_item, showcase or live_recording; video when empty"),
        example="movie",
        default=Title.Kind.VIDEO,
    )
    language = Column("language", Choice(LANGUAGES), gettext_lazy("en, fr, ht or es"), example="ht", default="en")
    category = Column(
        "category", Text(80), gettext_lazy("The category's slug"), example="drama", attribute="category_slug"
    )
    tags = Column("tags", Words(), gettext_lazy("Separated by commas"), example="family, mountains", default=list)
    access_model = Column(
        "access_model",
        Choice((Title.Access.FREE, Title.Access.PURCHASE, Title.Access.CREATOR_SUBSCRIPTION)),
        gettext_lazy("free, purchase or creator_subscription; follows from the price when empty"),
        example="purchase",
    )
    price = Column(
        "price",
        Amount(),
        gettext_lazy("Only for purchase"),
        example="4.99",
        attribute="price_minor",
        default=0,
    )
    currency = Column("currency", Currency(), gettext_lazy("ISO 4217; USD when empty"), example="USD", default="USD")
    visibility = Column(
        "visibility",
        Choice(Visibility.values),
        gettext_lazy("public or private; public when empty"),
        example="public",
        default=Visibility.PUBLIC,
    )

    def look_up(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        self._creators: dict[str, Creator] = {}
        for batch in _batches([row.get("creator", "") for _number, row in rows]):
            self._creators |= {creator.slug: creator for creator in Creator.objects.filter(slug__in=batch)}
        self._categories = {category.slug: category for category in Category.objects.filter(kind=Category.Kind.TITLE)}
        owners = [creator.pk for creator in self._creators.values()]
        names = Title.objects.filter(creator__in=owners).values_list("creator_id", "title")
        self._titles: set[tuple[UUID | None, str]] = {(owner, name.casefold()) for owner, name in names}

    def check_draft(self, number: int, draft: Draft) -> list[Trouble]:
        troubles = self.check_despite(number, draft)
        creator = self._creators.get(draft.creator_slug)
        access = draft.access_model or (Title.Access.PURCHASE if draft.price_minor else Title.Access.FREE)
        try:
            catalogue.check_price(access, draft.price_minor, draft.currency)
        except Invalid as error:
            troubles.append(Trouble(number, error.field or "price", str(error)))
        if creator is not None:
            name = draft.title.casefold()
            troubles += self._once(number, "title", ("title", str(creator.pk), name), draft.title)
            if (creator.pk, name) in self._titles:
                cause = _("This creator has a title of this name already.")
                troubles.append(Trouble(number, "title", cause, draft.title[:200]))
        if not troubles:
            self.drafts.append(
                (
                    draft.external_id,
                    NewTitle(
                        creator=creator,
                        title=draft.title,
                        description=draft.description,
                        kind=draft.kind,
                        language=draft.language,
                        category=self._categories.get(draft.category_slug),
                        tags=draft.tags,
                        access_model=access,
                        price_minor=draft.price_minor,
                        currency=draft.currency,
                        visibility=draft.visibility,
                    ),
                )
            )
        return troubles

    def check_despite(self, number: int, draft: Draft) -> list[Trouble]:
        """Creator and category are looked at even when a price is wrong: one pass shows all there is to
        repair."""
        troubles = []
        slug = draft.creator_slug
        creator = self._creators.get(slug) if slug else None
        if slug and creator is None:
            troubles.append(Trouble(number, "creator", _("No creator has the slug “%(slug)s”.") % {"slug": slug}, slug))
        elif creator is not None and creator.verification_status in (
            VerificationStatus.REJECTED,
            VerificationStatus.SUSPENDED,
        ):
            troubles.append(Trouble(number, "creator", _("This creator is rejected or suspended."), slug))
        if draft.category_slug and draft.category_slug not in self._categories:
            cause = _("No category has the slug “%(slug)s”.") % {"slug": draft.category_slug}
            troubles.append(Trouble(number, "category", cause, draft.category_slug))
        return troubles


class SaleTable(TableResource):
    """Past sales of titles (M-004)."""

    code = ImportRun.Resource.SALES
    describes = gettext_lazy(
        "One row per sale. Each becomes a purchase, a payment and a ledger entry under the fee rules of "
        "its day. "
        "Say in paid_out whether the other system has paid the creator: only what is not paid out becomes "
        "payable."
    )

    external_id = Column(
        "external_id", Text(200), gettext_lazy("Id in the other system"), required=True, example="sale-90001"
    )
    title = Column(
        "title",
        Text(280),
        gettext_lazy("The title's slug, or its id in the other system if it was imported"),
        required=True,
        example="movie-20417",
        attribute="title_ref",
    )
    buyer_email = Column(
        "buyer_email",
        Email(),
        gettext_lazy("The buyer's address"),
        required=True,
        example="marie@example.com",
    )
    buyer_name = Column(
        "buyer_name",
        Text(100),
        gettext_lazy("Needed when the address has no account yet"),
        example="Marie Joseph",
    )
    amount = Column(
        "amount", Amount(), gettext_lazy("What the buyer paid"), required=True, example="4.99",
        attribute="price_minor",
    )  # fmt: skip
    currency = Column("currency", Currency(), gettext_lazy("ISO 4217"), required=True, example="USD")
    sold_at = Column(
        "sold_at",
        Moment(),
        gettext_lazy("Date, with or without time; UTC"),
        required=True,
        example="2024-05-31",
    )
    paid_out = Column(
        "paid_out",
        YesNo(),
        gettext_lazy("yes when the other system has paid the creator's share"),
        required=True,
        example="yes",
        default=False,
    )

    def look_up(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        refs = [row.get("title", "") for _number, row in rows]
        imported: dict[str, UUID] = {}
        self._titles: dict[str, Title] = {}
        for batch in _batches(refs):
            imported |= dict(
                ImportedRow.objects.filter(resource=ImportRun.Resource.TITLES, external_id__in=batch).values_list(
                    "external_id", "subject_id"
                )
            )
            by_slug = Title.objects.filter(slug__in=batch).select_related("creator", "category")
            self._titles |= {title.slug: title for title in by_slug}
        by_id = Title.objects.filter(pk__in=imported.values()).select_related("creator", "category").in_bulk()
        self._titles |= {ref: by_id[pk] for ref, pk in imported.items() if pk in by_id}
        self._users: dict[str, User] = {}
        for batch in _batches([row.get("buyer_email", "").lower() for _number, row in rows]):
            self._users |= {user.email.lower(): user for user in User.objects.filter(email__in=batch)}
        title_ids = {title.pk for title in self._titles.values()}
        owned = Purchase.objects.filter(
            title__in=title_ids, status__in=ACTIVE, buyer__in=[user.pk for user in self._users.values()]
        )
        self._owned = set(owned.values_list("buyer_id", "title_id"))
        self._new: dict[str, NewMember] = {}

    def check_draft(self, number: int, draft: Draft) -> list[Trouble]:
        troubles = []
        title = self._titles.get(draft.title_ref)
        user = self._users.get(draft.buyer_email)
        if title is None:
            cause = _("No title has the slug or imported id “%(ref)s”.") % {"ref": draft.title_ref}
            troubles.append(Trouble(number, "title", cause, draft.title_ref[:200]))
        if draft.price_minor <= 0:
            troubles.append(Trouble(number, "amount", _("The amount must be above zero.")))
        elif money.from_minor(draft.price_minor, draft.currency).amount > catalogue.HIGHEST_PRICE:
            cause = _("The highest amount is %(price)s.") % {"price": catalogue.HIGHEST_PRICE}
            troubles.append(Trouble(number, "amount", cause))
        if not OLDEST_SALE <= draft.sold_at <= self.at:
            troubles.append(Trouble(number, "sold_at", _("A past sale lies between the year 2000 and now.")))
        if user is None and not draft.buyer_name and draft.buyer_email not in self._new:
            cause = _("This address has no account; give the buyer's name.")
            troubles.append(Trouble(number, "buyer_name", cause, draft.buyer_email))
        if title is not None:
            key = ("sale", str(title.pk), draft.buyer_email)
            troubles += self._once(number, "buyer_email", key, draft.buyer_email)
            if user is not None and (user.pk, title.pk) in self._owned:
                cause = _("This buyer has this title already.")
                troubles.append(Trouble(number, "buyer_email", cause, draft.buyer_email))
            if not troubles:
                why = problem(
                    title=title,
                    price_minor=draft.price_minor,
                    currency=draft.currency,
                    sold_at=draft.sold_at,
                )
                if why:
                    troubles.append(Trouble(number, "sold_at", why))
        if not troubles and title is not None:
            if user is None:
                self._new.setdefault(
                    draft.buyer_email, NewMember(email=draft.buyer_email, display_name=draft.buyer_name)
                )
            sale = {
                "external_id": draft.external_id,
                "title": title,
                "price_minor": draft.price_minor,
                "currency": draft.currency,
                "sold_at": draft.sold_at,
                "paid_out": draft.paid_out,
            }
            self.drafts.append((draft.external_id, (user or draft.buyer_email, sale)))
        return troubles

    @property
    def new_buyers(self) -> list[NewMember]:
        """Buyers without an account, each once."""
        return list(self._new.values())

    @staticmethod
    def sale(buyer: User, cells: dict[str, Any]) -> PastSale:
        """The finished draft of a sale."""
        return PastSale(buyer=buyer, **cells)


TABLES: dict[str, type[TableResource]] = {table.code: table for table in (CreatorTable, TitleTable, SaleTable)}


def _batches(values: Sequence[str]) -> list[list[str]]:
    """The different, filled values in lists that fit into a statement."""
    distinct = [value for value in dict.fromkeys(values) if value]
    return [distinct[start : start + IN_BATCHES] for start in range(0, len(distinct), IN_BATCHES)]
