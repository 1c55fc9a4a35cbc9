"""What an account's own figures say, asked in the shapes in which its policies will ask again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.errors import SourceError
from orpolicy.fetch import Desk
from orpolicy.gather import Gathered, gather
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.rules.surcharge_share import COMPONENTS
from orpolicy.staging import Choice, set_stage
from orpolicy.starting.figures import round_down
from orpolicy.table import DATE, Table
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.period import Window
    from orpolicy.sources.base import Source
    from orpolicy.staging import Stage
    from orpolicy.table import Member

FLOOR_SHARE = 0.002
"""The floor that is proposed, as a share of all spend."""

LEAST_FLOOR_USD = 0.01

_QUESTIONS = """
version: 1
defaults:
  window: {window}
  floor: {{share: 0.001}}
policies:
  - {{id: models, rule: usd-per-mtok, by: [model], fail_above: 0}}
  - {{id: cells, rule: cost-per-request, by: [api_key_id, model], fail_above: 0}}
  - {{id: keys, rule: spend-limit, by: [api_key_id], fail_above: 0}}
  - {{id: days, rule: spend-growth, by: [api_key_id], window: last-week}}
  - {{id: web, rule: surcharge-share, components: [web], fail_above: 0}}
  - {{id: web-fetch, rule: surcharge-share, components: [web_fetch], fail_above: 0}}
  - {{id: file, rule: surcharge-share, components: [file], fail_above: 0}}
"""


@dataclass(frozen=True)
class Survey:
    """What was learnt of an account.

    Attributes:
        stage: the account, its sets, the clock and the window.
        traffic: all traffic of the window.
        tables: rows by what they are called among the questions: ``models`` by model, ``cells`` by key
            and model, ``keys`` by key, ``days`` by day and key over nine weeks; what could not be asked is
            absent.
        surcharges: component -> USD, of those that the source knows.
        unknown: what could not be asked -> why.
    """

    stage: Stage
    traffic: Totals
    tables: Mapping[str, Table]
    surcharges: Mapping[str, float]
    unknown: Mapping[str, SourceError]

    @property
    def window(self) -> Window:
        """The window that the figures are of."""
        return self.stage.scene.window

    @property
    def has_traffic(self) -> bool:
        """Whether there is anything to go by."""
        return self.traffic.spend_usd > 0

    @property
    def untold(self) -> tuple[SourceError, ...]:
        """Why nothing is known of what was spent; empty where it is known, if only as nothing."""
        told = any(name in self.tables for name in _WINDOWED)
        return () if told else tuple(self.unknown.values())

    @property
    def blended(self) -> float | None:
        """USD per token of all traffic; None without tokens."""
        return self.traffic.spend_usd / self.traffic.tokens if self.traffic.tokens else None

    @cached_property
    def floor_usd(self) -> float:
        """The floor to propose: a small share of all spend, a cent at least."""
        return round_down(max(FLOOR_SHARE * self.traffic.spend_usd, LEAST_FLOOR_USD))

    @cached_property
    def key_members(self) -> frozenset[Member]:
        """Every key with usage in the window or in the weeks before now."""
        tables = (self.tables.get("keys"), self.tables.get("days"))
        return frozenset(
            member for table in tables if table is not None for member in table.dimensions.get(KEY, ())
        )

    def rows(self, name: str) -> list[tuple[dict[str, Member], Totals]]:
        """The rows of a table: members and totals."""
        table = self.tables.get(name)
        if table is None:
            return []
        names = list(table.dimensions)
        return [
            (dict(zip(names, table.row_key(row), strict=True)), Totals.of_row(table, row))
            for row in range(len(table))
        ]

    def key_name(self, member: Member) -> str:
        """A key as people see it."""
        shown = self.stage.scene.account.display({KEY: member})
        return " ".join(str(text) for text in shown.values() if text) or "(no key)"

    def model_name(self, member: Member) -> str:
        """A model as callers name it."""
        return self.stage.scene.account.display({MODEL: member})[MODEL] or "(no model)"


def survey(source: Source, window: str | None) -> Survey:
    """Ask an account what its traffic looks like.

    Args:
        source: where figures come from.
        window: the window's text, or None for last month.

    Raises:
        UsageError: for a window that makes no sense.
        PolicyError: for a window that is none.
    """
    text = _QUESTIONS.format(window=json.dumps(window or "last-month"))
    stage = set_stage(load_texts({"--window": text.encode()}, Kinds()), source, Choice())
    desk = Desk(source, stage.base_metrics)
    found = gather(stage.bounds, desk, stage.scene.account, also=(stage.total,) if stage.bounds else ())
    answers = {name: answer for name, answer in found.items() if isinstance(answer, Gathered)}
    failed = {name: answer for name, answer in found.items() if isinstance(answer, SourceError)}
    dimensions = {"models": (MODEL,), "cells": (KEY, MODEL), "keys": (KEY,), "days": (DATE, KEY)}
    return Survey(
        stage=stage,
        traffic=next(
            (Totals.of_table(answers[name].traffic) for name in _WINDOWED if name in answers), Totals()
        ),
        tables={
            name: answers[name].everything.rollup(by) for name, by in dimensions.items() if name in answers
        },
        surcharges={
            name: float(Totals.of_table(answers[question].traffic).get(metric))
            for name, metric in COMPONENTS.items()
            if (question := name.replace("_", "-")) in answers
        },
        unknown={**stage.failed, **failed},
    )


_WINDOWED = ("models", "cells", "keys")
"""The questions whose traffic is that of the window."""
