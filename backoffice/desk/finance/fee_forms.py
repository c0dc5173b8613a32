"""Forms of the fee rules and payout methods: what people type, read into terms with the error beside its field."""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.catalogue.models import Category, Title
from backoffice.core import clock, countries, money, percent
from backoffice.core.errors import DomainError
from backoffice.creators.models import Creator
from backoffice.creators.states import Tier
from backoffice.finance.models import PayoutMethod, RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies.fee_rules import Terms
from backoffice.finance.policies.payout_methods import Settings
from backoffice.finance.services.fee_replay import Month
from backoffice.finance.services.reference import CURRENCIES

MONTHS_BACK = 12
MOMENT = "%Y-%m-%dT%H:%M"
# Where a refusal of the services belongs in the forms.
FIELDS = {
    "percent_bp": "percent",
    "fee_bp": "percent",
    "fixed_minor": "fixed",
    "fee_fixed_minor": "fixed",
    "min_minor": "minimum",
    "fee_min_minor": "lowest",
    "max_minor": "maximum",
    "fee_max_minor": "highest",
    "minimum_minor": "minimum",
    "ends_at": "valid_from",
    "scope_tier": "tier",
    "scope_creator": "creator",
    "scope_category": "category",
    "scope_product": "product",
    "scope_country": "country",
}


def find_creator(text: str) -> Creator | None:
    """The creator of a reference, or of a stage name that only one has. ValidationError says what to do otherwise."""
    text = text.strip()
    if not text:
        return None
    match = Q(reference__iexact=text) | Q(stage_name__iexact=text)
    with suppress(ValueError):
        match |= Q(pk=UUID(text))
    found = list(Creator.objects.filter(match).order_by("stage_name", "id")[:4])
    if not found:
        found = list(Creator.objects.filter(stage_name__icontains=text).order_by("stage_name", "id")[:4])
    if len(found) == 1:
        return found[0]
    if not found:
        raise forms.ValidationError(_("No creator has this name or reference."))
    named = ", ".join(f"{creator.reference} ({creator.stage_name})" for creator in found[:3])
    raise forms.ValidationError(_("Several creators match; use the reference: %(creators)s.") % {"creators": named})


class MomentField(forms.DateTimeField):
    """A day and a time of the desk's time zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT)
        super().__init__(widget=widget, **options)


class ReasonedForm(forms.Form):
    """A form whose sentence for the approver is part of it, and which takes a service's refusal beside its field."""

    def refuse(self, error: DomainError) -> None:
        """Shows a refusal where it belongs, above the form when it belongs to no field."""
        name = FIELDS.get(error.field or "", error.field or "")
        self.add_error(name if name in self.fields else None, str(error))

    def _amount(self, name: str, currency: str) -> int | None:
        """What was typed, in minor units; None for nothing. The error goes beside the field."""
        text = self.cleaned_data.get(name, "").strip()
        if not text:
            return None
        if not currency:
            self.add_error("currency", _("An amount needs a currency."))
            return None
        try:
            return money.parse(text, currency)
        except money.MoneyError as error:
            self.add_error(name, str(error))
            return None

    def _percent(self, name: str) -> int:
        text = self.cleaned_data.get(name, "").strip()
        if not text:
            return 0
        try:
            return percent.parse(text)
        except percent.PercentError as error:
            self.add_error(name, str(error))
            return 0


def amount_text(minor: int | None, currency: str) -> str:
    """Minor units as they stand in a field."""
    return "" if minor is None or not currency else money.api_amount(minor, currency)


class RuleForm(ReasonedForm):
    """One version of a fee rule. ``component`` and ``scope`` are chosen before: the form has the fields they need.

    With ``rule`` it is the next version of that rule, for the same sales.
    """

    tier = forms.ChoiceField(label=gettext_lazy("Tier"), choices=Tier.choices)
    creator = forms.CharField(
        label=gettext_lazy("Creator"),
        max_length=200,
        help_text=gettext_lazy("The reference (CR-…), or a stage name that only one creator has."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    category = forms.ModelChoiceField(
        Category.objects.filter(kind=Category.Kind.TITLE), label=gettext_lazy("Category"), empty_label=None
    )
    product = forms.ChoiceField(label=gettext_lazy("Kind of product"), choices=Title.Kind.choices)
    country = forms.ChoiceField(label=gettext_lazy("Creator's country"))
    percent = forms.CharField(
        label=gettext_lazy("Percent of the price"),
        max_length=12,
        required=False,
        help_text=gettext_lazy("For example 22.5"),
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Only for sales in"),
        required=False,
        choices=[("", gettext_lazy("Every currency")), *((code, code) for code in CURRENCIES)],
        help_text=gettext_lazy("A rule with amounts names their currency."),
    )
    fixed = forms.CharField(label=gettext_lazy("Plus a fixed amount"), max_length=30, required=False)
    minimum = forms.CharField(label=gettext_lazy("But at least"), max_length=30, required=False)
    maximum = forms.CharField(label=gettext_lazy("And at most"), max_length=30, required=False)
    bearer = forms.ChoiceField(label=gettext_lazy("Paid by"), choices=Bearer.choices)
    agreement = forms.CharField(
        label=gettext_lazy("Signed agreement"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("An agreement goes before every other rule."),
    )
    promotion_code = forms.CharField(
        label=gettext_lazy("Promotion code"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Only for sales with this code. Outside the usual bounds two other people approve it."),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=-100,
        max_value=100,
        initial=0,
        help_text=gettext_lazy("Among rules that apply alike, the highest number goes first."),
    )
    valid_from = MomentField(label=gettext_lazy("From"))
    valid_to = MomentField(label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("Empty: until replaced"))
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("The approver reads it."),
    )

    # What makes a version a version of its rule: fixed when it replaces one.
    IDENTITY = (
        "tier",
        "creator",
        "category",
        "product",
        "country",
        "currency",
        "agreement",
        "promotion_code",
        "priority",
    )

    def __init__(
        self, data: Any = None, *, component: str, scope: str, rule: RuleVersion | None = None, **options: Any
    ) -> None:
        self.component, self.scope, self.rule = component, scope, rule
        initial = {"valid_from": _tomorrow(), "bearer": Bearer.CREATOR, "priority": 0}
        if rule is not None:
            initial |= {
                "percent": percent.written(rule.percent_bp),
                "fixed": amount_text(rule.fixed_minor or None, rule.currency),
                "minimum": amount_text(rule.min_minor, rule.currency),
                "maximum": amount_text(rule.max_minor, rule.currency),
                "bearer": rule.bearer,
            }
        super().__init__(data, initial=initial, **options)
        dropped = set(self.IDENTITY) if rule is not None else {name for name in Scope.values if name != scope}
        if scope != Scope.CREATOR:
            dropped.add("agreement")
        if rule is not None and not rule.currency:
            dropped |= {"fixed", "minimum", "maximum"}
        for name in dropped & set(self.fields):
            del self.fields[name]
        if "country" in self.fields:
            self.fields["country"].choices = countries.choices()  # type: ignore[attr-defined]

    def clean_creator(self) -> Creator | None:
        return find_creator(self.cleaned_data["creator"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        currency = self.rule.currency if self.rule is not None else data.get("currency", "")
        data["percent_bp"] = self._percent("percent")
        for name, field in (("fixed_minor", "fixed"), ("min_minor", "minimum"), ("max_minor", "maximum")):
            data[name] = self._amount(field, currency) if field in self.fields else None
        return data

    def terms(self) -> Terms:
        """What the valid form says."""
        data = self.cleaned_data
        rate = {
            "percent_bp": data["percent_bp"],
            "fixed_minor": data["fixed_minor"] or 0,
            "min_minor": data["min_minor"],
            "max_minor": data["max_minor"],
            "bearer": data["bearer"],
            "valid_from": data["valid_from"],
            "valid_to": data["valid_to"],
        }
        if self.rule is not None:
            return Terms(**{**Terms.of(self.rule).as_dict(), **rate})
        creator, category = data.get("creator"), data.get("category")
        picked = creator or category
        return Terms(
            component=self.component,
            scope=self.scope,
            scope_value=str(picked.pk) if picked else str(data.get(self.scope, "")),
            creator_id=creator.pk if creator else None,
            category_id=category.pk if category else None,
            agreement=data.get("agreement", "").strip(),
            promotion_code=data["promotion_code"].strip(),
            currency=data["currency"],
            priority=data["priority"],
            **rate,
        )


class EndForm(ReasonedForm):
    """When a rule ends, and why."""

    valid_from = MomentField(label=gettext_lazy("It ends"))
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("The approver reads it."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"valid_from": _tomorrow()})


class CancelForm(ReasonedForm):
    """Why a rule is called off before it starts."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("The approver reads it."),
    )


class StartForm(forms.Form):
    """What a new rule is about: the form that follows has the fields for it."""

    component = forms.ChoiceField(label=gettext_lazy("Fee"), choices=Component.choices, required=False)
    scope = forms.ChoiceField(label=gettext_lazy("For"), choices=Scope.choices, required=False)

    def __init__(self, data: Any) -> None:
        given = {"component": data.get("component", ""), "scope": data.get("scope", "")}
        values = {
            "component": given["component"] if given["component"] in Component.values else Component.COMMISSION,
            "scope": given["scope"] if given["scope"] in Scope.values else Scope.CREATOR,
        }
        super().__init__({name: str(value) for name, value in values.items()})
        self.chosen = (Component(values["component"]), Scope(values["scope"]))


class CalculatorForm(ReasonedForm):
    """A sale that might be."""

    amount = forms.CharField(
        label=gettext_lazy("Price"), max_length=30, widget=forms.TextInput({"inputmode": "decimal"})
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=[(code, code) for code in CURRENCIES])
    creator = forms.CharField(
        label=gettext_lazy("Creator"),
        max_length=200,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": gettext_lazy("Stage name or CR-…")}),
    )
    tier = forms.ChoiceField(label=gettext_lazy("Tier"), required=False)
    country = forms.ChoiceField(label=gettext_lazy("Creator's country"), required=False)
    category = forms.ModelChoiceField(
        Category.objects.filter(kind=Category.Kind.TITLE),
        label=gettext_lazy("Category"),
        required=False,
        to_field_name="slug",
        empty_label=gettext_lazy("None"),
    )
    product = forms.ChoiceField(label=gettext_lazy("Kind of product"), choices=Title.Kind.choices, required=False)
    promotion_code = forms.CharField(label=gettext_lazy("Promotion code"), max_length=40, required=False)
    at = MomentField(label=gettext_lazy("Sold on"), required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        own = ("", _("As the creator has it"))
        self.fields["tier"].choices = [own, *Tier.choices]  # type: ignore[attr-defined]
        self.fields["country"].choices = [own, *countries.choices()]  # type: ignore[attr-defined]

    def clean_creator(self) -> Creator | None:
        return find_creator(self.cleaned_data["creator"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        minor = self._amount("amount", data.get("currency", ""))
        if minor is not None and minor <= 0:
            self.add_error("amount", _("A price is more than zero."))
        data["gross_minor"] = minor
        return data


class MethodForm(ReasonedForm):
    """What can be changed of a payout method, and why."""

    enabled = forms.BooleanField(label=gettext_lazy("In use"), required=False)
    percent = forms.CharField(
        label=gettext_lazy("Fee in percent"),
        max_length=12,
        required=False,
        widget=forms.TextInput({"inputmode": "decimal"}),
    )
    fixed = forms.CharField(label=gettext_lazy("Fixed fee"), max_length=30, required=False)
    lowest = forms.CharField(
        label=gettext_lazy("Fee entered per payout, at least"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("Only where finance enters the fee of each payout by hand."),
    )
    highest = forms.CharField(label=gettext_lazy("Fee entered per payout, at most"), max_length=30, required=False)
    minimum = forms.CharField(label=gettext_lazy("Smallest payout"), max_length=30, required=False)
    countries = forms.CharField(
        label=gettext_lazy("Countries"),
        max_length=1200,
        required=False,
        help_text=gettext_lazy("Codes such as HT, FR, US. Empty: all countries."),
    )
    hours_min = forms.IntegerField(label=gettext_lazy("Takes at least (hours)"), min_value=0, required=False)
    hours_max = forms.IntegerField(label=gettext_lazy("Takes at most (hours)"), min_value=0, required=False)
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("The approver reads it."),
    )

    def __init__(self, data: Any = None, *, method: PayoutMethod) -> None:
        self.method = method
        now, currency = Settings.of(method), method.currency
        super().__init__(
            data,
            initial={
                "enabled": now.enabled,
                "percent": percent.written(now.fee_bp),
                "fixed": amount_text(now.fee_fixed_minor, currency),
                "lowest": amount_text(now.fee_min_minor, currency),
                "highest": amount_text(now.fee_max_minor, currency),
                "minimum": amount_text(now.minimum_minor, currency),
                "countries": ", ".join(now.countries),
                "hours_min": now.hours_min,
                "hours_max": now.hours_max,
            },
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        currency = self.method.currency
        codes = {
            code for code in data.get("countries", "").upper().replace(";", ",").replace(" ", ",").split(",") if code
        }
        data["settings"] = Settings(
            fee_bp=self._percent("percent"),
            fee_fixed_minor=self._amount("fixed", currency) or 0,
            fee_min_minor=self._amount("lowest", currency),
            fee_max_minor=self._amount("highest", currency),
            minimum_minor=self._amount("minimum", currency),
            countries=tuple(sorted(codes)),
            hours_min=data.get("hours_min"),
            hours_max=data.get("hours_max"),
            enabled=data.get("enabled", False),
        )
        return data


def months() -> list[str]:
    """The full months that can be replayed, the last one first."""
    last = Month.last_full(clock.now())
    return [str(last.earlier(number)) for number in range(MONTHS_BACK)]


def month_of(text: str) -> Month:
    """The month that was asked for; the last full one for anything that is not offered."""
    return Month.read(text) if text in months() else Month.last_full(clock.now())


def _tomorrow() -> Any:
    """Midnight after the next, in the desk's time zone: time for somebody else to look."""
    day = timezone.localtime(clock.now()) + timedelta(days=2)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)
