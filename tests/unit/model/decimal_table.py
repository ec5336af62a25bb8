#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes decimal_table.h: pairs of quantities with what Python's decimal
module makes of them.  Usage: decimal_table.py > decimal_table.h"""
import decimal
import random

decimal.getcontext().prec = 80
LIMIT = decimal.Decimal(10) ** 20


def canonical(d):
    if d == 0:
        return "0"
    s = f"{d:f}"
    if "." in s:
        s = s.rstrip("0").rstrip(".")
    return s


def text(rng):
    i = rng.choice([1, 1, 2, 5, 10, 19, 20, 20])
    f = rng.choice([0, 0, 1, 6, 8, 17, 18, 18])
    s = "".join(rng.choice("0123456789") for _ in range(i))
    if rng.random() < 0.2:
        s = rng.choice("09") * i
    if f:
        t = rng.choice("0123456789") if rng.random() < 0.2 else ""
        s += "." + (t * f if t else "".join(rng.choice("0123456789") for _ in range(f)))
    return ("-" if rng.random() < 0.4 else "") + s


def field(d):
    return f'"{canonical(d)}"' if abs(d) < LIMIT else "NULL"


rng = random.Random(35)
print("/* SPDX-License-Identifier: ISC */")
print("/* Made by decimal_table.py: a, b, a in shortest form, a + b, a - b (NULL: too")
print(" * large), sign of a - b. */")
for _ in range(120):
    a, b = text(rng), text(rng)
    if rng.random() < 0.1:
        b = a
    x, y = decimal.Decimal(a), decimal.Decimal(b)
    print(f'{{ "{a}", "{b}",\n    {field(x)}, {field(x + y)},\n    {field(x - y)}, {(x > y) - (x < y)} }},')
