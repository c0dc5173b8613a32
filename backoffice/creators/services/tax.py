"""Tax forms: given by the creator, judged by finance, encrypted under the person's key (E-021, X-033).

The creator's `tax_form_status` is what the rest of the house reads; it follows from the rows here.
"""

import datetime as dt
import re
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators import queries, states
from backoffice.creators.models import Creator, DocumentKey, TaxProfile
from backoffice.creators.services import creators, vault
from backoffice.creators.states import TaxForm, TaxFormStatus, TaxProfileStatus
from backoffice.notifications.services import notify

SEE = "payouts.view"
LEAST_SIGNS, MOST_SIGNS = 6, 40
# Shorter ids would be given away by their last four signs.
LONG_ENOUGH_FOR_FOUR = 8
_TAX_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_US_ID = re.compile(r"\d{9}")


def submit(
    *,
    creator: Creator,
    by: Any,
    form: str,
    country: str,
    tax_id: str,
    signed_name: str,
    at: dt.datetime | None = None,
) -> TaxProfile:
    """Takes the creator's tax form in the place of the one before; only they can sign it.

    Raises Forbidden for anybody else, Invalid naming the field, Conflict when two are handed in at once. The tax id
    is stored as ciphertext only; its last signs are kept to be shown.
    """
    at = at or clock.now()
    if by is None or by.pk != creator.user_id:
        raise Forbidden(_("Only the creator can sign the tax form."), code="not_the_creator")
    if form not in TaxForm.values:
        raise Invalid(_("Choose the form."), field="form")
    if not _COUNTRY.fullmatch(country):
        raise Invalid(_("Choose the country of tax residence."), field="country")
    signs = check_tax_id(form=form, country=country, tax_id=tax_id)
    signed_name = " ".join(signed_name.split())
    if not 2 <= len(signed_name) <= 200:
        raise Invalid(_("Sign with your full name, at most 200 characters."), field="signed_name")
    with transaction.atomic():
        Creator.objects.select_for_update().get(pk=creator.pk)
        for earlier in TaxProfile.objects.filter(creator=creator, status__in=states.CURRENT_TAX):
            advance(earlier, "replace", by=by, at=at, changes={"ended_at": earlier.ended_at or at})
        profile = TaxProfile(
            creator=creator,
            form=form,
            country=country,
            last_four=signs[-4:] if len(signs) >= LONG_ENOUGH_FOR_FOUR else signs[-2:],
            signed_name=signed_name,
            signed_at=at,
            valid_until=_years_later(at.date(), values.get("tax.valid_years")),
            created_at=at,
        )
        sealed = vault.seal(subject=creator.user, name=str(profile.pk), content=tax_id.strip().encode())
        profile.sealed_id, profile.key_version = sealed.content, sealed.key_version
        try:
            with transaction.atomic():
                profile.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(_("Another tax form came in at the same moment."), code="tax_form_twice") from error
        entries.record(
            action="tax_profile.submit", by=by, subject=profile, data={"form": form, "country": country}, at=at
        )
        creators.record_tax_form(creator=creator, status=TaxFormStatus.SUBMITTED, by=by, at=at)
    return profile


def check_tax_id(*, form: str, country: str, tax_id: str) -> str:
    """The letters and digits of a tax id. Raises Invalid, which never repeats what was typed."""
    tax_id = tax_id.strip()
    signs = re.sub(r"[^A-Za-z0-9]", "", tax_id)
    if len(tax_id) > MOST_SIGNS or len(signs) < LEAST_SIGNS or not _TAX_ID.fullmatch(tax_id):
        raise Invalid(
            _("Enter the tax id in letters and digits, at least %(least)s.") % {"least": LEAST_SIGNS}, field="tax_id"
        )
    if form == TaxForm.W9:
        if country != "US":
            raise Invalid(_("Form W-9 is for the United States; choose a W-8 form."), field="form")
        if not _US_ID.fullmatch(signs):
            raise Invalid(_("A tax id of the United States has nine digits."), field="tax_id")
    if form in (TaxForm.W8BEN, TaxForm.W8BENE) and country == "US":
        raise Invalid(_("The W-8 forms are for people outside the United States; choose W-9."), field="form")
    return signs


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def verify(
    *, profile: TaxProfile, by: Any, withholding_rate: int | None = None, at: dt.datetime | None = None
) -> TaxProfile:
    """Finance accepts a form; `withholding_rate` is in hundredths of a percent. Not one's own."""
    at = at or clock.now()
    _check_judge(profile, by)
    if withholding_rate is not None and not 0 <= withholding_rate <= 10_000:
        raise Invalid(_("Withholding lies between 0 and 100 percent."), field="withholding_rate")
    if profile.valid_until < at.date():
        raise Invalid(_("This form is past its date; ask for a new one."), code="tax_form_expired")
    with transaction.atomic():
        advance(
            profile,
            "verify",
            by=by,
            at=at,
            changes={"judged_by": by, "judged_at": at, "withholding_rate": withholding_rate},
            note={"withholding_rate": withholding_rate},
        )
        creators.record_tax_form(creator=profile.creator, status=TaxFormStatus.VERIFIED, by=by, at=at)
    return profile


def reject(*, profile: TaxProfile, by: Any, reason: str, at: dt.datetime | None = None) -> TaxProfile:
    """Finance refuses a form; the creator reads why and is without one until a new one comes."""
    at = at or clock.now()
    _check_judge(profile, by)
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why the form is refused."), field="reason")
    if len(reason) > 2000:
        raise Invalid(_("At most %(most)s characters.") % {"most": 2000}, field="reason")
    with transaction.atomic():
        advance(
            profile,
            "reject",
            by=by,
            at=at,
            reason=reason,
            changes={"judged_by": by, "judged_at": at, "reason": reason, "ended_at": at},
        )
        creators.record_tax_form(creator=profile.creator, status=TaxFormStatus.MISSING, by=by, at=at)
        notify(
            user=profile.creator.user,
            event="tax.rejected",
            data={"form": states.TaxForm(profile.form).label, "reason": reason},
            by=by,
        )
    return profile


def reveal(*, profile: TaxProfile, by: Any, reason: str, at: dt.datetime | None = None) -> str:
    """The whole tax id for one look, audited with its reason before it is handed out.

    Raises Forbidden without the right to judge, Conflict when destroyed, `vault.Unreadable` when altered.
    """
    at = at or clock.now()
    permissions.require(by, states.TAX)
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why you need the whole number."), field="reason")
    if profile.sealed_id is None:
        raise Conflict(_("This tax id was destroyed."), code="tax_id_purged")
    content = vault.unseal(
        subject=profile.creator.user,
        name=str(profile.pk),
        sealed=bytes(profile.sealed_id),
        key_version=profile.key_version,
    )
    with transaction.atomic():
        entries.record(action="tax_profile.view", by=by, subject=profile, reason=reason, at=at)
    return content.decode()


def tell_expiring(*, at: dt.datetime | None = None, limit: int = 500) -> int:
    """Tells creators whose verified form ends within `tax.expiring_days`, each once (V-018); returns how many."""
    at = at or clock.now()
    ends = at.date() + dt.timedelta(days=values.get("tax.expiring_days"))
    due = TaxProfile.objects.select_related("creator__user").filter(
        status=TaxProfileStatus.VERIFIED, valid_until__lte=ends, valid_until__gte=at.date(), expiry_told_at=None
    )
    done = 0
    for profile in due.order_by("valid_until")[:limit]:
        with transaction.atomic():
            untold = TaxProfile.objects.filter(pk=profile.pk, expiry_told_at=None)
            if untold.update(expiry_told_at=at, updated_at=at):
                _tell(profile, "tax.expiring")
                done += 1
    return done


def expire_due(*, at: dt.datetime | None = None, limit: int = 500) -> int:
    """Expires verified forms whose date has passed; their creators are not paid before a new one. Returns how many."""
    at = at or clock.now()
    due = TaxProfile.objects.select_related("creator__user").filter(
        status=TaxProfileStatus.VERIFIED, valid_until__lt=at.date()
    )
    done = 0
    for profile in due.order_by("valid_until")[:limit]:
        with transaction.atomic():
            advance(profile, "expire", by=None, at=at, changes={"ended_at": at})
            creators.record_tax_form(creator=profile.creator, status=TaxFormStatus.EXPIRED, by=None, at=at)
            _tell(profile, "tax.expired")
        done += 1
    return done


def _tell(profile: TaxProfile, event: str) -> None:
    data = {"form": states.TaxForm(profile.form).label, "day": profile.valid_until.isoformat()}
    notify(user=profile.creator.user, event=event, data=data)


def purge_due(*, at: dt.datetime | None = None, limit: int = 200) -> int:
    """Destroys tax ids whose form ended `tax.keep_days` ago and that no legal hold keeps (N-063); returns how many."""
    at = at or clock.now()
    before = at - dt.timedelta(days=values.get("tax.keep_days"))
    due = (
        TaxProfile.objects.select_related("creator")
        .filter(ended_at__lte=before, sealed_id__isnull=False)
        .exclude(creator__user__in=queries.held_people(at=at))
    )
    done = 0
    for profile in due.order_by("ended_at")[:limit]:
        purge(profile=profile, at=at)
        done += 1
    return done


def purge(*, profile: TaxProfile, by: Any = None, at: dt.datetime | None = None) -> None:
    """Destroys one tax id; the row keeps form, country and dates. Raises `vault.Held` under legal hold."""
    at = at or clock.now()
    person = profile.creator.user_id
    with transaction.atomic():
        DocumentKey.objects.select_for_update().filter(subject=person).first()
        profile = TaxProfile.objects.select_for_update(of=("self",)).get(pk=profile.pk)
        held = queries.holds_on(person, at=at).first()
        if held is not None:
            raise vault.Held(_("The legal hold %(hold)s keeps this tax form.") % {"hold": held.reference})
        changes = {"sealed_id": None, "last_four": "", "signed_name": "", "purged_at": at}
        advance(profile, "purge", by=by, at=at, changes=changes)
        if not queries.has_sealed(person):
            vault.destroy_key(subject=person, because=states.KeyEnd.PURGED, at=at)


def _check_judge(profile: TaxProfile, by: Any) -> None:
    permissions.require(by, states.TAX)
    if profile.creator.user_id == by.pk:
        raise Forbidden(_("This is your own tax form; somebody else has to judge it."), code="own_tax_form")
