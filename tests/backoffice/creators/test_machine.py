"""One application, two reviewers and its applicant doing anything in any order, against the specified table."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from backoffice.core import clock
from backoffice.core.errors import DomainError
from backoffice.creators.models import Creator, CreatorApplication, VerificationDocument
from backoffice.creators.services import applications, creators, documents
from backoffice.creators.states import ApplicationStatus
from backoffice.notifications.models import Notification
from backoffice.queues import queries as work
from backoffice.queues.services import items
from tests.factories import creators as make
from tests.factories.accounts import member

# S-002 to S-011, S-013: from, verb, to. S-001 is where it begins; S-010 is another application.
TABLE = {
    ("pending_submission", "submit"): "submitted",
    ("submitted", "claim"): "in_review",
    ("in_review", "release"): "submitted",
    ("in_review", "request_info"): "additional_info_required",
    ("additional_info_required", "answer"): "submitted",
    ("in_review", "approve"): "approved",
    ("in_review", "reject"): "rejected",
    ("approved", "activate"): "activated",
    ("pending_submission", "lapse"): "rejected",
    ("additional_info_required", "lapse"): "rejected",
    ("approved", "lapse"): "rejected",
    ("approved", "refuse"): "rejected",
}
# S-018 to S-021, the document.
PAPERS = {
    ("pending", "verify"): "verified",
    ("pending", "reject"): "rejected",
    ("verified", "withdraw"): "pending",
}
TOLD = {"approved": "application.approved", "rejected": "application.rejected", "activated": "application.activated"}
WINDOW = dt.timedelta(seconds=10)
LEASE = dt.timedelta(seconds=120)
WHO = st.integers(0, 1)


class OneApplication(RuleBasedStateMachine):
    """The model is the state by the table, who holds the lease until when, and a decision that waits for its effect."""

    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.now = clock.now()
        self.reviewers = [make.reviewer(), make.reviewer()]
        self.applicant = member()
        self.application = make.started(self.applicant, at=self.now)
        self.status = "pending_submission"
        self.holder: int | None = None
        self.until = self.now
        self.verdict = ""
        self.effective_at = self.now
        self.decider: int | None = None
        self.returns_to: int | None = None
        self.paper = "pending"
        self.id_failed = False
        self.verified_by_decision = False
        self.was_approved = False
        self.vouched_for = ""
        self.opened: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    # ---------------------------------------------------------------- the model

    def token(self) -> str:
        item = work.for_subject("applications", self.application)
        return str(item.lease_token) if item is not None and item.lease_token else "0" * 32

    def holds(self, who: int) -> bool:
        return self.holder == who and self.until >= self.now and self.status == "in_review" and not self.verdict

    def has_id(self) -> bool:
        """S-002: an ID that was not refused."""
        return self.paper in ("pending", "verified")

    def held_by_another(self, who: int) -> bool:
        return self.holder is not None and self.holder != who and self.until >= self.now

    def attempt(self, possible: bool, act: Callable[[], Any]) -> Any:
        """It succeeds exactly when the table and the lease say so; a refusal changes nothing and tells nobody."""
        if possible:
            return act()
        before = self.seen()
        with pytest.raises(DomainError):
            act()
        assert self.seen() == before
        return None

    def seen(self) -> tuple[Any, ...]:
        return (
            CreatorApplication.objects.values_list("status", "verdict", "updated_at").get(pk=self.application.pk),
            Notification.objects.count(),
            Creator.objects.count(),
        )

    def go(self, verb: str) -> None:
        self.status = TABLE[self.status, verb]

    # ---------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from([1, 9, 10, 60, 121]))
    def time_passes(self, seconds: int) -> None:
        self.now += dt.timedelta(seconds=seconds)

    @rule()
    def submit(self) -> None:
        possible = (self.status, "submit") in TABLE and self.has_id()
        self.attempt(
            possible,
            lambda: applications.submit(application=self.application, by=self.applicant, at=self.now),
        )
        if possible:
            self.go("submit")

    @rule(who=WHO)
    def claim(self, who: int) -> None:
        waiting = self.status == "submitted"
        lapsed_or_mine = self.status == "in_review" and not self.verdict and not self.held_by_another(who)
        possible = waiting or lapsed_or_mine
        self.attempt(
            possible,
            lambda: applications.claim(application=self.application, by=self.reviewers[who], at=self.now),
        )
        if possible:
            self.status, self.holder, self.until = "in_review", who, self.now + LEASE

    @rule(who=WHO)
    def claim_next(self, who: int) -> None:
        lapsed = self.status == "in_review" and not self.verdict and self.until < self.now
        possible = (self.status == "submitted" or lapsed) and self.returns_to in (None, who)
        claimed = applications.claim_next(by=self.reviewers[who], at=self.now)
        assert (claimed is not None) == possible
        if possible:
            self.status, self.holder, self.until = "in_review", who, self.now + LEASE

    @rule(who=WHO)
    def release(self, who: int) -> None:
        possible = self.holds(who)
        self.attempt(
            possible,
            lambda: applications.release(
                application=self.application, by=self.reviewers[who], token=self.token(), at=self.now
            ),
        )
        if possible:
            self.go("release")
            self.holder = self.returns_to = None

    @rule(who=WHO)
    def request_info(self, who: int) -> None:
        possible = self.holds(who)
        self.attempt(
            possible,
            lambda: applications.request_info(
                application=self.application,
                by=self.reviewers[who],
                token=self.token(),
                asked=["note"],
                at=self.now,
            ),
        )
        if possible:
            self.go("request_info")
            self.holder, self.returns_to = None, who

    @rule(text=st.sampled_from(["", "Here it is."]))
    def answer(self, text: str) -> None:
        possible = (self.status, "answer") in TABLE and bool(text) and self.has_id()
        self.attempt(
            possible,
            lambda: applications.answer(application=self.application, by=self.applicant, text=text, at=self.now),
        )
        if possible:
            self.go("answer")

    @rule(who=WHO)
    def open_the_papers(self, who: int) -> None:
        make.look_at_documents(self.application, self.reviewers[who], at=self.now)
        self.opened.add(who)

    @rule(who=WHO, verb=st.sampled_from(["verify", "reject", "withdraw"]))
    def decide_the_paper(self, who: int, verb: str) -> None:
        paper = VerificationDocument.objects.get(subject=self.applicant)
        by = self.reviewers[who]
        # Only whoever opened it last decides about it (S-018, S-019); what made somebody a creator stays.
        relied_on = self.status in ("approved", "activated") and self.vouched_for == "verified"
        free = not relied_on if verb == "withdraw" else paper.opened_by_id == by.pk
        possible = (self.paper, verb) in PAPERS and free
        given: dict[str, Any] = {"expires_on": None} if verb == "verify" else {"reason": "Blurred"}
        self.attempt(possible, lambda: getattr(documents, verb)(document=paper, by=by, at=self.now, **given))
        if possible:
            self.paper = PAPERS[self.paper, verb]

    @rule(who=WHO, passes=st.booleans())
    def save_the_checks(self, who: int, passes: bool) -> None:
        """A failed ID check takes back what was verified; one that passes verifies nothing by itself here."""
        possible = self.holds(who)
        findings = make.good(self.application, identity=passes, verified_documents=())
        self.attempt(
            possible,
            lambda: applications.save_review(
                application=self.application,
                by=self.reviewers[who],
                token=self.token(),
                findings=findings,
                at=self.now,
            ),
        )
        if possible:
            self.until = self.now + LEASE
            self.id_failed = not passes
            if not passes and self.paper == "verified":
                self.paper = PAPERS[self.paper, "withdraw"]

    @rule(
        who=WHO,
        verb=st.sampled_from(["approve", "reject"]),
        undo=st.sampled_from([0, 10]),
        identity=st.sampled_from(["passes", "fails", "verifies"]),
    )
    def decide(self, who: int, verb: str, undo: int, identity: str) -> None:
        given: dict[str, Any] = {
            "application": self.application,
            "by": self.reviewers[who],
            "token": self.token(),
            "undo_seconds": undo,
            "at": self.now,
        }
        if verb == "reject":
            given["code"] = "quality"
        else:
            chosen = {} if identity == "verifies" else {"verified_documents": ()}
            given["findings"] = make.good(self.application, identity=identity != "fails", **chosen)
        paper = VerificationDocument.objects.get(subject=self.applicant)
        verifies = (
            verb == "approve"
            and identity == "verifies"
            and self.paper == "pending"
            and paper.opened_by_id == self.reviewers[who].pk
        )
        # S-007 asks for a verified document and an ID check that does not fail, S-008 for nothing but the lease.
        proven = identity != "fails" and (self.paper == "verified" or verifies)
        possible = self.holds(who) and (verb == "reject" or proven)
        self.attempt(possible, lambda: getattr(applications, verb)(**given))
        if possible:
            if verb == "approve":
                self.id_failed = False
            if verifies:
                self.paper = PAPERS[self.paper, "verify"]
            self.verified_by_decision = verifies
            self.holder = self.returns_to = None
            self.verdict, self.decider, self.effective_at = verb, who, self.now + dt.timedelta(seconds=undo)
            if not undo:
                self.take_effect()

    def take_effect(self) -> None:
        # What somebody found wrong with the ID meanwhile makes the approval void.
        stands = self.verdict == "reject" or self.paper == "verified"
        self.go(self.verdict if stands else "release")
        self.verdict = ""
        if self.status == "approved":
            self.was_approved, self.vouched_for = True, "verified"

    @rule(who=WHO)
    def undo(self, who: int) -> None:
        possible = bool(self.verdict) and self.decider == who and self.now < self.effective_at
        self.attempt(
            possible,
            lambda: applications.undo(application=self.application, by=self.reviewers[who], at=self.now),
        )
        if possible:
            self.verdict, self.holder, self.until = "", who, self.now + LEASE
            if self.verified_by_decision and self.paper == "verified":
                self.paper = PAPERS[self.paper, "withdraw"]

    @rule()
    def settle(self) -> None:
        applications.settle(application=self.application, at=self.now)
        if self.verdict and self.now >= self.effective_at:
            self.take_effect()

    @rule()
    def every_minute(self) -> None:
        applications.return_abandoned(at=self.now)
        if self.status == "in_review" and not self.verdict and self.until < self.now:
            self.go("release")
            self.holder = None

    @rule()
    def lapse(self) -> None:
        possible = (self.status, "lapse") in TABLE
        self.attempt(possible, lambda: applications.lapse(application=self.application, at=self.now))
        if possible:
            if self.status == "approved":
                self.vouched_for = "rejected"
            self.go("lapse")

    @rule(who=WHO)
    def ask_for_the_id_again(self, who: int) -> None:
        """S-017; confirming asks for an ID that came since, and none did (S-012)."""
        creator = Creator.objects.filter(user=self.applicant).first()
        if creator is None:
            return
        by = self.reviewers[who]
        possible = self.vouched_for == "verified"
        self.attempt(possible, lambda: creators.reverify(creator=creator, by=by, reason="x", at=self.now))
        if possible:
            self.vouched_for = "pending"
        creator.refresh_from_db()
        self.attempt(False, lambda: creators.confirm_verification(creator=creator, by=by, at=self.now))

    @rule(who=WHO)
    def refuse_the_verification(self, who: int) -> None:
        """S-013: an approved application ends with it, a live creator is live no more."""
        creator = Creator.objects.filter(user=self.applicant).first()
        if creator is None:
            return
        possible = self.vouched_for == "pending"
        by = self.reviewers[who]
        self.attempt(possible, lambda: creators.reject_verification(creator=creator, by=by, reason="x", at=self.now))
        if possible:
            self.vouched_for = "rejected"
            if self.status == "approved":
                self.go("refuse")

    @rule(ready=st.booleans())
    def activate(self, ready: bool) -> None:
        application = CreatorApplication.objects.get(pk=self.application.pk)
        if ready and application.creator is not None and self.status == "approved":
            make.make_ready(application.creator)
        elif self.status == "approved":
            return
        possible = (self.status, "activate") in TABLE and self.vouched_for == "verified"
        self.attempt(possible, lambda: applications.activate(application=self.application, at=self.now))
        if possible:
            self.go("activate")

    @rule(who=WHO, how=st.sampled_from(["ask", "approve", "approve_later", "reject_later"]))
    def what_comes_next(self, who: int, how: str) -> None:
        """The ordinary next step, so that the far ends of the table are reached too."""
        if self.status == "pending_submission":
            self.submit()
        elif self.status == "submitted":
            self.claim(who)
        elif self.status == "additional_info_required":
            self.answer("Here it is.")
        elif self.verdict:
            self.time_passes(10)
            self.settle()
        elif self.status == "in_review" and self.holder is not None:
            self.claim(self.holder if self.until >= self.now else who)
            assert self.holder is not None
            if how == "ask":
                self.request_info(self.holder)
                return
            self.open_the_papers(self.holder)
            if self.paper == "pending":
                self.decide_the_paper(self.holder, "verify")
            verb, _later, later = how.partition("_")
            self.decide(self.holder, verb, 10 if later else 0, "passes")
        elif self.status == "approved":
            self.activate(True)

    @rule(who=WHO)
    def straight_on(self, who: int) -> None:
        """Three ordinary steps in a row: without them hardly anybody goes live."""
        for _step in range(3):
            self.what_comes_next(who, "approve")

    @rule(who=WHO)
    def more_is_asked_for(self, who: int) -> None:
        if self.status == "pending_submission":
            self.submit()
        if self.status == "submitted":
            self.claim(who)
            self.request_info(who)

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def the_database_shows_the_table(self) -> None:
        found = CreatorApplication.objects.get(pk=self.application.pk)
        assert (found.status, found.verdict) == (self.status, self.verdict)
        self.reached.add(self.status)
        assert VerificationDocument.objects.get(subject=self.applicant).status == self.paper
        assert found.identity_failed == self.id_failed

    @invariant()
    def only_an_approved_applicant_is_a_creator(self) -> None:
        creator = Creator.objects.filter(user=self.applicant).first()
        assert (creator is not None) == self.was_approved
        if creator is not None:
            assert creator.verification_status == self.vouched_for
            assert creator.is_active == (self.status == "activated" and self.vouched_for != "rejected")

    @invariant()
    def nobody_is_told_before_it_is_so(self) -> None:
        told = set(Notification.objects.filter(user=self.applicant).values_list("event", flat=True))
        final = {event for status, event in TOLD.items() if event in told}
        assert final <= {TOLD.get(self.status, ""), TOLD["approved"] if self.was_approved else ""}
        refused = self.vouched_for == "rejected" and "application.lapsed" not in told
        assert ("creator.verification_refused" in told) == refused

    @invariant()
    def work_waits_exactly_while_somebody_has_to_do_some(self) -> None:
        item = work.for_subject("applications", self.application)
        unfinished = item is not None and item.state in items.UNFINISHED
        wanted = self.status in ("submitted", "additional_info_required") or (
            self.status == "in_review" and not self.verdict
        )
        assert unfinished == wanted


@pytest.mark.django_db
def test_an_application_follows_the_table_through_anything() -> None:
    OneApplication.reached.clear()
    run_state_machine_as_test(
        OneApplication,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert OneApplication.reached == {*ApplicationStatus.values}
