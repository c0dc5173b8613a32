"""The whole verification of the audit trail: the chain by itself, and against the files outside the database."""

from dataclasses import asdict, dataclass
from typing import Any

from backoffice.audit import anchors, chain
from backoffice.audit.chain import Finding
from backoffice.audit.models import ChainLink


@dataclass(frozen=True, slots=True)
class Result:
    """How many links and anchors were looked at, and what is wrong with them."""

    links: int
    anchors: int
    findings: list[Finding]

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "ok": not self.findings,
            "links": self.links,
            "anchors": self.anchors,
            "findings": [asdict(finding) for finding in self.findings],
        }


def run(*, seal: bool = True) -> Result:
    """Seals what is new (unless told not to), recomputes every hash, compares every anchor."""
    if seal:
        chain.seal()
    findings = [*chain.verify(), *anchors.check()]
    return Result(
        links=ChainLink.objects.count(),
        anchors=sum(1 for _place, anchor in anchors.read() if anchor is not None),
        findings=findings,
    )
