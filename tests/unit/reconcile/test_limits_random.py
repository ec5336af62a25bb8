#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""R6 to R13 on random markets against recompute_limits.py: every row, every
figure, every day to cure by, in whatever order the reports arrive."""

import math
import random

from decimal import localcontext

from market import *
from recompute_limits import *

begin(__file__)
engine = Engine()
DAYS = ["2025-02-27", "2025-02-28", "2025-03-01", "2025-03-03", "2025-03-04"]
ASSETS = [BTC, ETH, SOL, "T9VQ7XZ2K"]
CHOICES = {
    "R6.intraday_custody": ["closing", "opening"], "R7.in_denominator": ["no", "yes"],
    "R8.split": ["asset", "total", "whole"], "R9.full": ["all", "any"], "R10.base": ["platform", "all"],
    "R11.unknown": ["small", "large"], "R11.cash_in_total": ["no", "yes"], "R12.month": ["calendar", "rolling"],
    "R12.breaches": ["1", "2", "3"], "R12.cure_days": ["30", "3"], "R13.months": ["6", "0"],
    "rate.day": ["same", "previous"], "rate.max_age": ["10", "1"], "R7.share": ["0.10", "0.02"],
    "R11.new_months": ["12", "1"]}


def quantity(r, most):
    """a round number, one next to it, or one of all digits"""
    q = r.randint(0, most)
    return r.choice([str(q), str(q), f"{q}.000000000000000001", f"{q}.{r.randrange(10 ** 18):018}"])


def random_market(r):
    m = Market()
    platforms, custodians = ["PLA", "PLB", "PLC"][:r.randint(1, 3)], ["CUA", "CUB", "CUC"][:r.randint(1, 3)]
    for p in platforms:
        m.platform(p)
    for c in custodians:
        m.custodian(c)
    for p in platforms:
        for c in custodians:
            if r.random() < 0.7:
                m.contract(p, c, full_custody=r.random() < 0.5, valid_from=r.choice(["2025-01-01", DAYS[2]]))
    for name, values in CHOICES.items():
        if r.random() < 0.5:
            m.parameter(name, r.choice(values), valid_from=r.choice(["2000-01-02", DAYS[1]]))
    for day in [str(date(DAYS[0]) - datetime.timedelta(1))] + DAYS:
        random_day(r, m, day, platforms, custodians)
    return m


def random_day(r, m, day, platforms, custodians):
    def often(n=20):
        return r.randrange(n) > 0
    for p in platforms:
        if often():
            prices = [(a, r.choice(["TRY", "TRY", "USD", "EUR"]), r.choice(["1000000", "25000", "3", "0.7"]))
                      for a in ASSETS if often()]
            m.balances(p, [], prices=prices, day=day)
            if r.random() < 0.1:
                m.balances(p, [], prices=prices[:1], day=day, sequence=2)
        if often():
            wallets = [(r.choice(["HOT", "COLD"]), r.choice(["CUSTOMER"] * 4 + ["HOUSE"]), a, quantity(r, 6))
                       for a in ASSETS if r.random() < 0.7]
            wallets += [("HOT", "CUSTOMER", a, quantity(r, 9), f"{day}T0{h}:00:00Z")
                        for h in range(r.randint(0, 2)) for a in ASSETS[:r.randint(1, 3)]]
            reserve = [("CRYPTO", a, None, quantity(r, 3)) for a in ASSETS if r.random() < 0.5]
            reserve += [(r.choice(["DEPOSIT", "FUND"]), None, c, quantity(r, 90000)) for c in ("TRY", "USD", "EUR")
                        if r.random() < 0.4]
            m.holdings(p, wallets, reserve, day=day)
    for c in custodians:
        if often():
            m.custody(c, [(p, a, w, quantity(r, 99 if w == "COLD" else 6), r.choice(["0", "0", "0.5"]))
                          for p in platforms + ["PLX"] for a in ASSETS for w in ("HOT", "COLD") if r.random() < 0.6],
                      [("1000000001", "D1", a, w, quantity(r, 9)) for a in ASSETS for w in ("HOT", "COLD")
                       if r.random() < 0.2], day=day)
    if often(6):
        records = [("reference_rate", (c, r.choice(["40", "41.37"]))) for c in ("USD", "EUR") if often()]
        records += [("reference_asset", (a, r.choice([None, "5000000000", "4999999999"]),
                                         r.choice([None, "2024-02-28", "2024-03-03", "2010-01-01"]),
                                         r.choice(["ANY", "NONE"] if a == SOL else ["ANY", "ANY", "NONE"]),
                                         r.choice(["true", "true", "false"]))) for a in ASSETS if r.random() < 0.4]
        records += [("reference_weight", (kind, a, r.choice(["0", "0.5", "1"])))
                    for kind, a in (("CRYPTO", None), ("CRYPTO", BTC), ("FUND", None)) if r.random() < 0.3]
        records += [("reference_day", (f"2025-03-{r.randint(4, 30):02}", r.choice(["HOLIDAY", "WORKDAY"])))]
        m.reference(records, day=day, sequence=r.randint(1, 2))


def decimal(x, places):
    """truncated, and at most what 20 integer digits hold; None stays"""
    return None if x is None else min(Decimal(math.trunc(x * 10 ** places)).scaleb(-places),
                                      Decimal("99999999999999999999.999999999999999999"))


def as_rows(made):
    for (rule, p, c, a, at), (status, n, d, threshold, by, times) in made.items():
        ratio = None if n is None else F(0) if d == n == 0 else None if d == 0 else n / d
        yield (rule, p, c, a, at and at[11:16], status, decimal(n, 18), decimal(d, 18), decimal(ratio, 8),
               decimal(threshold, 18), by and str(by), times)


def stored(run):
    for r in engine.rows("SELECT rule, platform, custodian, asset, to_char(at AT TIME ZONE 'UTC', 'HH24:MI') AS at,"
                         " status, numerator::text, denominator::text, ratio::text, threshold::text, cure_by::text,"
                         f" occurrences FROM muhur.limit_result WHERE run = {run.no}"):
        yield tuple(Decimal(v) if k in ("numerator", "denominator", "ratio", "threshold") and v is not None else v
                    for k, v in r.items())


def ordered(rows):
    return sorted(rows, key=lambda row: [str(x) for x in row[:5]])


seen = {}


def market_of(seed):
    def test():
        r = random.Random(seed)
        m = random_market(r)
        with localcontext() as context:
            context.prec = 80
            second = Recompute(m)
            engine.load(m, r)
            for day in DAYS:
                got, want = ordered(stored(engine.run(day))), ordered(as_rows(second.day(day)))
                for row in want:
                    seen[row[0], row[5]] = seen.get((row[0], row[5]), 0) + 1
                if got != want:
                    raise AssertionError(f"{day}\n" + "\n".join(
                        [f"run       {x}" for x in got if x not in want] + [f"recompute {x}" for x in want if x not in got]))
    test.__doc__ = f"random market {seed}"
    return test


def all_seen():
    """every rule was within, in breach and missing somewhere among them, as far as it can be"""
    same(sorted(seen), sorted({(f"R{n}", s) for n in range(6, 14) for s in ("within", "breach", "missing")}
                              - {("R7", "breach"), ("R12", "missing")}))


main([market_of(seed) for seed in range(1, 21)] + [all_seen], engine)
