"""The stable name of every class of problem; ``orpolicy explain ORP001`` shows its page."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What is wrong, as a closed word; a number is never given to another class, nor taken away.

    0xx: the policy files; 1xx: the command line and what it names; 2xx: why a policy could not be judged,
    under the names of ``errors.Reason``; 3xx: what happened after a report was there.
    """

    NOT_YAML = "ORP001"
    NOT_TEXT = "ORP002"
    TOO_LARGE = "ORP003"
    YAML_SHORTCUT = "ORP004"
    DUPLICATE_KEY = "ORP005"
    KEY_NOT_TEXT = "ORP006"
    BAD_SCALAR = "ORP007"
    NOTHING_THERE = "ORP008"

    UNKNOWN_KEY = "ORP010"
    MISSING_KEY = "ORP011"
    WRONG_TYPE = "ORP012"
    WRONG_VALUE = "ORP013"
    WRONG_FORM = "ORP014"
    OUT_OF_RANGE = "ORP015"
    EMPTY_VALUE = "ORP016"
    UNFIT_THRESHOLD = "ORP017"

    DEFINED_TWICE = "ORP020"
    UNKNOWN_POLICY = "ORP021"
    UNKNOWN_SET = "ORP022"
    SET_CYCLE = "ORP023"
    BAD_PATTERN = "ORP024"
    DIMENSION_NOBODY_KNOWS = "ORP025"
    METRIC_NOBODY_KNOWS = "ORP026"
    BAD_TIME = "ORP027"
    HIDDEN_WARNING = "ORP028"
    BAD_SETTING = "ORP029"

    EXTENDS_NOTHING = "ORP030"
    EXTENDS_CYCLE = "ORP031"
    EXTENDS_TOO_FAR = "ORP032"
    OVERRIDES_NOTHING = "ORP033"
    OVERRIDE_CONFLICT = "ORP034"
    OVERRIDE_OF_LOCKED = "ORP035"

    BROKEN_BASELINE = "ORP040"

    COMMAND_LINE = "ORP100"
    NO_POLICIES = "ORP101"
    UNREADABLE = "ORP102"
    UNKNOWN_NAME = "ORP103"
    NOT_WRITTEN = "ORP104"
    BAD_SOURCE = "ORP105"
    BAD_ENVIRONMENT = "ORP106"
    BAD_CATALOGUE = "ORP107"
    BAD_CLOCK = "ORP108"
    BAD_BASE = "ORP109"
    NO_REPORT = "ORP110"
    IN_THE_WAY = "ORP111"
    BROKEN_SNAPSHOT = "ORP112"

    API_ERROR = "ORP201"
    ACCESS_DENIED = "ORP202"
    DEADLINE = "ORP203"
    MALFORMED_ANSWER = "ORP204"
    TRUNCATED = "ORP205"
    STALE_ANSWER = "ORP206"
    UNRESOLVED_FILTER = "ORP207"
    CONTROL_MISMATCH = "ORP208"
    AMBIGUOUS_KEY = "ORP209"
    UNKNOWN_METRIC = "ORP210"
    UNKNOWN_DIMENSION = "ORP211"
    NOT_ANSWERABLE = "ORP212"
    NO_CATALOGUE = "ORP213"
    EMPTY_WINDOW = "ORP214"
    NOTHING_MATCHED = "ORP215"
    NOTHING_JUDGED = "ORP216"
    UNSUITABLE_WINDOW = "ORP217"
    TOO_LITTLE_HISTORY = "ORP218"

    NOT_DELIVERED = "ORP301"
