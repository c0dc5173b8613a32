"""Reference data of finance: default fee rules, payout methods, the platform's accounts."""

from datetime import UTC, datetime

from backoffice.finance.models import AccountKind, PayoutMethod, RuleVersion
from backoffice.finance.models.commission import Component, Scope
from backoffice.finance.services import accounts, commission, providers

# Before any sale that could be imported.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
CURRENCIES = ("USD", "EUR", "CAD", "GBP", "HTG")
# N-003 in the currencies that customers pay in; the fixed part is what processors list, about 0.30 USD.
PROCESSING_FIXED = {"USD": 30, "EUR": 30, "CAD": 40, "GBP": 25, "HTG": 4000}
STRIPE_CURRENCIES = {"USD": 10_00, "EUR": 10_00, "CAD": 15_00, "GBP": 10_00}

Manual = PayoutMethod.Transport.MANUAL
# N-006 to N-011. Disabled until somebody handles their files; the numbers are the spec's.
METHODS: list[dict[str, object]] = [
    {
        "code": "moncash",
        "name": "MonCash",
        "fee_bp": 200,
        "minimum_minor": 10_00,
        "countries": ["HT"],
        "hours_min": 24,
        "hours_max": 48,
    },
    {
        "code": "sogebank",
        "name": "Sogebank transfer",
        "fee_fixed_minor": 15_00,
        "minimum_minor": 50_00,
        "countries": ["HT"],
        "hours_min": 72,
        "hours_max": 120,
    },
    {
        "code": "western_union",
        "name": "Western Union",
        "fee_min_minor": 20_00,
        "fee_max_minor": 50_00,
        "minimum_minor": 100_00,
        "hours_min": 0,
        "hours_max": 24,
    },
    {"code": "crypto", "name": "Bitcoin or USDC", "minimum_minor": 20_00, "hours_min": 1, "hours_max": 1},
    {
        "code": "cash_pickup",
        "name": "US dollar cash pickup",
        "fee_fixed_minor": 25_00,
        "minimum_minor": 100_00,
        "hours_min": 24,
        "hours_max": 48,
    },
    {"code": "bank", "name": "ACH or SWIFT transfer"},
    {"code": "paypal", "name": "PayPal"},
    {"code": "check", "name": "Check"},
]


def load() -> None:
    """Adds what is missing and changes nothing that is there: safe to run at every start."""
    _rules()
    _methods()
    accounts.resolve(
        *(
            accounts.platform(kind, currency)
            for currency in CURRENCIES
            for kind in (
                AccountKind.PLATFORM_COMMISSION,
                AccountKind.PROCESSING_FEES,
                AccountKind.CONVERSION_FEES,
                AccountKind.PAYOUT_FEES,
            )
        ),
        *(
            accounts.clearing(provider, currency)
            for currency in CURRENCIES
            for provider in (providers.STRIPE, providers.STRIPE_CONNECT)
        ),
    )


def _rules() -> None:
    """25 % commission (N-001), 2.9 % + 0.30 processing (N-003), 2 % conversion (N-004); the creator bears them."""
    known = set(
        RuleVersion.objects.filter(scope=Scope.DEFAULT, promotion_code="", agreement="").values_list(
            "component", "currency"
        )
    )
    if (Component.COMMISSION, "") not in known:
        commission.add_rule(component=Component.COMMISSION, by=None, valid_from=EPOCH, percent_bp=2500)
    if (Component.CONVERSION, "") not in known:
        commission.add_rule(component=Component.CONVERSION, by=None, valid_from=EPOCH, percent_bp=200)
    if (Component.PROCESSING, "") not in known:
        commission.add_rule(component=Component.PROCESSING, by=None, valid_from=EPOCH, percent_bp=290)
    for currency, fixed in PROCESSING_FIXED.items():
        if (Component.PROCESSING, currency) not in known:
            commission.add_rule(
                component=Component.PROCESSING,
                by=None,
                valid_from=EPOCH,
                percent_bp=290,
                fixed_minor=fixed,
                currency=currency,
                priority=10,
            )


def _methods() -> None:
    """Stripe Connect is on in the currencies it pays out here; the others wait for their files (Q-025)."""
    for currency, minimum in STRIPE_CURRENCIES.items():
        PayoutMethod.objects.get_or_create(
            code="stripe",
            currency=currency,
            defaults={
                "name": "Bank account (Stripe)",
                "transport": PayoutMethod.Transport.STRIPE,
                "fee_bp": 25,
                "fee_fixed_minor": 25,
                "minimum_minor": minimum,
                "hours_min": 24,
                "hours_max": 72,
                "enabled": True,
            },
        )
    for method in METHODS:
        fields = {key: value for key, value in method.items() if key != "code"}
        PayoutMethod.objects.get_or_create(
            code=method["code"], currency="USD", defaults={**fields, "transport": Manual, "enabled": False}
        )
