"""Every setting that staff may change at run time, with its default, its kind and what it does.

Keys are ``area.name`` in alphabetical order. Amounts are minor units of USD unless the help says otherwise.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """A default, the Python type of the value, and one sentence of help."""

    default: Any
    type: type
    help: str


DEFAULTS: dict[str, Setting] = {
    "application.due_hours": Setting(72, int, "Hours until a submitted application is due (V-014)."),
    "application.lapse_days": Setting(60, int, "Days without activity after which an application is closed (N-097)."),
    "application.reapply_days": Setting(30, int, "Days a rejected person waits before applying again (N-097)."),
    "approval.expire_days": Setting(14, int, "Days until a request that nobody approved expires (S-125)."),
    "creator.agreement_version": Setting(
        "2026-01", str, "The version of the creator agreement that is signed (S-009)."
    ),
    "creator.reverify_days": Setting(
        30, int, "Days a creator has to prove identity again before payouts are held (S-017)."
    ),
    "document.max_bytes": Setting(15_000_000, int, "Largest identity document, in bytes."),
    "document.max_per_application": Setting(12, int, "Most identity documents that one application may hold."),
    "document.purge_days": Setting(
        365, int, "Days from the end of a verification to the destruction of its documents (N-064)."
    ),
    "earnings.hold_days": Setting(
        14, int, "Days after a sale until its money is available to the creator; 0 is at once (F-026)."
    ),
    "export.keep_hours": Setting(24, int, "Hours for which an evidence bundle can be fetched before it is destroyed."),
    "export.max_mebibytes": Setting(500, int, "Size of an evidence bundle before it is packed."),
    "export.max_rows": Setting(200_000, int, "Audit rows in one evidence bundle."),
    "import.keep_days": Setting(7, int, "Days until an uploaded file that nobody confirmed is thrown away."),
    "import.max_cells": Setting(2_000_000, int, "Cells in an imported workbook or table; more is refused unread."),
    "import.max_mebibytes": Setting(15, int, "Size of an imported file, and 10 times that unpacked."),
    "import.max_rows": Setting(100_000, int, "Rows in one imported file."),
    "media.max_attempts": Setting(3, int, "How often the processing of a failed file is tried in all (N-097)."),
    "media.max_audio_bytes": Setting(1024**3, int, "Largest sound file, in bytes."),
    "media.max_bytes": Setting(10 * 1024**3, int, "Largest video file, in bytes."),
    "media.max_document_bytes": Setting(25 * 1024**2, int, "Largest proof document, in bytes."),
    "media.max_duration_seconds": Setting(6 * 3600, int, "Longest film or sound, in seconds."),
    "media.max_image_bytes": Setting(20 * 1024**2, int, "Largest picture, in bytes."),
    "media.max_open_uploads": Setting(20, int, "Unfinished uploads that one person may have."),
    "media.max_subtitle_bytes": Setting(5 * 1024**2, int, "Largest subtitle file, in bytes."),
    "media.upload_hours": Setting(24, int, "Hours until an unfinished upload is dropped."),
    "moderation.auto_approve_kinds": Setting([], list, "Kinds of title that may be approved without a person (Q-013)."),
    "moderation.auto_approve_tiers": Setting(["premium"], list, "Tiers of creator to whom that applies (Q-013)."),
    "moderation.decision_hours": Setting(24, int, "Hours until a moderation case is due (N-022)."),
    "moderation.undo_seconds": Setting(
        10, int, "Seconds in which a moderation decision can be undone; 0 turns it off."
    ),
    "payout.dual_approval_over": Setting(1_000_00, int, "Payouts above this (USD cents) need two approvers (N-016)."),
    "payout.recovery_percent": Setting(100, int, "Share of new earnings that pays back what a creator owes (percent)."),
    "playback.url_hours": Setting(6, int, "Hours for which a link that plays a whole film works (N-041)."),
    "queue.lease_seconds": Setting(120, int, "How long a claimed item stays with its holder without a heartbeat."),
    "signin.account_attempts": Setting(
        20, int, "Tries at one account from unknown devices, all networks together, before it is slowed down."
    ),
    "signin.attempts": Setting(5, int, "Wrong passwords or codes until the device or network is locked out (N-040)."),
    "signin.lock_minutes": Setting(15, int, "Minutes for which it is locked out (N-040)."),
    "signin.network_attempts": Setting(20, int, "Wrong tries from one network at all accounts together (N-038)."),
    "signin.reset_mails": Setting(3, int, "Password reset mails to one address in an hour."),
    "staff.idle_minutes": Setting(30, int, "Minutes without use after which a staff session ends (X-007)."),
    "staff.own_documents_hours": Setting(
        8, int, "Longest time for which a Super Admin may open identity documents to themselves (Q-018)."
    ),
    "staff.session_hours": Setting(12, int, "Hours after which a staff session ends in any case (X-007)."),
    "ticket.reopen_days": Setting(7, int, "Days in which a customer's answer opens a resolved ticket again (S-112)."),
    "ticket.sla_warn_percent": Setting(80, int, "Share of a due time after which its agent is warned (V-020)."),
    "title.rereview_on_change": Setting(
        True, bool, "Whether a changed name, video or price is reviewed again (S-054)."
    ),
}
