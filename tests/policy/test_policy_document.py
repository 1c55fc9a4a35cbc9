"""Every trap of YAML, and the place of every key and value."""

from __future__ import annotations

import math
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.errors import PolicyError
from orpolicy.location import Location
from orpolicy.policy.document import Document, parse

CORE_SCALARS = [
    ("no", "no"), ("Yes", "Yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("22:22", "22:22"),
    ("2026-05-01", "2026-05-01"), ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"), ("1_000", "1_000"),
    ("0b11", "0b11"), ("1e-6", 1e-6), ("1E3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-1.5e+2", -150.0),
    ("0o17", 15), ("0x1F", 31), ("017", 17), ("+3", 3), ("-3", -3), ("0", 0),
    ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("null", None), ("~", None),
    ("Null", None), ("NULL", None), ("", None), ("true", True), ("True", True), ("FALSE", False),
    ("tRUE", "tRUE"), ("'5'", "5"), ('"true"', "true"), ("''", ""), ("!!str 5", "5"), ("!!int '5'", 5),
    ("!!float 5", 5.0), ("!!float 5.5", 5.5), ("!!bool 'true'", True), ("!!null ''", None), ("=", "="),
    ("1.2.3", "1.2.3"), ("e5", "e5"), (".", "."), ("|\n  two\n  lines\n", "two\nlines\n"),
    ('"a\\tb"', "a\tb"),
]  # fmt: skip


def problems_of(content: str | bytes) -> list[str]:
    """The problems of a content, fatal or not, as line:column: message."""
    raw = content.encode() if isinstance(content, str) else content
    try:
        document = parse(raw, "f")
    except PolicyError as error:
        return [f"{problem.location}: {problem.said}".removeprefix("f:") for problem in error.problems]
    return [str(flaw.problem).removeprefix("f:") for flaw in document.flaws]


def read(content: str) -> Document:
    document = parse(content.encode(), "f")
    assert document.flaws == ()
    return document


@pytest.fixture(params=["c", "python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers: libyaml's where PyYAML has it, and the pure one."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CBaseLoader", raising=False)
    return str(request.param)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(("scalar", "value"), CORE_SCALARS)
def test_scalars_follow_the_core_schema_of_yaml_1_2(scalar: str, value: object) -> None:
    data = read(f"key: {scalar}\n").data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_as_it_was_written(value: float) -> None:
    data = read(f"key: {value!r}\n").data
    assert isinstance(data, dict)
    assert data["key"] == value
    assert math.copysign(1, float(str(data["key"]))) == math.copysign(1, value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_is_read_as_it_was_written(value: int) -> None:
    assert read(f"[{value}, {'-' if value < 0 else ''}0]").data == [value, 0]


@pytest.mark.usefixtures("loader")
def test_every_key_and_value_has_its_place() -> None:
    document = read('version: 1\npolicies:\n  - id: "ä"\n    by: [model, {x: 1}]\nä: b\n')
    assert document.place(()) == Location("f", 1, 1)
    assert document.place(("version",)) == Location("f", 1, 10)
    assert document.place(("policies",)) == Location("f", 3, 3)
    assert document.place(("policies", 0)) == Location("f", 3, 5)
    assert document.place(("policies", 0, "id")) == Location("f", 3, 9)
    assert document.key_place(("policies", 0, "by")) == Location("f", 4, 5)
    assert document.place(("policies", 0, "by", 0)) == Location("f", 4, 10)
    assert document.place(("policies", 0, "by", 1, "x")) == Location("f", 4, 21)
    assert document.key_place(("policies", 0)) == Location("f", 3, 5)
    assert document.place(("ä",)) == Location("f", 5, 4)


def test_the_place_of_what_is_absent_is_that_of_what_is_around_it() -> None:
    assert read("a:\n  b: 1\n").place(("a", "c", 3)) == Location("f", 2, 3)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1\nb: 2\na: {c: 3}\n", "3:1: duplicate key 'a' (first at f:1:1)"),
        ("a: 1\n'a': 2\n", "2:1: duplicate key 'a' (first at f:1:1)"),
        ("b: 2\na: &x 1\n", "2:4: anchors (&x) are not allowed"),
        ("a: &x {b: 1}\n", "1:4: anchors (&x) are not allowed"),
        ("&x a: 1\n", "1:1: anchors (&x) are not allowed"),
        ("a: *batch\n", "1:4: aliases (*batch) are not allowed (write the value out, or quote a text"),
        ("a: [*batch-x]\n", "1:5: aliases (*batch-x) are not allowed"),
        ("*x : 1\n", "1:1: aliases (*x) are not allowed"),
        ("<<: {a: 1}\n", "1:1: merge keys (<<) are not allowed"),
        ("a: !env HOME\n", "1:4: the tag !env is not allowed"),
        ("a: !!timestamp 2026-01-01\n", "1:4: the tag tag:yaml.org,2002:timestamp is not allowed"),
        ("a: !!set {b}\n", "1:4: the tag tag:yaml.org,2002:set is not allowed"),
        ("a: !!python/tuple [b]\n", "1:4: the tag tag:yaml.org,2002:python/tuple is not allowed"),
        ("a: !!int x\n", "1:4: 'x' is not a int, as its tag !!int says"),
        ("1: a\n", "1:1: a key must be text, and 1 is not (quote it)"),
        ("true: a\n", "1:1: a key must be text, and true is not"),
        ("? \n: a\n", "a key must be text, and nothing is not"),
        ("? [a]\n: b\n", "1:3: a key must be text"),
        ("? {a: b}\n: {c: d}\n", "1:3: a key must be text"),
        (".inf: a\n", "1:1: .inf is not a finite number"),
        ("a: .nan\n", "1:4: .nan is not a finite number"),
        ("a: [-.INF]\n", "1:5: -.INF is not a finite number"),
        ("a: 1e999\n", "1:4: 1e999 is too large for a number"),
        ("a: 9223372036854775808\n", "1:4: 9223372036854775808 does not fit into 64 bits"),
        ("a: -9223372036854775809\n", "does not fit into 64 bits"),
        ("a: 0xFFFFFFFFFFFFFFFFF\n", "does not fit into 64 bits"),
        (f"a: {'9' * 5000}\n", "9999 does not fit into 64 bits"),
        ('a: "\\x07"\n', "1:4: the control character U+0007 is not allowed"),
        ('a: "\\r"\n', "1:4: the control character U+000D is not allowed"),
        ('"a\\x1b": 1\n', "1:1: the control character U+001B is not allowed"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where(content: str, expected: str) -> None:
    (problem,) = problems_of(content)
    assert expected in problem


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1:1: the file holds nothing"),
        (b"# only a comment\n", "1:1: the file holds nothing"),
        (b"---\n...\n", "1:1: the file holds nothing"),
        (b"null\n", "1:1: the file holds nothing"),
        (b"a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
        (b"a: \xff\n", "1:4: the file is not UTF-8 from here on"),
        ("a: 1\nä: ".encode() + b"\xe4\n", "2:4: the file is not UTF-8 from here on"),
        ("a: 1".encode("utf-16"), "1:1: the file is not UTF-8"),
        (b"a: 1\r\nb: \x00\n", "2:4: the control character U+0000 is not allowed"),
        ("a: b\u2028c\n".encode(), "1:5: the control character U+2028 is not allowed"),
        ("a: \x85\n".encode(), "1:4: the control character U+0085 is not allowed"),
        (b"a: [1\n", "this is not YAML"),
        (b"a: b: c\n", "1:5: this is not YAML"),
        (b"a:\n\t- b\n", "2:1: this is not YAML"),
        (b"a: [@batch]\n", "1:5: this is not YAML: found character that cannot start any token"),
        (b"a: [*]\n", "quote a text that begins with *"),
        (b"#" * ((1 << 20) + 1), "1:1: the file is larger than 1 MiB"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_at_all_says_where(content: bytes, expected: str) -> None:
    (problem,) = problems_of(content)
    assert expected.replace(" '@'", "") in problem.replace(" '@'", "")


def test_a_mebibyte_is_not_too_large() -> None:
    assert read("a: 1\n#" + "x" * ((1 << 20) - 6)).data == {"a": 1}


def test_a_byte_order_mark_is_no_content() -> None:
    document = parse(b"\xef\xbb\xbfa: 1\n", "f")
    assert document.data == {"a": 1}
    assert document.place(("a",)) == Location("f", 1, 4)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "])
def test_a_hundred_thousand_levels_are_a_problem_and_no_crash(bracket: str) -> None:
    *_, problem = problems_of(bracket * 100_000)
    assert re.fullmatch(r"1:\d+: more than 64 levels of nesting", problem)


def test_sixty_four_levels_are_allowed_and_one_more_is_not() -> None:
    assert read("[" * 64 + "]" * 64).data is not None
    assert problems_of("[" * 65 + "]" * 65) == ["1:65: more than 64 levels of nesting"]


def test_a_file_has_all_its_problems_at_once() -> None:
    content = "a: *x\nb: .nan\n1: c\nb: 2\nd: [!x y, &z 1]\ne: [\n"
    lines = [problem.split(": ")[0] for problem in problems_of(content)]
    assert lines[:6] == ["1:4", "2:4", "3:1", "4:1", "5:5", "5:11"]
    assert len(lines) == 7  # and the bracket that is never closed


def test_what_is_refused_does_not_spoil_what_follows() -> None:
    document = parse(
        b"a: 1\na: {b: [1, {c: 2, c: 3}]}\n? [x, {y: z}]\n: [q]\nd: *x\ne: !!set {f: 1}\ng: 5\n", "f"
    )
    assert document.data == {"a": 1, "d": None, "e": {"f": 1}, "g": 5}
    assert document.place(("g",)) == Location("f", 7, 4)
    assert document.place(("a", "b")) == Location("f", 1, 4)
    assert [str(flaw.problem.location) for flaw in document.flaws] == [
        "f:2:1",
        "f:2:19",
        "f:3:3",
        "f:5:4",
        "f:6:4",
    ]


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_problem(content: str) -> None:
    try:
        document = parse(content.encode("utf-8", "surrogatepass"), "f")
    except PolicyError as error:
        assert error.problems  # noqa: PT017 - either way is fine, but never another exception
    else:
        assert document.data is not None or document.flaws


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_problem(content: bytes) -> None:
    assert isinstance(problems_of(content), list)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.from_regex(r"[ -~]{0,9}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[ -~]{0,9}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON.filter(lambda value: value is not None), st.booleans())
def test_what_pyyaml_writes_is_read_back(value: object, flow: bool) -> None:
    text = yaml.safe_dump(
        value, default_flow_style=flow, default_style='"' if isinstance(value, str) else None
    )
    document = parse(text.replace("!!null 'null'", "null").encode(), "f")
    assert document.data == value
