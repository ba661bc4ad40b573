"""Reads a world file: RON, with quantities as numbers in kW, kWh, hours and currency per kWh."""

import re

TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[(){}\[\]:,])
    |(?P<number>[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_][\w-]*)""",
    re.VERBOSE | re.DOTALL,
)
CLOSING = {"(": ")", "{": "}", "[": "]"}
UNITS = {
    "kW": 1, "MW": 1e3, "GW": 1e6, "kWh": 1, "MWh": 1e3, "GWh": 1e6,
    "h": 1, "min": 1 / 60, "s": 1 / 3600, "d": 24, "kW/h": 1, "MW/h": 1e3,
}


def read(text):
    """The value of a document: structs and maps as dicts, lists as lists, names as text.

    A struct with a name, as `Ar1(sd: 0.1)`, has it under the key `""`.
    """
    tokens = [token for token in TOKEN.finditer(text) if token.lastgroup]
    value, rest = _value(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"text behind the end, at byte {tokens[rest].start()}")
    return value


def _value(tokens, at):
    token = tokens[at]
    kind, text = token.lastgroup, token.group()
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", text[1:-1]), at + 1
    if kind == "number":
        return float(text.replace("_", "")), at + 1
    if kind == "name":
        if at + 1 < len(tokens) and tokens[at + 1].group() == "(":
            inside, at = _group(tokens, at + 1)
            return ({"": text, **inside} if isinstance(inside, dict) else {"": text, 0: inside}), at
        return {"true": True, "false": False}.get(text, text), at + 1
    return _group(tokens, at)


def _group(tokens, at):
    """What stands in brackets: a dict where members have keys, else a list."""
    opening = tokens[at].group()
    closing, members, keys = CLOSING[opening], [], []
    at += 1
    while tokens[at].group() != closing:
        if tokens[at + 1].group() == ":":
            keys.append(tokens[at].group().strip('"'))
            at += 2
        member, at = _value(tokens, at)
        members.append(member)
        at += tokens[at].group() == ","
    has_keys = keys or (opening != "[" and not members)
    return (dict(zip(keys, members)) if has_keys else members), at + 1


def quantity(value):
    """A quantity in kW, kWh, hours, kW/h or currency per kWh; numbers and shares as they are."""
    if not isinstance(value, str):
        return value
    number, _, unit = value.strip().partition(" ")
    if unit.endswith("Wh") and "/" in unit:
        return float(number) / UNITS[unit.split("/")[1]]
    if unit == "%":
        return float(number) / 100
    return float(number) * UNITS[unit]
