"""The creator's own tax form: signed here, shown back by its last signs only (E-021, X-033)."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api.base import ApiView, created, ok
from backoffice.creators import queries, states
from backoffice.creators.services import tax


class TaxFormInput(serializers.Serializer[Any]):
    """A form as it is signed. The tax id never comes back."""

    form = serializers.ChoiceField(choices=states.TaxForm.choices)
    country = serializers.RegexField(r"^[A-Z]{2}$", help_text="Country of tax residence")
    tax_id = serializers.CharField(max_length=tax.MOST_SIGNS)
    signed_name = serializers.CharField(max_length=200, help_text="The full name, as a signature")


class TaxFormOutput(serializers.Serializer[Any]):
    """The form in force, or the newest one that was refused."""

    id = serializers.UUIDField()
    form = serializers.CharField()
    country = serializers.CharField()
    status = serializers.CharField()
    last_four = serializers.CharField()
    signed_name = serializers.CharField()
    signed_at = serializers.DateTimeField()
    valid_until = serializers.DateField()
    reason = serializers.CharField()


class TaxFormState(serializers.Serializer[Any]):
    """Whether a form is there, and which."""

    status = serializers.ChoiceField(choices=states.TaxFormStatus.choices)
    form = TaxFormOutput(allow_null=True)


class MyTaxForm(ApiView):
    """GET, POST creators/me/tax-form"""

    resource = "own_tax_form"

    @extend_schema(responses=TaxFormState, operation_id="creators_me_tax_form")
    def get(self, request: Request) -> Response:
        """What is known of the creator's tax form."""
        return ok(self._state())

    @extend_schema(request=TaxFormInput, responses={201: TaxFormState}, operation_id="creators_me_tax_form_sign")
    def post(self, request: Request) -> Response:
        """Signs a form in the place of the one before. Needs a fresh code; 400 names the field."""
        self.demand_fresh_code()
        tax.submit(creator=self.creator, by=request.user, **self.valid(TaxFormInput))
        return created(self._state())

    def _state(self) -> dict[str, Any]:
        profile = queries.newest_tax_form(self.creator)
        found = {"status": self.creator.tax_form_status, "form": profile}
        return dict(TaxFormState(found).data)


urlpatterns = [path("creators/me/tax-form", MyTaxForm.as_view(), name="creators_me_tax_form")]
