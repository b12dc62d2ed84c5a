"""The grammar of filters, for the LALR parser of lark."""

from __future__ import annotations

GRAMMAR = r"""
?start: either

?either: both ("or"i both)*       -> any_of
?both: one ("and"i one)*          -> all_of
?one: "not"i one                  -> negation
    | "(" either ")"
    | NAME OPERATOR value         -> compare
    | NAME negated "in"i values                        -> one_of
    | NAME negated "like"i TEXT                        -> like
    | NAME negated "between"i value "and"i value       -> between
    | NAME "is"i negated "null"i                       -> unknown
    | NEAR "(" number "," number "," number ")"        -> near

negated: NOT?
values: "(" value ("," value)* ")"
?value: TEXT | DATE | number
number: NUMBER UNIT?

NOT: "not"i
NEAR.3: /near(?=\s*\()/i
OPERATOR: "<=" | ">=" | "!=" | "<>" | "==" | "=" | "<" | ">"
TEXT: /'(?:[^']|'')*'|"(?:[^"]|"")*"/
DATE.2: /\d{4}-\d{1,2}(?:-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?)?(?![\w-])/
NUMBER: /[+-]?(?:\d+(?:\.\d*)?|\.\d+)/
NAME: /[a-z_][a-z_0-9]*/i
UNIT: /(?:[kmgt]i?b|b|km|mi|m)(?!\w)/i

%ignore /\s+/
"""

EXPECTED = {
    "NAME": "a field",
    "OPERATOR": "an operator such as = or >=",
    "TEXT": "a text in quotes",
    "DATE": "a date",
    "NUMBER": "a number",
    "UNIT": "a unit",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "a comma",
    "NEAR": "near(...)",
    "IN": "'in'",
    "LIKE": "'like'",
    "BETWEEN": "'between'",
    "IS": "'is'",
    "NULL": "'null'",
    "NOT": "'not'",
    "AND": "'and'",
    "OR": "'or'",
    "$END": "the end",
}
"""Terminal -> what it is called in messages, in this order."""
