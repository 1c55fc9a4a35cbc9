"""What to say of a waiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import cents
from orpolicy.reporters._words import name, plural, prose

if TYPE_CHECKING:
    from orpolicy.report import WaiverResult


def waiver_sentence(waiver: WaiverResult) -> str:
    """``Waiver expiring, until 2026-06-20, covers 1 finding of $750.50; data-platform: Agreed.``."""
    agreed = f"{name(waiver.owner)}: {prose(waiver.reason)}"
    return f"Waiver {waiver.state}, until {waiver.until}, covers {covered(waiver)}; {agreed}"


def covered(waiver: WaiverResult) -> str:
    """``1 finding of $750.50``, ``no finding``."""
    if not waiver.findings:
        return "no finding"
    return f"{plural(waiver.findings, 'finding')} of {cents(waiver.spend_usd)}"
