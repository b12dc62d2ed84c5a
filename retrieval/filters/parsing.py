"""From the text of a filter to the condition that an index evaluates."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fourm.messages import shown
from indexes.conditions import Condition, check_condition
from indexes.errors import BadSearch
from retrieval.errors import UsageError
from retrieval.filters.errors import FilterError
from retrieval.filters.grammar import EXPECTED, GRAMMAR

if TYPE_CHECKING:
    from lark import Lark

LONGEST = 10_000


def read_filter(text: str) -> Condition:
    """Read a filter such as `width >= 1024 and tag in ('beach', 'family')`.

    Raises:
        FilterError: it does not follow the grammar, names an unknown field, compares one with a
            value of another kind, or is too long.
        UsageError: it is not a string.
    """
    if not isinstance(text, str):
        raise UsageError(f"expected a string, got {shown(text)}", where="where")
    if not text.strip():
        raise FilterError("expected a condition, got an empty string", text, 0)
    if len(text) > LONGEST:
        raise FilterError(f"longer than {LONGEST} characters", text, LONGEST)
    condition = _parsed(text)
    try:
        check_condition(condition)
    except BadSearch as error:
        raise FilterError(error.reason, text, 0) from None
    return condition


def _parsed(text: str) -> Condition:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    from retrieval.filters.lowering import Wrong

    try:
        parsed: Any = _parser().parse(text)
    except Wrong as error:
        raise FilterError(error.reason, text, error.position) from None
    except UnexpectedToken as error:
        ends = error.token.type == "$END"
        position = len(text.rstrip()) if ends else int(error.token.start_pos or 0)
        got = "the end" if ends else shown(str(error.token))
        if error.token.type == "NAME" and "TEXT" in error.accepts:
            reason = f"expected a value, got {got}; texts stand in quotes: '{error.token}'"
        else:
            reason = f"expected {_listed(error.accepts)}, got {got}"
        raise FilterError(reason, text, position) from None
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        if text[position] in "'\"":
            raise FilterError("this quote is not closed", text, position) from None
        got = shown(text[position])
        raise FilterError(f"expected {_listed(error.allowed)}, got {got}", text, position) from None
    condition: Condition = parsed
    return condition


def _listed(terminals: Any) -> str:
    names = [name for terminal, name in EXPECTED.items() if terminal in terminals]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nothing"


@lru_cache(maxsize=1)
def _parser() -> Lark:
    # Imported at first use: a search without a filter does not need it.
    from lark import Lark

    from retrieval.filters.lowering import Lowering

    return Lark(GRAMMAR, parser="lalr", transformer=Lowering(), maybe_placeholders=False)
