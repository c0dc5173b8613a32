"""A creator's money: what there is, where it is paid to, and asking for it (U-026, U-027)."""

from typing import Any, cast

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, MoneySerializer, created, money, ok
from backoffice.core import context, stored
from backoffice.core.errors import DomainError, Forbidden, Invalid
from backoffice.core.money import check_currency, parse
from backoffice.finance import states
from backoffice.finance.models import PayoutAccount, PayoutItem, PayoutMethod
from backoffice.finance.queries import balances
from backoffice.finance.services import payout_accounts, payouts
from integrations.stripe.types import BankDetails

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="The same key never pays twice"
)


class BalanceOutput(serializers.Serializer[Any]):
    """Money in one currency. `free` is what can be asked for now."""

    currency = serializers.CharField()
    pending = serializers.SerializerMethodField()
    available = serializers.SerializerMethodField()
    reserved = serializers.SerializerMethodField()
    free = serializers.SerializerMethodField()
    in_transit = serializers.SerializerMethodField()
    owed = serializers.SerializerMethodField()
    minimum = serializers.SerializerMethodField(help_text="The smallest payout in this currency")
    next_payout_at = serializers.SerializerMethodField(
        help_text="When the next payout is sent by itself; null while payouts are sent only when asked for"
    )

    @extend_schema_field(MoneySerializer)
    def get_pending(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.pending, row.currency)

    @extend_schema_field(MoneySerializer)
    def get_available(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.available, row.currency)

    @extend_schema_field(MoneySerializer)
    def get_reserved(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.reserved, row.currency)

    @extend_schema_field(MoneySerializer)
    def get_free(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.free, row.currency)

    @extend_schema_field(MoneySerializer)
    def get_in_transit(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.in_transit, row.currency)

    @extend_schema_field(MoneySerializer)
    def get_owed(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(row.owed, row.currency)

    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_minimum(self, row: balances.CreatorBalance) -> dict[str, str] | None:
        return money(self.context["minimums"].get(row.currency), row.currency)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_payout_at(self, row: balances.CreatorBalance) -> None:
        return None


class BankInput(serializers.Serializer[Any]):
    """A bank account. The number goes to the payment provider and is not kept."""

    country = serializers.RegexField(r"^[A-Z]{2}$")
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    account_number = serializers.CharField(max_length=40)
    routing_number = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    holder_name = serializers.CharField(max_length=200)


class AccountOutput(serializers.Serializer[Any]):
    """Where the creator is paid."""

    id = serializers.UUIDField()
    method = serializers.CharField(source="method.code")
    currency = serializers.CharField(source="method.currency")
    account = serializers.CharField(source="masked")
    status = serializers.CharField()
    missing = serializers.ListField(child=serializers.CharField())


class PayoutInput(serializers.Serializer[Any]):
    """How much, before fees, and to which account; without one, the account in that currency."""

    amount = MoneySerializer()
    account_id = serializers.UUIDField(required=False)


class PayoutOutput(serializers.Serializer[PayoutItem]):
    """One payout. `state` is where the money stands, `run_state` where the decision does."""

    id = serializers.UUIDField()
    reference = serializers.CharField(source="run.reference")
    state = serializers.CharField(source="status")
    run_state = serializers.CharField(source="run.status")
    amount = serializers.SerializerMethodField()
    fee = serializers.SerializerMethodField()
    net = serializers.SerializerMethodField()
    account = serializers.CharField(source="account_snapshot.masked")
    reason = serializers.SerializerMethodField()
    bank_reference = serializers.CharField()
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(MoneySerializer)
    def get_amount(self, item: PayoutItem) -> dict[str, str] | None:
        return money(item.gross_minor, item.currency)

    @extend_schema_field(MoneySerializer)
    def get_fee(self, item: PayoutItem) -> dict[str, str] | None:
        return money(item.fee_minor, item.currency)

    @extend_schema_field(MoneySerializer)
    def get_net(self, item: PayoutItem) -> dict[str, str] | None:
        return money(item.net_minor, item.currency)

    def get_reason(self, item: PayoutItem) -> str:
        return stored.shown(item.failure_message or item.run.rejected_reason)


class CreatorsMoney(ApiView):
    """For creators, about what is theirs."""

    @property
    def person(self) -> User:
        # The matrix lets nobody else this far.
        return cast(User, self.request.user)


class Balance(CreatorsMoney):
    """GET creators/me/balance"""

    resource = "own_balance"

    @extend_schema(operation_id="creators_me_balance", responses=BalanceOutput(many=True))
    def get(self, request: Request) -> Response:
        """The creator's money per currency, their own currency first."""
        rows = balances.for_creator(self.creator)
        methods = PayoutMethod.objects.filter(enabled=True, currency__in=[row.currency for row in rows])
        minimums = dict(methods.order_by("-minimum_minor").values_list("currency", "minimum_minor"))
        return ok(BalanceOutput(rows, many=True, context={"minimums": minimums}).data)


class Accounts(CreatorsMoney):
    """GET, POST creators/me/payout-accounts"""

    resource = "own_payout_accounts"

    @extend_schema(operation_id="creators_me_payout_accounts_list", responses=AccountOutput(many=True))
    def get(self, request: Request) -> Response:
        """Where the creator is paid; disabled accounts are left out."""
        return ok(AccountOutput(_accounts(self), many=True).data)

    @extend_schema(
        operation_id="creators_me_payout_accounts_connect", request=BankInput, responses={201: AccountOutput}
    )
    def post(self, request: Request) -> Response:
        """Opens the account with the provider, or changes its bank. Needs a fresh code; approvals become void."""
        self.demand_fresh_code()
        bank = BankDetails(**self.valid(BankInput))
        existing = next((found for found in _accounts(self) if found.method.currency == self.creator.currency), None)
        if existing is not None:
            account = payout_accounts.change_bank(account=existing, by=self.person, bank=bank)
        else:
            account = payout_accounts.connect(
                creator=self.creator, by=self.person, bank=bank, terms_ip=context.current().ip or "127.0.0.1"
            )
        return created(AccountOutput(account).data)


class Payouts(CreatorsMoney):
    """GET, POST creators/me/payouts"""

    resource = "own_payouts"

    @extend_schema(
        operation_id="creators_me_payouts_list",
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses=PayoutOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """The creator's payouts, latest first."""
        found = PayoutItem.objects.filter(creator=self.creator).select_related("run").order_by("-id")
        return self.paginated(found, PayoutOutput)

    @extend_schema(
        operation_id="creators_me_payouts_request",
        parameters=[KEY],
        request=PayoutInput,
        responses={201: PayoutOutput},
    )
    def post(self, request: Request) -> Response:
        """Asks for a payout. 400 the amount; 403 code, tax form, account or hold; 409 another one is open."""
        key = self.idempotency_key
        self.demand_fresh_code()
        asked = self.valid(PayoutInput)
        try:
            currency = check_currency(asked["amount"]["currency"])
            amount = parse(asked["amount"]["amount"], currency)
        except DomainError as error:
            raise Invalid(error.message, code=error.code, field="amount") from error
        account = next(
            (
                found
                for found in _accounts(self)
                if found.method.currency == currency and asked.get("account_id") in (None, found.pk)
            ),
            None,
        )
        if account is None:
            raise Forbidden(_("There is no payout account."), code="no_account")
        run = payouts.request(creator=self.creator, amount_minor=amount, account=account, by=self.person, key=key)
        item = PayoutItem.objects.select_related("run").get(run=run)
        return created(PayoutOutput(item).data)


def _accounts(view: CreatorsMoney) -> list[PayoutAccount]:
    """The creator's accounts that are not disabled, with their methods."""
    found = PayoutAccount.objects.filter(creator=view.creator).exclude(status=states.AccountStatus.DISABLED)
    return list(found.select_related("method", "creator__user").order_by("created_at"))


urlpatterns = [
    path("creators/me/balance", Balance.as_view(), name="creators_me_balance"),
    path("creators/me/payout-accounts", Accounts.as_view(), name="creators_me_payout_accounts"),
    path("creators/me/payouts", Payouts.as_view(), name="creators_me_payouts"),
]
