"""Policies as teams write them: every kind, with thresholds, floors and selectors that differ."""

from __future__ import annotations

_SHAPES = (
    "rule: blended-multiple, by: [model], floor: {{spend: {floor}}}, warn_above: {high}",
    "rule: usd-per-mtok, by: [model], floor: {{spend: {floor}}}, fail_above: 4{high}",
    "rule: model-ban, where: {{api_key_id: [{keys}]}}, models: [{models}], fail_above: 2{high}0",
    "rule: cache-hit-rate, by: [model], floor: {{spend: {floor}}}, fail_below: 0.1{share:02}",
    "rule: surcharge-share, components: [web], fail_above: 0.{share:02}",
    "rule: reasoning-share, by: [model], where: {{api_key_id: [{keys}]}}, fail_above: 0.8{share:02}",
    "rule: prompt-ratio, by: [api_key_id], floor: {{spend: {floor}, requests: 100}}, fail_above: {high}",
    "rule: spend-limit, by: [api_key_id], where: {{api_key_id: [{keys}]}}, warn_above: 5{high}0",
    "rule: cost-per-request, floor: {{spend: {floor}, requests: 100}}, fail_above: 0.{high}",
    "rule: metric, expression: usage_web / total_usage, by: [model], warn_above: 0.1{share:02}",
    "rule: cost-per-request, where: {{model: [{models}]}}, fail_above: 0.{high}",
    "rule: blended-multiple, by: [api_key_id], fail_above: {high}",
)
_GROWTH = "rule: spend-growth, by: [api_key_id], window: last-week, fail_above: 2.{share:02}"


def policy_file(count: int, *, growth: bool = True) -> str:
    """The text of a file with so many policies; the same every time.

    Args:
        count: how many.
        growth: whether some of them look back over weeks.
    """
    shapes = (*_SHAPES, _GROWTH) if growth else _SHAPES
    return "version: 1\npolicies:\n" + "".join(
        f"  - {{id: policy-{number}, {_shape(shapes[number % len(shapes)], number // len(shapes))}, "
        f"why: Number {number} of a benchmark., owner: team-{number % 7}}}\n"
        for number in range(count)
    )


def _shape(shape: str, variation: int) -> str:
    return shape.format(
        floor=(10, 25, 50, 100)[variation % 4],
        high=20 + variation,
        share=(5 + 3 * variation) % 90,
        keys=f'"team-{variation % 40:02}-*", "batch-*-{variation % 10}"',
        models=f'"lab-{variation % 20:02}/*", "*-preview-{variation % 10}"',
    )
