"""Filled: values, and what is asked of them, as they stand in the fields of a form. Written as in YAML."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wetink.core.rule.operators import BY_NAME

SWITCHES = ("false", "true")

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,12})?")
_PART = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')


def scalar(text: str) -> Any:
    """Read one value as it stands in a field.

    >>> [scalar(each) for each in ("42", "4.5", "true", "Shoes", '"42"', " ")]
    [42, 4.5, True, 'Shoes', '42', '']
    """
    text = text.strip()
    if text in SWITCHES:
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def shown(value: Any) -> str:
    """Write one value as it stands in a field: `scalar` reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "" if value is None else str(value)
    plain = scalar(value) == value and value == value.strip() and type(scalar(value)) is str
    return value if plain else json.dumps(value, ensure_ascii=False)


def parts(text: str) -> list[Any]:
    """Read several values, with commas between them; one in quotes may have commas of its own."""
    found = [each.strip() for each in _PART.findall(text)]
    return [scalar(each) for each in found if each]


def listing(values: Sequence[Any]) -> str:
    """Write several values: `parts` reads them back."""
    return ", ".join(map(_listed, values))


def _listed(value: Any) -> str:
    quoted = isinstance(value, str) and (not value or "," in value or '"' in value)
    return json.dumps(value, ensure_ascii=False) if quoted else shown(value)


def text_of(draft: Mapping[str, Any], name: str) -> str:
    """Return a field's text, empty when there is none."""
    value = draft.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def rows_of(draft: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows below a name, none when there are none."""
    value = draft.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def value_of(operator: str, text: str) -> Any:
    """Read what an operator compares with."""
    wants = BY_NAME[operator].wants if operator in BY_NAME else "value"
    if wants in ("values", "numbers"):
        return parts(text)
    if wants in ("text", "pattern", "time", "span", "occasion"):
        value = scalar(text)
        return value if isinstance(value, str) and text.strip()[:1] == '"' else text.strip()
    return scalar(text)


def written(operator: str, value: Any) -> str:
    """Write what an operator compares with: `value_of` reads it back."""
    wants = BY_NAME[operator].wants if operator in BY_NAME else "value"
    if wants in ("values", "numbers"):
        return listing(value) if isinstance(value, list | tuple) else shown(value)
    if wants in ("text", "pattern", "time", "span", "occasion") and isinstance(value, str):
        quoted = value != value.strip() or value[:1] == '"'
        return json.dumps(value, ensure_ascii=False) if quoted else value
    return shown(value)


def asked(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is asked of one value, operator by operator."""
    return {
        operator: value_of(operator, str(row.get("value", "")))
        for row in rows
        if (operator := text_of(row, "operator"))
    }


def asking(tests: Any) -> list[dict[str, Any]]:
    """Return a row for each operator of what is asked of one value."""
    if isinstance(tests, list | tuple):
        tests = {"one_of": tests}
    elif not isinstance(tests, Mapping):
        tests = {"equals": tests}
    return [{"operator": str(name), "value": written(str(name), value)} for name, value in tests.items()]


def properties(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is asked of properties: rows of the same name go together."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name, operator = text_of(row, "name"), text_of(row, "operator")
        if name and operator:
            found.setdefault(name, {})[operator] = value_of(operator, str(row.get("value", "")))
    return found


def property_rows(where: Any) -> list[dict[str, Any]]:
    """Return a row for each operator of each property."""
    if not isinstance(where, Mapping):
        return []
    return [{"name": str(name), **test} for name, tests in where.items() for test in asking(tests)]
