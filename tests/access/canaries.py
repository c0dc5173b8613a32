"""Every field that can hold words, bytes or an amount: who may see it and by which right, or that it is no secret.

A field is named in `SENSITIVE` or in `PLAIN`; a new one in neither fails `test_canaries`. Fields with a fixed list of
choices are states and need no entry. Rights are those of the permission matrix; the rows are of the role
specification (P-, PG-, Q-, W-, X-) and say why. How to add a field: docs/developers/field-classes.md.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

TEXT, MAIL, PLACE, VALUE, AMOUNT, CONTENT = "text", "mail", "place", "value", "amount", "content"
SHORT = "short"  # too few signs to be found on a page, or never there with the rest; its neighbours stand for it
OURS = ("backoffice.", "cms.", "reports.", "integrations.")


@dataclass(frozen=True, slots=True)
class Rule:
    """One right that opens a field: of these rows only, at these addresses only (both: all)."""

    permission: str
    rows: Callable[[Any], bool] | None = None
    where: str = ""

    def opens(self, path: str, row: Any, may: Callable[[str], bool]) -> bool:
        """Whether somebody with these rights may see this row's field at this address."""
        return (
            may(self.permission)
            and (self.rows is None or self.rows(row))
            and (not self.where or re.match(self.where, path) is not None)
        )


@dataclass(frozen=True, slots=True)
class Secret:
    """A sensitive field.

    ``rules``: any one of them opens it; without any, nobody is ever shown it. ``how`` is what is planted: words, a
    mail address, a network address, the value that the product itself put there, an amount, or a file's content.
    """

    row: str
    rules: tuple[Rule, ...] = ()
    how: str = TEXT

    def allows(self, path: str, row: Any, may: Callable[[str], bool]) -> bool:
        """Whether somebody who holds what ``may`` says may see it there."""
        return any(rule.opens(path, row, may) for rule in self.rules)


def seen(by: str, row: str, *more: Rule, how: str = TEXT, where: str = "") -> Secret:
    """A field that the holders of any of the rights in ``by`` (apart by spaces) may see, at ``where`` if given."""
    return Secret(row, (*(Rule(permission, None, where) for permission in by.split()), *more), how)


def never(row: str, how: str = VALUE) -> Secret:
    """A field that no page, file or answer shows anybody but the person that it belongs to."""
    return Secret(row, (), how)


# --- who stands behind a right; see backoffice.accounts.roles ---
HELP = "users.edit users.assist"  # P-016: those who help people with their accounts
PEOPLE = "users.view"  # PG-001
COLLEAGUE = "colleague"  # any member of staff: people who work together know each other's names
STAFF = "staff.view"  # PG-002
APPLICATIONS = "applications.view"  # PG-003
DOCUMENTS = "documents.view"  # PG-004, Q-018
CASES = "cases.view"  # PG-006
ORDERS = "payments.view payments.view_orders"  # PG-008, P-018
PAYMENTS = "payments.view"
PAYOUTS = "payouts.view"  # PG-009
RECORD = "audit.view"  # PG-019, W-030

OWN_ROWS = Rule("audit.view_own", lambda entry: False)  # nobody who crawls did anything that is planted


def of_kind(*kinds: str) -> Callable[[Any], bool]:
    """Rows of the audit log about objects of these kinds."""
    return lambda entry: entry.subject_type in kinds


def _of_creator(entry: Any) -> bool:
    return bool(entry.subject_type == "creators.creator")


def _of_payouts(entry: Any) -> bool:
    return entry.action in ("creator.hold_payouts", "creator.release_payouts", "creator.tax_form")


def _of_people(user: Any) -> bool:
    return bool(user.is_staff)


def _finance_ticket(ticket: Any) -> bool:
    return bool(getattr(ticket, "ticket", ticket).issue_type == "payment")


def _own_ticket(ticket: Any) -> bool:
    return False


# What an object's own page tells of its history (`desk/audit/timeline.html`), to those who may see the object.
TIMELINES = (
    Rule(APPLICATIONS, of_kind("creators.creatorapplication"), r"/admin/creators/applications/"),
    Rule("titles.view", of_kind("catalogue.title"), r"/admin/catalogue/titles/"),
    Rule(CASES, of_kind("moderation.case"), r"/admin/moderation/"),
    Rule(PAYOUTS, of_kind("finance.payoutrun", "finance.payoutitem"), r"/admin/finance/payouts/"),
    Rule(PAYMENTS, of_kind("finance.payment"), r"/admin/finance/payments/"),
    Rule("tickets.view", of_kind("support.ticket"), r"/admin/support/tickets/"),
    # Which tickets they reach is tested with the bodies.
    Rule("tickets.view_finance", of_kind("support.ticket"), r"/admin/support/tickets/"),
    Rule("users.view", of_kind("accounts.user"), r"/admin/accounts/user/"),
    Rule("users.view", lambda entry: _of_creator(entry) and not _of_payouts(entry), r"/admin/creators/"),
    Rule(PAYOUTS, lambda entry: _of_creator(entry), r"/admin/creators/"),
)
FINANCE_RECORD = Rule("audit.view_finance", lambda entry: entry.subject_type.startswith("finance."))
TICKET = ("tickets.view", Rule("tickets.view_finance", _finance_ticket), Rule("tickets.view_own", _own_ticket))

# A request for approval is seen by those who decide about its kind, and by those who see what it is about.
ASKED = (
    Rule("payouts.view", lambda request: request.kind.startswith("payout")),
    Rule("fees.view", lambda request: request.kind.startswith(("fee", "payout_method"))),
    Rule("payments.view", lambda request: request.kind.startswith("refund")),
    Rule("settings.view", lambda request: request.kind.startswith("setting")),
)

SENSITIVE: dict[str, dict[str, Secret]] = {
    "core.Job": {
        "payload": never("X-025", TEXT),
        "key": never("X-025", TEXT),
        "last_error": seen("jobs.view", "O-025"),
        "progress_note": seen("jobs.view", "O-025"),
        "lease_token": never("X-017"),
    },
    "audit.AuditEntry": {
        "subject_label": seen(RECORD, "PG-019", FINANCE_RECORD, OWN_ROWS),
        "reason": seen(RECORD, "PG-019", FINANCE_RECORD, OWN_ROWS, *TIMELINES),
        "before": seen(RECORD, "PG-019", FINANCE_RECORD, OWN_ROWS),
        "after": seen(RECORD, "PG-019", FINANCE_RECORD, OWN_ROWS),
        "data": seen(RECORD, "PG-019", FINANCE_RECORD, OWN_ROWS),
        "ip": seen(RECORD, "PG-019", how=PLACE),
        "user_agent": seen(RECORD, "PG-019"),
    },
    "audit.ExportRecord": {
        "filters": seen(RECORD, "E-088"),
        "reason": seen(RECORD, "E-088"),
        "subject_label": seen(RECORD, "E-088"),
        "storage_key": never("E-088", SHORT),  # written only while a bundle is kept; see the export test
    },
    "configuration.SettingVersion": {
        "reason": seen("settings.view", "PG-017"),
        # Numbers and switches, of which words would make something else.
        "value": seen("settings.view", "PG-017", how=SHORT),
        "previous": seen("settings.view", "PG-017", how=SHORT),
    },
    "accounts.User": {
        "password": never("X-001"),
        "email": seen(HELP, "P-016", Rule(STAFF, _of_people), Rule(RECORD), how=MAIL),
        "display_name": seen(
            f"{PEOPLE} tickets.view",
            "PG-001",
            Rule("tickets.view_finance"),
            Rule("payments.view"),
            Rule(COLLEAGUE, _of_people),
        ),
    },
    "accounts.SecurityEvent": {
        "account": never("X-043", TEXT),
        "ip": seen(f"{STAFF} {HELP} {RECORD}", "X-043", how=PLACE),
        "device": never("X-043", TEXT),
        "fingerprint": never("X-043", TEXT),
        "user_agent": seen(f"{STAFF} {HELP} {RECORD}", "X-043"),
        "data": seen(f"{STAFF} {HELP} {RECORD}", "X-043"),
    },
    "accounts.KnownDevice": {
        "key": never("X-043", TEXT),
        "fingerprint": never("X-043", TEXT),
        "user_agent": seen(f"{STAFF} {HELP}", "X-043"),
        "last_ip": seen(f"{STAFF} {HELP}", "X-043", how=PLACE),
    },
    "accounts.AttemptCount": {"key": never("X-008", TEXT), "account": never("X-008", TEXT)},
    "accounts.FactorReset": {"reason": seen(f"{HELP} staff.edit", "X-004")},
    "accounts.Suspension": {
        "reason": seen(f"{PEOPLE} {RECORD}", "P-011", where=r"/admin/"),
        "end_reason": seen(f"{PEOPLE} {RECORD}", "P-011", where=r"/admin/"),
    },
    "accounts.StaffProfile": {"allowed_ips": seen(STAFF, "X-007", how=PLACE)},
    "accounts.RoleAccess": {"allowed_ips": seen(STAFF, "X-007", how=PLACE)},
    "accounts.StaffInvitation": {"reason": seen(STAFF, "PG-002"), "key_hash": never("X-001", TEXT)},
    "accounts.RoleGrant": {"reason": seen(STAFF, "PG-002")},
    "approvals.ApprovalRequest": {
        "payload": seen("", "E-082", *ASKED),
        "before": seen("", "E-082", *ASKED),
        "reason": seen("", "E-082", *ASKED),
        "decision_reason": seen("", "E-082", *ASKED),
        "failure": seen("", "E-082", *ASKED),
    },
    "queues.WorkItem": {
        "lease_token": never("X-011"),
        "escalation_reason": seen("applications.view cases.view tickets.view payouts.view", "S-125"),
        "pause_reason": seen("applications.view cases.view tickets.view payouts.view", "S-125"),
        "reasons": seen("applications.view cases.view tickets.view payouts.view", "W-001"),
    },
    "notifications.Notification": {
        "data": never("PG-020", TEXT),
        "subject": never("PG-020", TEXT),
        "body": never("PG-020", TEXT),
        "last_error": seen("jobs.view", "O-025"),
    },
    "media.Asset": {
        "storage_key": never("X-052"),
        "details": never("X-025", TEXT),
        "then_payload": never("X-025", TEXT),
        "error_detail": seen("titles.view cases.view applications.view titles.samples", "PG-005"),
    },
    "media.Upload": {
        "filename": never("P-036", TEXT),
        "storage_key": never("X-052"),
        "storage_reference": never("X-052", TEXT),
    },
    "media.ProcessingStep": {"detail": seen("titles.view cases.view applications.view", "PG-005")},
    "creators.Creator": {
        "suspension_reason": seen(PEOPLE, "PG-001"),
        "payout_hold_reason": seen(PAYOUTS, "PG-009"),
    },
    "creators.CreatorApplication": {
        "legal_name": seen(APPLICATIONS, "PG-003"),
        "info_requested": seen(APPLICATIONS, "PG-003"),
        "answer": seen(APPLICATIONS, "PG-003"),
        "decision_reason": seen(APPLICATIONS, "PG-003"),
        "verdict_note": seen(APPLICATIONS, "PG-003"),
    },
    "creators.Sanction": {"reason": seen(PEOPLE, "PG-001"), "end_reason": seen(PEOPLE, "PG-001")},
    "creators.BadgeGrant": {"reason": seen(PEOPLE, "E-013")},
    "creators.QualityAssessment": {"notes": seen(APPLICATIONS, "PG-003")},
    "creators.DocumentKey": {"wrapped": never("PG-004"), "next_wrapped": never("PG-004")},
    "creators.LegalHold": {
        "reason": seen("privacy.view", "PG-020"),
        "authority": seen("privacy.view", "PG-020"),
        "lift_reason": seen("privacy.view", "PG-020", how=SHORT),
    },
    "creators.TaxProfile": {
        "sealed_id": never("X-033"),
        "last_four": seen(PAYOUTS, "PG-009", how=SHORT),
        "signed_name": seen(PAYOUTS, "PG-009"),
        "reason": seen(PAYOUTS, "PG-009"),
    },
    "creators.VerificationDocument": {
        "storage_key": never("X-021", SHORT),  # the key of the row, which stands in its addresses
        "reason": seen(DOCUMENTS, "PG-004"),
        "scan_detail": seen(DOCUMENTS, "PG-004"),
        # The file itself, sealed in the vault: words that only the open document holds.
        "content": seen(DOCUMENTS, "PG-004", how=CONTENT, where=r"/admin/creators/documents/"),
    },
    "catalogue.FeaturedSlot": {
        "fee_minor": seen(f"cms.edit {PAYMENTS}", "Q-037", how=AMOUNT),
        "fee_reference": seen(f"cms.edit {PAYMENTS}", "Q-037"),
    },
    "engagement.EngagementEvent": {
        "ip_hash": never("Q-036", TEXT),
        "session_id": never("Q-036", TEXT),
        "properties": never("X-025", TEXT),
    },
    "commerce.Purchase": {"price_minor": seen(ORDERS, "P-018", how=AMOUNT)},
    "finance.Attempt": {
        "key": seen(PAYOUTS, "PG-009"),
        "request": never("X-030", TEXT),
        "provider_id": seen(f"{PAYOUTS} {PAYMENTS}", "PG-009"),
        "error": seen(f"{PAYOUTS} {PAYMENTS}", "PG-009"),
    },
    "finance.RuleVersion": {
        "agreement": seen("fees.view payments.view", "PG-010", how=SHORT),
        "fixed_minor": seen("fees.view payments.view", "PG-010", how=AMOUNT),
        "min_minor": seen("fees.view", "PG-010", how=AMOUNT),
        "max_minor": seen("fees.view", "PG-010", how=AMOUNT),
    },
    "finance.CommissionLine": {
        "base_minor": seen(PAYMENTS, "PG-008", how=AMOUNT),
        "fixed_minor": seen(PAYMENTS, "PG-008", how=AMOUNT),
        "amount_minor": seen(f"{PAYMENTS} {PAYOUTS} reports.view", "PG-009", how=AMOUNT),
        "trace": seen(PAYMENTS, "PG-008"),
    },
    "finance.Entry": {
        "key": seen(PAYOUTS, "PG-009"),
        "memo": seen(PAYOUTS, "PG-009"),
        "data": seen(PAYOUTS, "PG-009"),
    },
    "finance.Posting": {"amount": seen(PAYOUTS, "PG-009", how=AMOUNT)},
    "finance.Balance": {
        "amount": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "floor": never("PG-009", AMOUNT),
        "ceiling": never("PG-009", AMOUNT),
    },
    "finance.AccountSnapshot": {"amount": seen(PAYOUTS, "PG-009", how=AMOUNT)},
    "finance.Payment": {
        "provider_session_id": seen(PAYMENTS, "PG-008"),
        "provider_payment_id": seen(PAYMENTS, "PG-008"),
        "checkout_url": never("X-030", TEXT),
        "key": never("PG-008", TEXT),
        "amount_minor": seen(ORDERS, "P-018", how=AMOUNT),
        "refunded_minor": seen(ORDERS, "P-018", how=AMOUNT),
        "problem": seen(ORDERS, "P-018"),
    },
    "finance.Earning": {
        "amount_minor": seen(f"{PAYOUTS} reports.view", "PG-009", how=AMOUNT),
        "refunded_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "allocated_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
    },
    "finance.Refund": {
        # Reports show sums, and the world has one refund (PG-016).
        "amount_minor": seen(ORDERS, "P-018", Rule("reports.view", None, r"/admin/reports/"), how=AMOUNT),
        "cumulative_minor": seen(ORDERS, "P-018", how=AMOUNT),
    },
    "finance.RefundReversal": {"reason": seen(ORDERS, "P-018")},
    "finance.RefundRequest": {
        "amount_minor": seen(ORDERS, "P-018", how=AMOUNT),
        "note": seen(ORDERS, "P-018"),
        "provider_refund_id": seen(PAYMENTS, "PG-008"),
        "answer": seen(PAYMENTS, "PG-008"),
        "failure": seen(ORDERS, "P-018"),
    },
    "finance.PaymentEvent": {"payload": seen(PAYMENTS, "X-050"), "account": seen(PAYMENTS, "X-050")},
    "finance.EventOutcome": {"note": seen(PAYMENTS, "X-050"), "error": seen(PAYMENTS, "X-050")},
    "finance.PayoutMethod": {
        "fee_fixed_minor": seen("fees.view payouts.view", "PG-010", how=AMOUNT),
        "fee_min_minor": seen("fees.view payouts.view", "PG-010", how=AMOUNT),
        "fee_max_minor": seen("fees.view payouts.view", "PG-010", how=AMOUNT),
        "minimum_minor": seen("fees.view payouts.view", "PG-010", how=AMOUNT),
    },
    "finance.PayoutAccount": {
        "provider_account_id": seen(PAYOUTS, "PG-009"),
        "masked": seen(PAYOUTS, "PG-009"),
        "missing": seen(PAYOUTS, "PG-009"),
        "disabled_reason": seen(PAYOUTS, "PG-009"),
    },
    "finance.PayoutRun": {
        "key": never("PG-009", TEXT),
        "preview": seen(PAYOUTS, "PG-009"),
        "stopped_reason": seen(PAYOUTS, "PG-009"),
        "rejected_reason": seen(PAYOUTS, "PG-009"),
    },
    "finance.PayoutItem": {
        "account_snapshot": seen(PAYOUTS, "PG-009"),
        "gross_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "fee_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "withholding_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "net_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "in_transit_minor": seen(PAYOUTS, "PG-009", how=AMOUNT),
        "hold_reason": seen(PAYOUTS, "PG-009"),
        "transfer_id": seen(PAYOUTS, "PG-009"),
        "payout_id": seen(PAYOUTS, "PG-009"),
        "bank_reference": seen(PAYOUTS, "PG-009"),
        "failure_message": seen(PAYOUTS, "PG-009"),
    },
    "finance.Allocation": {"amount_minor": seen(PAYOUTS, "PG-009", how=AMOUNT)},
    "moderation.Case": {"reasons": seen(CASES, "PG-006"), "flags": seen(CASES, "PG-006")},
    "moderation.Decision": {
        "reason": seen(CASES, "PG-006"),
        "message": seen(f"{CASES} titles.view", "PG-006"),
        "timecodes": seen(CASES, "PG-006", how=SHORT),
    },
    "support.Ticket": {
        "subject": seen(TICKET[0], "PG-012", *TICKET[1:]),
        "body": seen(TICKET[0], "PG-012", *TICKET[1:]),
        "tags": seen(TICKET[0], "PG-012", *TICKET[1:]),
        "csat_comment": seen(TICKET[0], "PG-012", *TICKET[1:]),
    },
    "support.TicketLink": {"label": seen(TICKET[0], "PG-012", *TICKET[1:])},
    "support.TicketMessage": {"body": seen(TICKET[0], "PG-012", *TICKET[1:])},
    "journeys.ImportRun": {
        "filename": seen("imports.view", "W-033"),
        "session_digest": never("W-033", TEXT),
    },
    "journeys.ImportFile": {"content": never("W-033", TEXT)},
    "journeys.ImportProblem": {
        "value": seen("imports.view", "W-033"),
        "cause": seen("imports.view", "W-033"),
    },
    "journeys.ImportedRow": {"external_id": seen("imports.view", "W-033")},
    # --- what packages keep --------------------------------------------------------------------------------------
    "account.EmailAddress": {"email": seen(HELP, "P-016", Rule(STAFF, lambda row: row.user.is_staff), how=MAIL)},
    "mfa.Authenticator": {"data": never("X-004")},
    "sessions.Session": {"session_key": never("X-008"), "session_data": never("X-008")},
    "usersessions.UserSession": {
        "session_key": never("X-008"),
        "ip": seen(f"{STAFF} {HELP}", "X-007", how=PLACE),
        "user_agent": seen(f"{STAFF} {HELP}", "X-007"),
        "data": never("X-008", TEXT),
    },
}

# What tells nothing about anybody: codes, public words, references, hashes without a secret, states as text.
PLAIN: dict[str, str] = {
    "core.Job": "kind queue",
    "audit.AuditEntry": "action actor_roles subject_type subject_id request_id",
    "audit.ChainLink": "previous_hash hash",
    "audit.ExportRecord": "reference dataset ticket subject_type subject_id digest",
    "configuration.SettingVersion": "key source",
    "accounts.User": "timezone country",
    "accounts.SecurityEvent": "country",
    "accounts.KnownDevice": "country",
    "accounts.AttemptCount": "scope",
    "accounts.StaffProfile": "languages skills",
    "accounts.RoleGrant": "languages",
    "accounts.StaffInvitation": "roles",
    # The label is written for lists and mails and never holds anybody's data.
    "approvals.ApprovalRequest": "label reference kind subject_type subject_id fingerprint",
    "queues.WorkItem": "queue subject_type subject_id label language outcome skills lane group_key",
    "queues.QueueHour": "queue",
    "notifications.Notification": "event language",
    "media.Asset": "filename content_type checksum_sha256 error_code then_kind",
    "media.Upload": "content_type checksum_sha256",
    "creators.Creator": (
        # The public profile (P-038).
        "reference stage_name slug bio categories languages cultural_affiliations country currency agreement_version"
    ),
    "creators.CreatorApplication": (
        "reference stage_name bio country currency categories languages cultural_affiliations terms_version info_items"
    ),
    "creators.QualityAssessment": "languages_confirmed",
    "creators.DocumentKey": "master",
    "creators.KeyRotation": "master",
    "creators.LegalHold": "reference",
    "creators.TaxProfile": "country",
    "creators.TrainingModule": "code title",
    "creators.CreatorAgreement": "version language",
    # What a creator offers stands on the public page, with its prices.
    "creators.ServiceOffering": "occasions price_minor extra_recipient_minor currency special_requests",
    "creators.AvailabilityBlock": "premium_price_minor",
    "creators.VerificationDocument": "content_type",
    "creators.SocialAccount": "handle url",
    "catalogue.Category": "slug name_en name_fr name_ht",
    "catalogue.Tag": "slug name_en name_fr name_ht",
    # The price of a title stands in the public catalogue.
    "catalogue.Title": "title slug description language age_rating price_minor currency geo_allow geo_deny",
    "catalogue.TitleFile": "language",
    "catalogue.FeaturedSection": "slug heading_en heading_fr heading_ht page languages regions",
    "catalogue.FeaturedSlot": "fee_currency",
    "engagement.EngagementEvent": "country client",
    "engagement.PlaybackGrant": "reason client",
    "commerce.Purchase": "reference currency",
    "finance.Attempt": "provider subject_type request_hash error_code",
    "finance.RuleVersion": "scope_value promotion_code currency",
    "finance.CommissionLine": "currency",
    "finance.CurrencyRate": "base quote rate source",
    "finance.Account": "provider currency",
    "finance.Entry": "input_hash source_type source_id",
    "finance.Posting": "currency",
    "finance.Payment": "reference provider currency promotion_code",
    "finance.Earning": "currency",
    "finance.Refund": "currency",
    "finance.RefundRequest": "reference currency ticket failure_code",
    "finance.PaymentEvent": "provider event_id type",
    "finance.PayoutMethod": "code name currency countries",
    "finance.PayoutAccount": "country",
    "finance.PayoutRun": "reference currency input_hash snapshot_hash",
    "finance.PayoutItem": "currency failure_code",
    "moderation.PolicyRule": "code name_en name_fr name_ht message_en message_fr message_ht",
    "moderation.Case": "reference language",
    "moderation.Decision": "message_language",
    "support.ResponseTemplate": "code subject body",
    "support.Ticket": "reference",
    "support.TicketMessage": "template_code",
    "journeys.ImportRun": "reference format digest",
    "journeys.ImportProblem": "column",
    # Pages are public once they are published, and nobody but editors sees drafts (PG-013).
    "cms.HelpIndexPage": "intro",
    "cms.HelpArticlePage": "summary video_url body",
    "cms.HomePage": "tagline body",
    "cms.PolicyPage": "version body",
    "cms.TrainingPage": "code body video_url",
}

# Models of packages that hold nothing of anybody: words of the system, pages, pictures, schedules.
PACKAGES_PLAIN = {
    "account.EmailConfirmation",  # codes are made from signatures here, the table stays empty
    "admin.LogEntry",  # stays empty: the audit log stands in its place
    "auth.Group",
    "auth.Permission",
    "contenttypes.ContentType",
    "simple_translation.SimpleTranslation",
    "taggit.Tag",
    "taggit.TaggedItem",
}
PACKAGES_PLAIN_APPS = {"django_celery_beat"} | {
    f"wagtail{name}" for name in ("core", "admin", "embeds", "users", "docs", "images", "search")
}


def classed(field: models.Field[Any, Any]) -> bool:
    """Whether a field needs an entry: words, bytes, structures and amounts do; keys, dates, counts and choices not."""
    if field.choices or isinstance(field, (models.ForeignKey, models.GeneratedField)):
        return False
    texts = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField, ArrayField)
    if isinstance(field, (*texts, models.DecimalField)):
        return True
    if isinstance(field, models.BigIntegerField) and not isinstance(field, models.PositiveBigIntegerField):
        return field.name.endswith("_minor") or field.name in ("amount", "floor", "ceiling")
    if isinstance(field, (models.DateField, models.UUIDField)) and not isinstance(field, models.DateTimeField):
        return "birth" in field.name or "token" in field.name
    return False


def our_models() -> Iterator[type[models.Model]]:
    """Every model of the product that has a table of its own."""
    for model in apps.get_models():
        if model.__module__.startswith(OURS) and not model._meta.proxy and model._meta.managed:
            yield model


def undecided() -> list[str]:
    """The fields, and the models of packages, that are in no list."""
    missing = []
    for model in our_models():
        label = model._meta.label
        known = {*SENSITIVE.get(label, {}), *PLAIN.get(label, "").split()}
        missing += [
            f"{label}.{field.name}" for field in model._meta.local_fields if classed(field) and field.name not in known
        ]
    for model in apps.get_models():
        label = model._meta.label
        named = label in SENSITIVE or label in PACKAGES_PLAIN or model._meta.app_label in PACKAGES_PLAIN_APPS
        if not model.__module__.startswith(OURS) and not named:
            missing.append(label)
    return missing


def left_over() -> list[str]:
    """What the lists name and the product no longer has, or names twice."""
    gone = []
    for label in {*SENSITIVE, *PLAIN}:
        fields = {field.name for field in apps.get_model(label)._meta.local_fields} | {"content"}
        secret, plain = set(SENSITIVE.get(label, {})), set(PLAIN.get(label, "").split())
        gone += [f"{label}.{name}" for name in (secret | plain) - fields | (secret & plain)]
    return gone
