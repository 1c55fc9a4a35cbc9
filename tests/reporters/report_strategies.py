"""Any report, for laws that every format keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median

from hypothesis import strategies as st
from samples import HOSTILE, LONG_NAME, SURROGATE, WIDE

from orpolicy.errors import Reason
from orpolicy.finding import (
    Confidence,
    Driver,
    Finding,
    Inconclusive,
    Measure,
    Recommendation,
    Savings,
    Verify,
)
from orpolicy.location import Location
from orpolicy.period import Window
from orpolicy.report import (
    Baseline,
    Coverage,
    PeriodSpend,
    PolicyResult,
    QueryRecord,
    Report,
    ReportSource,
    SavingsTotal,
    SpendBreakdown,
    SubjectSpend,
    WaiverResult,
    WaiverState,
)
from orpolicy.verdict import Severity, Status, Verdict

texts = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(), max_size=120),
    st.sampled_from(
        [HOSTILE, LONG_NAME[4_500:5_500], SURROGATE, WIDE, "", "a b\u00a0c  d", "\u0301\u0301e", "\U000e0041"]
    ),
)
ids = st.one_of(st.sampled_from(["p1", "p2", "p3"]), texts)
figures = st.one_of(
    st.floats(-1e6, 1e6),
    st.floats(-1e290, 1e290),  # sums of a few of them must still be numbers
    st.sampled_from([0.0, 0.004, 99.999, 999.9999]),
)
amounts = figures.map(abs)
counts = st.integers(0, 2**63)
shares = st.floats(0, 1)
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    datetime(2030, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))
windows = st.builds(
    lambda start, seconds, to_date: Window(start, start + timedelta(seconds=seconds), to_date),
    moments,
    st.integers(1, 10**8),
    st.booleans(),
)
locations = st.builds(Location, texts, st.integers(1, 10**6), st.integers(1, 10**4))
subjects = st.dictionaries(
    st.sampled_from(["api_key_id", "model", "user"]), st.one_of(st.none(), texts), max_size=3
)
measures = st.builds(
    Measure,
    st.one_of(st.sampled_from(["spend_usd", "blended_multiple", "cache_hit_rate", "usd_per_mtok"]), texts),
    figures,
    figures,
    st.one_of(st.sampled_from(["USD", "x", "share", "USD/Mtok", "USD/request", ""]), texts),
    texts,
)
known = st.builds(
    lambda three, net, confidence, formula: Savings(
        min(three), median(three), max(three), net, confidence, formula
    ),
    st.tuples(amounts, amounts, amounts),
    st.one_of(st.none(), amounts),
    st.sampled_from([Confidence.EXACT, Confidence.PRICED, Confidence.BOUNDED]),
    texts,
)
savings = st.one_of(
    known, st.builds(lambda text: Savings(None, None, None, None, Confidence.UNKNOWN, text), texts)
)
findings = st.builds(
    Finding,
    fingerprint=st.text("0123456789abcdef", min_size=32, max_size=32),
    policy=ids,
    rule=texts,
    verdict=st.sampled_from([Verdict.FAIL, Verdict.WARN]),
    severity=st.sampled_from(Severity),
    subject=subjects,
    measure=measures,
    spend_usd=amounts,
    tokens_total=counts,
    request_count=counts,
    usd_per_mtok=st.one_of(st.none(), amounts),
    savings=savings,
    recommendation=st.builds(Recommendation, texts, st.one_of(st.none(), texts), texts, texts),
    drivers=st.lists(st.builds(Driver, subjects, amounts, shares), max_size=5).map(tuple),
    locations=st.lists(locations, min_size=1, max_size=3).map(tuple),
    verify=st.builds(Verify, st.dictionaries(texts, texts, max_size=2), texts, texts),
    owner=texts,
    title=texts,
    why=texts,
    link=texts,
    exposure_usd_per_month=st.one_of(st.none(), amounts),
    status=st.sampled_from(Status),
)
policies = st.builds(
    PolicyResult,
    id=ids,
    rule=texts,
    verdict=st.sampled_from(Verdict),
    severity=st.sampled_from(Severity),
    location=locations,
    owner=texts,
    title=texts,
    window=st.one_of(st.none(), windows),
    rows_seen=counts,
    rows_judged=counts,
    rows_under_floor=counts,
    rows_not_applicable=counts,
    judged_spend_usd=amounts,
    spend_under_floor_usd=amounts,
    findings=counts,
    reason=st.one_of(st.none(), st.sampled_from(Reason)),
    queries=st.lists(texts, max_size=3).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)
waivers = st.builds(
    WaiverResult, ids, st.sampled_from(WaiverState), st.dates(), texts, texts, counts, amounts, locations
)
queries = st.builds(
    QueryRecord,
    texts,
    st.lists(texts, max_size=2).map(tuple),
    st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2),
    counts,
    st.booleans(),
    texts,
    st.one_of(st.none(), moments),
    st.booleans(),
    counts,
    st.one_of(st.just(""), texts),
)
totals = st.builds(
    lambda gross, three, waived: SavingsTotal(gross, min(three), median(three), max(three), waived),
    amounts,
    st.tuples(amounts, amounts, amounts),
    amounts,
)
rates = st.one_of(st.none(), amounts)
subject_spends = st.lists(st.builds(SubjectSpend, subjects, amounts, counts, rates), max_size=14).map(tuple)
spends = st.builds(
    lambda by_model, by_key, by_period, more: SpendBreakdown(
        by_model, by_key, by_period, len(by_model) + more, len(by_key) + more
    ),
    subject_spends,
    subject_spends,
    st.lists(st.builds(PeriodSpend, windows, amounts, counts, rates), max_size=30).map(tuple),
    st.integers(0, 9),
)


def reports() -> st.SearchStrategy[Report]:
    return st.builds(
        Report,
        version=texts,
        verdict=st.sampled_from(Verdict),
        source=st.builds(ReportSource, texts, texts, counts, counts),
        generated_at=moments,
        baseline=st.one_of(
            st.none(), st.builds(Baseline, windows, amounts, counts, counts, st.one_of(st.none(), amounts))
        ),
        savings=totals,
        coverage=st.builds(Coverage, amounts, st.one_of(st.none(), shares)),
        policies=st.lists(policies, max_size=4).map(tuple),
        findings=st.lists(findings, max_size=14).map(tuple),
        inconclusive=st.lists(
            st.builds(Inconclusive, ids, st.sampled_from(Reason), texts, texts, locations), max_size=2
        ).map(tuple),
        waivers=st.lists(waivers, max_size=2).map(tuple),
        queries=st.lists(queries, max_size=2).map(tuple),
        catalogue_taken_at=st.one_of(st.none(), moments),
        catalogue_models=counts,
        notices=st.lists(texts, max_size=2).map(tuple),
        spend=spends,
    )
