"""What editors type on the featured board. The rules are the catalogue's; these read the input."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models import FeaturedSlot
from backoffice.core import money


class MomentField(forms.DateTimeField):
    """A date and time in the reader's zone, as the browser's own picker writes it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(
            widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options
        )


class ViewForm(forms.Form):
    """Whose board is looked at, and when."""

    on = MomentField(label=_("As on"), required=False)
    language = forms.ChoiceField(label=_("Visitor's language"), required=False)
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Visitor's country"),
        required=False,
        error_messages={"invalid": _("Two letters, such as HT.")},
        widget=forms.TextInput(attrs={"size": 4, "maxlength": 2, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].choices = [("", _("Any")), *settings.LANGUAGES]  # type: ignore[attr-defined]

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


class WindowForm(forms.Form):
    """From when to when; an empty end leaves the slot open."""

    starts_at = MomentField(label=_("From"), required=False, help_text=_("Empty: now."))
    ends_at = MomentField(label=_("Until"), required=False, help_text=_("Empty: until you end it."))


class RescheduleForm(WindowForm):
    """A new window of a slot that is there already."""

    starts_at = MomentField(label=_("From"))


class PlaceForm(WindowForm):
    """A title for a section. The section is the button that was pressed."""

    title = forms.UUIDField(error_messages={"required": _("Choose a title."), "invalid": _("Choose a title.")})
    section = forms.SlugField(error_messages={"required": _("Choose a section.")})
    where = forms.ChoiceField(
        label=_("Position"), choices=[("end", _("At the end")), ("front", _("At the front"))], required=False
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=FeaturedSlot.Kind.choices,
        initial=FeaturedSlot.Kind.EDITORIAL,
        required=False,
    )
    fee = forms.CharField(label=_("Fee"), required=False, help_text=_("For paid slots, which say “Sponsored”."))
    fee_currency = forms.CharField(label=_("Currency"), required=False, max_length=3, initial="USD")

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or FeaturedSlot.Kind.EDITORIAL

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["fee_minor"] = 0
        if data.get("kind") != FeaturedSlot.Kind.PAID:
            # The currency is filled in beforehand; without a fee it means nothing.
            data["fee_currency"] = ""
            if data.get("fee"):
                self.add_error("fee", _("An editorial slot has no fee."))
        elif not data.get("fee"):
            self.add_error("fee", _("A paid slot needs its fee."))
        else:
            try:
                data["fee_currency"] = money.check_currency(data.get("fee_currency", ""))
                data["fee_minor"] = money.parse(data["fee"], data["fee_currency"])
            except money.MoneyError as error:
                self.add_error("fee_currency" if error.code == "unknown_currency" else "fee", str(error))
        return data
