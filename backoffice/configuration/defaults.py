"""Every setting that staff may change at run time, with its default, its kind and what it does.

Keys are ``area.name`` in alphabetical order. Amounts are minor units of USD unless the help says otherwise.
"""

from django.utils.translation import gettext_lazy as _

from backoffice.configuration.setting import Level, Setting, Unit

MIB, GIB = 1024**2, 1024**3

# The kinds of title and tiers of creator that the catalogue knows, in its words.
TITLE_KINDS = (
    ("movie", _("Film")),
    ("video", _("Video")),
    ("locker_item", _("Locker item")),
    ("showcase", _("Showcase")),
    ("live_recording", _("Live recording")),
)
CREATOR_TIERS = (("standard", _("Standard")), ("verified", _("Verified")), ("premium", _("Premium")))

DEFAULTS: dict[str, Setting] = {
    "application.due_hours": Setting(
        72,
        int,
        _("Hours until a submitted application is due (V-014)."),
        unit=Unit.HOURS,
        least=1,
        most=720,
        level=Level.OPERATIONAL,
    ),
    "application.lapse_days": Setting(
        60,
        int,
        _("Days without activity after which an application is closed (N-097)."),
        unit=Unit.DAYS,
        least=7,
        most=730,
    ),
    "application.reapply_days": Setting(
        30, int, _("Days a rejected person waits before applying again (N-097)."), unit=Unit.DAYS, least=0, most=730
    ),
    "approval.expire_days": Setting(
        14,
        int,
        _("Days until a request that nobody approved expires (S-125)."),
        unit=Unit.DAYS,
        least=1,
        most=90,
        two_people=True,
    ),
    "creator.agreement_version": Setting(
        "2026-01", str, _("The version of the creator agreement that is signed (S-009)."), most=20
    ),
    "creator.review_days": Setting(
        365,
        int,
        _("Days after which a verified creator is looked at again (S-017)."),
        unit=Unit.DAYS,
        least=30,
        most=1095,
    ),
    "creator.review_due_days": Setting(
        14,
        int,
        _("Days a reviewer has to look at a verified creator again (S-017)."),
        unit=Unit.DAYS,
        least=1,
        most=90,
    ),
    "creator.reverify_days": Setting(
        30,
        int,
        _("Days a creator has to prove identity again before payouts are held (S-017)."),
        unit=Unit.DAYS,
        least=1,
        most=180,
    ),
    "document.expiring_days": Setting(
        30,
        int,
        _("Days before the end of an identity document on which its owner is told (S-020)."),
        unit=Unit.DAYS,
        least=1,
        most=180,
    ),
    "document.max_bytes": Setting(
        15_000_000,
        int,
        _("Largest identity document, in bytes."),
        unit=Unit.BYTES,
        least=1000,
        most=50 * MIB,
        level=Level.SECURITY,
        two_people=True,
    ),
    "document.max_per_application": Setting(
        12,
        int,
        _("Most identity documents that one application may hold."),
        unit=Unit.PIECES,
        least=1,
        most=50,
        level=Level.SECURITY,
        two_people=True,
    ),
    "document.purge_days": Setting(
        365,
        int,
        _("Days from the end of a verification to the destruction of its documents (N-064)."),
        unit=Unit.DAYS,
        least=30,
        most=3650,
        level=Level.SECURITY,
        two_people=True,
    ),
    "document.quarantine_days": Setting(
        30,
        int,
        _("Days for which a file with a virus is kept isolated before it is destroyed."),
        unit=Unit.DAYS,
        least=1,
        most=365,
        level=Level.SECURITY,
        two_people=True,
    ),
    "document.scan_seconds": Setting(
        60,
        int,
        _("Seconds that the virus scanner may take for one identity document."),
        unit=Unit.SECONDS,
        least=1,
        most=240,
    ),
    "earnings.hold_days": Setting(
        14,
        int,
        _("Days after a sale until its money is available to the creator; 0 is at once (F-026)."),
        unit=Unit.DAYS,
        least=0,
        most=365,
        two_people=True,
    ),
    "export.keep_hours": Setting(
        24,
        int,
        _("Hours for which an evidence bundle can be fetched before it is destroyed."),
        unit=Unit.HOURS,
        least=1,
        most=720,
    ),
    "export.max_mebibytes": Setting(
        500, int, _("Size of an evidence bundle before it is packed."), unit=Unit.MEBIBYTES, least=0, most=5000
    ),
    "export.max_rows": Setting(
        200_000, int, _("Audit rows in one evidence bundle."), unit=Unit.ROWS, least=0, most=5_000_000
    ),
    "import.keep_days": Setting(
        7,
        int,
        _("Days until an uploaded file that nobody confirmed is thrown away."),
        unit=Unit.DAYS,
        least=1,
        most=90,
        level=Level.OPERATIONAL,
    ),
    "import.max_cells": Setting(
        2_000_000,
        int,
        _("Cells in an imported workbook or table; more is refused unread."),
        unit=Unit.PIECES,
        least=1000,
        most=20_000_000,
        level=Level.OPERATIONAL,
    ),
    "import.max_mebibytes": Setting(
        15,
        int,
        _("Size of an imported file, and 10 times that unpacked."),
        unit=Unit.MEBIBYTES,
        least=1,
        most=200,
        level=Level.OPERATIONAL,
    ),
    "import.max_rows": Setting(
        100_000, int, _("Rows in one imported file."), unit=Unit.ROWS, least=1, most=1_000_000, level=Level.OPERATIONAL
    ),
    "media.max_attempts": Setting(
        3,
        int,
        _("How often the processing of a failed file is tried in all (N-097)."),
        unit=Unit.TIMES,
        least=1,
        most=10,
        level=Level.OPERATIONAL,
    ),
    "media.max_audio_bytes": Setting(
        1024**3, int, _("Largest sound file, in bytes."), unit=Unit.BYTES, least=MIB, most=100 * GIB
    ),
    "media.max_bytes": Setting(
        10 * 1024**3, int, _("Largest video file, in bytes."), unit=Unit.BYTES, least=MIB, most=100 * GIB
    ),
    "media.max_document_bytes": Setting(
        25 * 1024**2, int, _("Largest proof document, in bytes."), unit=Unit.BYTES, least=MIB, most=GIB
    ),
    "media.max_duration_seconds": Setting(
        6 * 3600, int, _("Longest film or sound, in seconds."), unit=Unit.SECONDS, least=60, most=24 * 3600
    ),
    "media.max_image_bytes": Setting(
        20 * 1024**2, int, _("Largest picture, in bytes."), unit=Unit.BYTES, least=MIB, most=GIB
    ),
    "media.max_open_uploads": Setting(
        20,
        int,
        _("Unfinished uploads that one person may have."),
        unit=Unit.PIECES,
        least=1,
        most=1000,
        level=Level.OPERATIONAL,
    ),
    "media.max_subtitle_bytes": Setting(
        5 * 1024**2, int, _("Largest subtitle file, in bytes."), unit=Unit.BYTES, least=100_000, most=100 * MIB
    ),
    "media.upload_hours": Setting(
        24,
        int,
        _("Hours until an unfinished upload is dropped."),
        unit=Unit.HOURS,
        least=1,
        most=168,
        level=Level.OPERATIONAL,
    ),
    "moderation.auto_approve_kinds": Setting(
        [], list, _("Kinds of title that may be approved without a person (Q-013)."), choices=TITLE_KINDS
    ),
    "moderation.auto_approve_tiers": Setting(
        ["premium"], list, _("Tiers of creator to whom that applies (Q-013)."), choices=CREATOR_TIERS
    ),
    "moderation.decision_hours": Setting(
        24,
        int,
        _("Hours until a moderation case is due (N-022)."),
        unit=Unit.HOURS,
        least=1,
        most=720,
        level=Level.OPERATIONAL,
    ),
    "moderation.undo_seconds": Setting(
        10,
        int,
        _("Seconds in which a moderation decision can be undone; 0 turns it off."),
        unit=Unit.SECONDS,
        least=0,
        most=300,
        level=Level.OPERATIONAL,
    ),
    "payout.approval_days": Setting(
        30,
        int,
        _("Days until a payout that nobody approved is rejected; 0 is never (S-125)."),
        unit=Unit.DAYS,
        least=0,
        most=365,
        two_people=True,
    ),
    "payout.dual_approval_over": Setting(
        1_000_00,
        int,
        _("Payouts above this (USD cents) need two approvers (N-016)."),
        unit=Unit.USD,
        least=0,
        most=1_000_000_000_00,
        two_people=True,
    ),
    "payout.recovery_percent": Setting(
        100,
        int,
        _("Share of new earnings that pays back what a creator owes (percent)."),
        unit=Unit.PERCENT,
        least=0,
        most=100,
        two_people=True,
    ),
    "playback.url_hours": Setting(
        6, int, _("Hours for which a link that plays a whole film works (N-041)."), unit=Unit.HOURS, least=1, most=72
    ),
    "queue.lease_seconds": Setting(
        120,
        int,
        _("How long a claimed item stays with its holder without a heartbeat."),
        unit=Unit.SECONDS,
        least=10,
        most=3600,
        level=Level.OPERATIONAL,
    ),
    "signin.account_attempts": Setting(
        20,
        int,
        _("Tries at one account from unknown devices, all networks together, before it is slowed down."),
        unit=Unit.TIMES,
        least=5,
        most=1000,
        level=Level.SECURITY,
        two_people=True,
    ),
    "signin.attempts": Setting(
        5,
        int,
        _("Wrong passwords or codes until the device or network is locked out (N-040)."),
        unit=Unit.TIMES,
        least=3,
        most=1000,
        level=Level.SECURITY,
        two_people=True,
    ),
    "signin.lock_minutes": Setting(
        15,
        int,
        _("Minutes for which it is locked out (N-040)."),
        unit=Unit.MINUTES,
        least=1,
        most=1440,
        level=Level.SECURITY,
        two_people=True,
    ),
    "signin.network_attempts": Setting(
        20,
        int,
        _("Wrong tries from one network at all accounts together (N-038)."),
        unit=Unit.TIMES,
        least=5,
        most=10_000,
        level=Level.SECURITY,
        two_people=True,
    ),
    "signin.reset_mails": Setting(
        3,
        int,
        _("Password reset mails to one address in an hour."),
        unit=Unit.PIECES,
        least=1,
        most=50,
        level=Level.SECURITY,
        two_people=True,
    ),
    "staff.idle_minutes": Setting(
        30,
        int,
        _("Minutes without use after which a staff session ends (X-007)."),
        unit=Unit.MINUTES,
        least=5,
        most=720,
        level=Level.SECURITY,
        two_people=True,
    ),
    "staff.own_documents_hours": Setting(
        8,
        int,
        _("Longest time for which a Super Admin may open identity documents to themselves (Q-018)."),
        unit=Unit.HOURS,
        least=1,
        most=24,
        level=Level.SECURITY,
        two_people=True,
    ),
    "staff.session_hours": Setting(
        12,
        int,
        _("Hours after which a staff session ends in any case (X-007)."),
        unit=Unit.HOURS,
        least=1,
        most=24,
        level=Level.SECURITY,
        two_people=True,
    ),
    "switch.checkout": Setting(
        True,
        bool,
        _("New purchases. Off: nobody can begin to pay; payments that are under way are still taken (C-005)."),
        level=Level.SWITCH,
        two_people=True,
    ),
    "switch.payouts": Setting(
        True,
        bool,
        _("Sending of payouts. Off: nothing is handed to a provider; approved payouts wait (C-005)."),
        level=Level.SWITCH,
        two_people=True,
    ),
    "switch.registration": Setting(
        True,
        bool,
        _("New accounts of members and new creator applications. Off: both are refused (C-005)."),
        level=Level.SWITCH,
        two_people=True,
    ),
    "switch.uploads": Setting(
        True,
        bool,
        _("New uploads of videos, sound and pictures. Off: they are refused; begun ones may end (C-005)."),
        level=Level.SWITCH,
        two_people=True,
    ),
    "tax.expiring_days": Setting(
        60,
        int,
        _("Days before the end of a tax form on which its creator is told (V-018)."),
        unit=Unit.DAYS,
        least=1,
        most=365,
    ),
    "tax.keep_days": Setting(
        2557,
        int,
        _("Days for which the tax id of an ended form is kept (N-063)."),
        unit=Unit.DAYS,
        least=365,
        most=5475,
        level=Level.SECURITY,
        two_people=True,
    ),
    "tax.valid_years": Setting(
        3,
        int,
        _("Years for which a tax form is valid after its signature."),
        unit=Unit.NONE,
        least=1,
        most=10,
    ),
    "ticket.reopen_days": Setting(
        7,
        int,
        _("Days in which a customer's answer opens a resolved ticket again (S-112)."),
        unit=Unit.DAYS,
        least=0,
        most=90,
        level=Level.OPERATIONAL,
    ),
    "ticket.sla_warn_percent": Setting(
        80,
        int,
        _("Share of a due time after which its agent is warned (V-020)."),
        unit=Unit.PERCENT,
        least=1,
        most=100,
        level=Level.OPERATIONAL,
    ),
    "title.rereview_on_change": Setting(
        True, bool, _("Whether a changed name, video or price is reviewed again (S-054).")
    ),
}
