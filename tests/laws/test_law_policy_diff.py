"""A change that is said to weaken nothing loses no finding, and undoing a change has the opposite effect."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from law_world import LAW, Usage, accounts, in_memory
from world import policies

from orpolicy.policy_diff.compare import compare
from orpolicy.policy_diff.impact import Why, measure
from orpolicy.staging import Choice

KINDS_OF_LAW = (
    "rule: spend-limit, by: [{by}], fail_above: {high}",
    "rule: spend-limit, by: [{by}], fail_above: 100, warn_above: {high}",
    "rule: usd-per-mtok, by: [{by}], fail_above: {high}",
    "rule: cost-per-request, by: [{by}], warn_above: 0.01, fail_above: {low}",
    "rule: cache-hit-rate, by: [{by}], fail_below: {low}, prompt_heavy: {heavy}",
    "rule: surcharge-share, by: [{by}], components: {components}, fail_above: {low}",
    "rule: model-ban, by: [{by}], models: {models}",
    "rule: reasoning-share, by: [{by}], fail_above: {low}",
)
SLOTS = {
    "by": ("api_key_id", "model", "api_key_id, model"),
    "high": ("5", "12", "30"),
    "low": ("0.05", "0.2", "0.6"),
    "heavy": ("{prompt_per_completion_above: 1}", "{prompt_per_completion_above: 3}"),
    "components": ("[web]", "[web, file]"),
    "models": ("acme/*", "[acme/large, acme/tiny-preview]", "'@preview'", "acme/large"),
}
EXTRAS = {
    "where": (
        "",
        "{api_key_id: 'batch-*'}",
        "{api_key_id: ['batch-*', prod]}",
        "{model: {not: acme/large}}",
        "{model: 'acme/*'}",
        "{api_key_id: {not: [web, prod]}, model: [acme/large, acme/small]}",
    ),
    "floor": ("", "{spend: 1}", "{spend: 6}", "{requests: 100}", "{share: 0.1}"),
    "severity": ("", "warning", "note"),
    "allow_empty": ("", "true"),
    "locked": ("", "true"),
}
WAIVERS = (
    "",
    "{until: 2026-07-01}",
    "{until: 2026-05-01}",
    "{until: 2026-07-01, max_spend: 10}",
    "{until: 2026-07-01, where: {api_key_id: 'batch-*'}}",
    "{until: 2026-07-01, where: {api_key_id: batch-a}}",
)


CHOICES = SLOTS | EXTRAS | {"waiver": WAIVERS}
OFTEN = (*sorted(CHOICES), *["where"] * 8, *["high", "low", "waiver", "models"] * 2)
"""What differs; scopes more often, as most can be got wrong about them."""


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str]:
    """Two files that differ in one or two things; most of what a policy may leave out, it does."""
    kind = draw(st.sampled_from(KINDS_OF_LAW))
    old = {
        name: draw(st.sampled_from(values if name in SLOTS else (*[values[0]] * 8, *values)))
        for name, values in CHOICES.items()
    }
    names = draw(st.lists(st.sampled_from(OFTEN), min_size=1, max_size=2, unique=True))
    new = old | {name: draw(st.sampled_from(CHOICES[name])) for name in names}
    return _written(kind, old), _written(kind, new)


def _written(kind: str, values: dict[str, str]) -> str:
    extras = "".join(f", {name}: {values[name]}" for name in EXTRAS if values[name])
    text = f"policies:\n  - {{id: p, {kind.format(**values)}{extras}}}\n"
    waiver = values["waiver"].replace("{until", "{policy: p, reason: r, owner: o, until", 1)
    return text + (f"waivers:\n  - {waiver}\n" if waiver else "")


@LAW
@given(changes(), accounts)
def test_a_change_that_weakens_nothing_loses_no_finding(
    change: tuple[str, str], account: list[Usage]
) -> None:
    """Where one way weakens, the other may not; a policy that cannot be judged says so."""
    sides = (policies(change[0]), policies(change[1]))
    found = compare(*sides)
    if found.weakens:
        sides = (sides[1], sides[0])
        found = compare(*sides)
    assume(not found.weakens)
    source = in_memory([usage.record() for usage in account])
    impact = measure(*sides, found.renamed, source, Choice())
    assert [shift for shift in impact.hidden if shift.why is not Why.NOT_JUDGED] == []
    assert impact.softened == ()
    assert compare(*sides[::-1]).weakens or not impact.shown


@LAW
@given(changes(), accounts)
def test_swapping_the_sides_swaps_what_is_hidden_and_shown(
    change: tuple[str, str], account: list[Usage]
) -> None:
    old, new = (policies(text) for text in change)
    source = in_memory([usage.record() for usage in account])
    one_way, other_way = (measure(*pair, {}, source, Choice()) for pair in ((old, new), (new, old)))
    assert [item.finding.fingerprint for item in one_way.hidden] == [
        item.finding.fingerprint for item in other_way.shown
    ]
    assert [item.why for item in one_way.shown] == [item.why for item in other_way.hidden]
    assert one_way.net_before_usd_per_month == other_way.net_after_usd_per_month


@LAW
@given(changes())
def test_what_one_way_strengthens_the_other_way_weakens(change: tuple[str, str]) -> None:
    old, new = (policies(text) for text in change)
    one_way, other_way = compare(old, new), compare(new, old)
    undone = {(item.what, item.before, item.after): item.effect for item in other_way.changes}
    assert len(one_way.changes) == len(other_way.changes)
    for item in one_way.changes:
        back = undone[item.what, item.after, item.before]
        assert item.effect.weakens or back is item.effect.opposite
        assert back.weakens or item.effect is back.opposite


@given(changes())
def test_a_file_held_against_itself_says_nothing(change: tuple[str, str]) -> None:
    same = policies(change[0])
    assert compare(same, policies(change[0])).changes == ()
