"""Who came and who left, in a sentence."""

from __future__ import annotations

from orpolicy.turnover import named


def test_nobody_is_no_sentence() -> None:
    assert named("new", [], "in the window") == []


def test_the_dearest_come_first_and_the_rest_is_counted() -> None:
    subjects = [((f"key-{number}", "acme/big"), float(number)) for number in range(7)]
    (sentence,) = named("vanished", subjects, "before")
    assert sentence == (
        "vanished: key-6 on acme/big (6.00), key-5 on acme/big (5.00), key-4 on acme/big (4.00), "
        "key-3 on acme/big (3.00), key-2 on acme/big (2.00) and 2 more, USD before"
    )


def test_hashes_are_short_and_ties_go_by_name() -> None:
    subjects = [((f"hash:{'ab' * 32}",), 1.0), ((None,), 1.0), ((), 1.0)]
    assert named("new", subjects, "now") == [
        "new: all traffic (1.00), (none) (1.00), hash:abababababab… (1.00), USD now"
    ]
