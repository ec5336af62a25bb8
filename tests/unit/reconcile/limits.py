# SPDX-License-Identifier: ISC
"""The limits' results as lines, for tests of R6 to R13."""

from market import DAY

# Prices and rates of these markets: 1 BTC = 1,000,000 TRY, 1 USD = 40 TRY, so
# that m.41(5)'s 100,000 USD are 4,000,000 TRY, or 4 BTC.
PRICE, USD = "1000000", ("reference_rate", ("USD", "40"))


def lines(engine, run, *rules, detail=False):
    """rule [parties and asset] [moment] status numerator/denominator (ratio) limit; amounts in TRY"""
    shown = ("concat_ws(' ', rule, platform, custodian, asset, to_char(at AT TIME ZONE 'UTC', 'HH24:MI'), status,"
             " coalesce(trim_scale(numerator)::text, '-') || '/' || coalesce(trim_scale(denominator)::text, '-'),"
             " '(' || coalesce(trim_scale(ratio)::text, '-') || ')', trim_scale(threshold), cure_by"
             + (", detail)" if detail else ")"))
    return engine.column(f"SELECT {shown} FROM muhur.limit_result WHERE run = {run.no} AND rule IN ("
                         + ", ".join(f"'{r}'" for r in rules) + ") ORDER BY no")


def short(engine, run, *rules):
    """lines() without amounts: rule [parties and asset] [moment] status"""
    return engine.column("SELECT concat_ws(' ', rule, platform, custodian, asset,"
                         " to_char(at AT TIME ZONE 'UTC', 'HH24:MI'), status) FROM muhur.limit_result"
                         f" WHERE run = {run.no} AND rule IN (" + ", ".join(f"'{r}'" for r in rules) + ") ORDER BY no")


def breaks(run, *rules):
    """rule kind key of what is found"""
    return [f"{f.rule} {f.kind} {f.key}" for f in run.found(*rules)]
