#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""R10 to R13 on markets that are added up by hand: the liquid reserve, and what
may go on for how long.

1 BTC = 1 ETH = 1 SOL = 1,000,000 TRY and 1 USD = 40 TRY unless said otherwise."""

import datetime

from limits import *
from market import *

begin(__file__)
engine = Engine()
ALL = ((BTC, "TRY", PRICE), (ETH, "TRY", PRICE), (SOL, "TRY", PRICE))
OLD, LARGE = "2015-01-01", "5000000000"


def market(own, reserve, kept=(), reference=(), prices=ALL):
    """PLA with CUA: own and kept [(asset, quantity)], reserve [(kind, asset, currency, quantity)]"""
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA")
    m.balances("PLA", [], prices=prices)
    m.holdings("PLA", [("COLD", "CUSTOMER", a, q) for a, q in own], reserve=reserve)
    m.custody("CUA", [("PLA", a, "COLD", q) for a, q in kept])
    m.reference([USD, *reference])
    return m


def judge(m, *rules, detail=False):
    engine.load(m)
    return lines(engine, engine.run(), *rules, detail=detail)


def crypto(asset, quantity):
    return ("CRYPTO", asset, None, quantity)


def asset(code, cap=LARGE, listed=OLD, **kw):
    return ("reference_asset", (code, cap, listed, kw.get("custody", "ANY"), kw.get("base", "true")))


def weight(kind, code, w):
    return ("reference_weight", (kind, code, w))


# --- R10 ----------------------------------------------------------------------

def three_percent():
    """R10: m.41(3): 3 of 100 is enough, 10^-18 less is not"""
    own = [(BTC, "100")]
    same(judge(market(own, [crypto(BTC, "3")]), "R10"), ["R10 PLA within 3000000/100000000 (0.03) 0.03"])
    # 2.999999999999999999 x 1,000,000; truncated, the ratio is 0.02999999.  30
    # working days after Monday 2025-03-10: Monday 2025-04-21 (m.48(1)).
    same(judge(market(own, [crypto(BTC, "2.999999999999999999")]), "R10", detail=True), [
        "R10 PLA breach 2999999.999999999999/100000000 (0.02999999) 0.03 2025-04-21"
        " ratio 0.02999999 is below the least of 0.03; to be cured by 2025-04-21"])
    same(breaks(engine.result(), "R10"), ["R10 RESERVE_SHORT PLA"])
    m = market(own, [crypto(BTC, "2.999999999999999999")])
    m.parameter("R10.limit", "0.02")
    same(judge(m, "R10"), ["R10 PLA within 2999999.999999999999/100000000 (0.02999999) 0.02"])
    # nothing held asks for nothing; no reserve at all is none
    same(judge(market([], []), "R10"), ["R10 PLA within 0/0 (0) 0.03"])
    same(judge(market(own, []), "R10"), ["R10 PLA breach 0/100000000 (0) 0.03 2025-04-21"])


def cash():
    """R10: deposits and funds at their currency's rate: 10,000 USD + 2.6m TRY are 3m"""
    same(judge(market([(BTC, "100")], [("DEPOSIT", None, "USD", "10000"), ("FUND", None, "TRY", "2600000")]), "R10"),
         ["R10 PLA within 3000000/100000000 (0.03) 0.03"])
    same(judge(market([(BTC, "100")], [("DEPOSIT", None, "EUR", "1")]), "R10", detail=True),
         ["R10 PLA missing -/- (-) 0.03 not judged: no value of 1 items of its reserve"])


def weights():
    """R10: m.41(4): the asset's weight, else its kind's, else 1; the newest counts"""
    reserve = [crypto(BTC, "2"), crypto(ETH, "4"), ("DEPOSIT", None, "TRY", "1000000")]
    # 2 x 0.5 + 4 x 0.25 + 1 x 1 = 3
    w = [weight("CRYPTO", None, "0.5"), weight("CRYPTO", ETH, "0.25")]
    same(judge(market([(BTC, "100")], reserve, reference=w), "R10"), ["R10 PLA within 3000000/100000000 (0.03) 0.03"])
    # the day before's is overruled by the day's, the day after's is not known;
    # 2 x 0.4 + 4 x 0.25 + 1 = 2.8
    m = market([(BTC, "100")], reserve, reference=[weight("CRYPTO", None, "0.4"), weight("CRYPTO", ETH, "0.25")])
    m.reference([weight("CRYPTO", None, "1"), weight("CRYPTO", ETH, "1")], day=BEFORE)
    m.reference([weight("CRYPTO", None, "0"), weight("DEPOSIT", None, "0")], day=AFTER)
    same(judge(m, "R10"), ["R10 PLA breach 2800000/100000000 (0.028) 0.03 2025-04-21"])
    # what counts for nothing needs no price
    m = market([(BTC, "100")], [crypto(BTC, "3"), crypto(ETH, "1")], prices=ALL[:1], reference=[weight("CRYPTO", ETH, "0")])
    same(judge(m, "R10"), ["R10 PLA within 3000000/100000000 (0.03) 0.03"])


def base():
    """R10.base: what the platform itself holds, or with its custodians; m.41(4): assets left out of it"""
    m = market([(BTC, "100"), (ETH, "50")], [crypto(BTC, "3")], [(BTC, "1")], [asset(ETH, base="false")])
    same(judge(m, "R10"), ["R10 PLA within 3000000/100000000 (0.03) 0.03"])
    m.parameter("R10.base", "all")
    # 3 / 101 = 0.029702..
    same(judge(m, "R10"), ["R10 PLA breach 3000000/101000000 (0.02970297) 0.03 2025-04-21"])
    m.reports = [r for r in m.reports if r.type != "CustodyReport"]
    same(judge(m, "R10", detail=True), ["R10 PLA missing -/- (-) 0.03 not judged: no CustodyReport of CUA"])
    m.parameters = []
    same(judge(m, "R10"), ["R10 PLA within 3000000/100000000 (0.03) 0.03"])


# --- R11 ----------------------------------------------------------------------

def twenty_percent():
    """R11: m.42(1): 2 of 10 is 20 %, which may be; 10^-18 more may not; cured by the next 23:59"""
    known = [asset(BTC), asset(ETH), asset(SOL)]
    # BTC 2, ETH 2, and six of SOL, which is above whatever the others are
    m = market([], [crypto(BTC, "2"), crypto(ETH, "2"), crypto(SOL, "6")], reference=known)
    same(judge(m, "R11"), [f"R11 PLA {BTC} within 2000000/10000000 (0.2) 0.2",
                           f"R11 PLA {SOL} breach 6000000/10000000 (0.6) 0.2 2025-03-11",
                           f"R11 PLA {ETH} within 2000000/10000000 (0.2) 0.2"])
    m = market([], [crypto(BTC, "2.000000000000000001"), crypto(ETH, "2"), crypto(SOL, "6")], reference=known)
    same(judge(m, "R11", detail=True)[0],
         f"R11 PLA {BTC} breach 2000000.000000000001/10000000.000000000001 (0.2) 0.2 2025-03-11"
         " ratio 0.2 is above the limit of 0.2; to be cured by 2025-03-11 23:59")
    same(breaks(engine.result(), "R11"), [f"R11 COMPOSITION PLA|{BTC}", f"R11 COMPOSITION PLA|{SOL}"])
    m.parameter("R11.limit", "0.6")
    same(short(engine, (engine.load(m), engine.run())[1], "R11"), [f"R11 PLA {a} within" for a in (BTC, SOL, ETH)])


def small_or_new():
    """R11: m.42(2): 10 % for what is new or small; exactly a year and exactly 5 bn USD are neither"""
    def limit_of(*reference, **parameters):
        # BTC is 1.5 of 10: 15 %, above 10 % and below 20 %
        m = market([], [crypto(BTC, "1.5"), crypto(SOL, "8.5")], reference=[*reference, asset(SOL)])
        for name, value in parameters.items():
            m.parameter("R11." + name, value)
        return judge(m, "R11", detail=True)[0].replace(f"R11 PLA {BTC} ", "").replace("1500000/10000000 (0.15) ", "")
    within, above = "within 0.2 ratio 0.15, the limit is 0.2", "breach 0.1 2025-03-11 ratio 0.15 is above the limit of 0.1; "
    cured = "; to be cured by 2025-03-11 23:59"
    same(limit_of(asset(BTC, "5000000000", "2024-03-10")), within)
    same(limit_of(asset(BTC, "5000000000", "2024-03-11")), above + "listed on 2024-03-11" + cured)
    same(limit_of(asset(BTC, "4999999999.99", "2024-03-10")), above + "its market value is 4999999999.99 USD" + cured)
    same(limit_of(asset(BTC, "5000000000", "2024-03-11"), new_months="11"), within)
    same(limit_of(asset(BTC, "4999999999.99"), small_usd="4999999999.99"), within)
    same(limit_of(asset(BTC, "4999999999.99"), small_limit="0.15"),
         "within 0.15 ratio 0.15, the limit is 0.15; its market value is 4999999999.99 USD")
    # R11.unknown: an asset of which nothing, or not all, was told
    untold = above + "the registry has not told both its listing and its market value" + cured
    for reference in ([], [asset(BTC, None)], [asset(BTC, listed=None)]):
        same(limit_of(*reference), untold)
        same(limit_of(*reference, unknown="large"), within)
    same(limit_of(asset(BTC, None, "2025-01-01"), unknown="large"), above + "listed on 2025-01-01" + cured)
    # what is told anew replaces all that was told: the market value is unknown now
    m = market([], [crypto(BTC, "1.5"), crypto(SOL, "8.5")], reference=[asset(BTC, None), asset(SOL)])
    m.reference([asset(BTC)], day=BEFORE)
    same(short(engine, (engine.load(m), engine.run())[1], "R11")[0], f"R11 PLA {BTC} breach")


def ten_percent():
    """R11: 1 of 10 is exactly 10 % of what is small, which may be"""
    m = market([], [crypto(BTC, "1"), crypto(SOL, "9")], reference=[asset(SOL)])
    same(judge(m, "R11")[0], f"R11 PLA {BTC} within 1000000/10000000 (0.1) 0.1")
    m = market([], [crypto(BTC, "1.000000000000000001"), crypto(SOL, "9")], reference=[asset(SOL)])
    same(judge(m, "R11")[0], f"R11 PLA {BTC} breach 1000000.000000000001/10000000.000000000001 (0.1) 0.1 2025-03-11")


def cash_apart():
    """R11: m.42(3): cash-like items have no limit; R11.cash_in_total: are they in the whole?"""
    # BTC 2 of 4 crypto is half; with 6m in TRY 2 of 10
    m = market([], [crypto(BTC, "2"), crypto(ETH, "2"), ("DEPOSIT", None, "TRY", "5000000"), ("FUND", None, "TRY", "1000000")],
               reference=[asset(BTC), asset(ETH)])
    same(judge(m, "R11"), [f"R11 PLA {a} breach 2000000/4000000 (0.5) 0.2 2025-03-11" for a in (BTC, ETH)])
    m.parameter("R11.cash_in_total", "yes")
    same(judge(m, "R11"), [f"R11 PLA {a} within 2000000/10000000 (0.2) 0.2" for a in (BTC, ETH)])
    # nothing but cash: nothing to judge
    same(judge(market([], [("DEPOSIT", None, "TRY", "1")]), "R11"), [])
    # of a currency without a rate: missing where it is in the whole
    m = market([], [crypto(BTC, "1"), ("DEPOSIT", None, "EUR", "1")], reference=[asset(BTC)])
    same(judge(m, "R11"), [f"R11 PLA {BTC} breach 1000000/1000000 (1) 0.2 2025-03-11"])
    m.parameter("R11.cash_in_total", "yes")
    same(judge(m, "R11"), [f"R11 PLA {BTC} missing -/- (-) 0.2"])


def reserve_price():
    """R10, R11: a price that the reserve needs and the platform does not give is a break"""
    m = market([(BTC, "1")], [crypto(ETH, "1")], [(BTC, "99")], prices=ALL[:1])
    same(judge(m, "R10", "R11", detail=True), [
        "R10 PLA missing -/- (-) 0.03 not judged: no value of 1 items of its reserve",
        f"R11 PLA {ETH} missing -/- (-) 0.1 not judged: no value of an item of its reserve;"
        " the registry has not told both its listing and its market value"])
    same(breaks(engine.result(), "R6"), [f"R6 PRICE_MISSING PRICE_MISSING|PLA|{ETH}"])


def cure_kept():
    """R11: m.42(5): the day to cure by is the first day's next, however long it goes on"""
    m = market([], [crypto(BTC, "1")], reference=[asset(BTC)])
    m.balances("PLA", [], prices=ALL, day=AFTER), m.holdings("PLA", [], [crypto(BTC, "1")], day=AFTER)
    engine.load(m)
    engine.run(DAY)
    same(lines(engine, engine.run(AFTER), "R11"), [f"R11 PLA {BTC} breach 1000000/1000000 (1) 0.2 2025-03-11"])
    # a second run of the first day says what the first did
    same(lines(engine, engine.run(DAY), "R11"), [f"R11 PLA {BTC} breach 1000000/1000000 (1) 0.2 2025-03-11"])


# --- R12 ----------------------------------------------------------------------

def months(over, days, **parameters):
    """a market whose platform is over the limit on the days over, and reports on days"""
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA")
    for d in days:
        m.balances("PLA", [], prices=ALL, day=d)
        m.custody("CUA", [("PLA", BTC, "COLD", "90")], day=d)
        m.holdings("PLA", [("HOT", "CUSTOMER", BTC, "10" if d in over else "4")], day=d)
        m.reference([USD], day=d)
    for name, value in parameters.items():
        m.parameter("R12." + name, value)
    engine.load(m)
    return m, {d: engine.run(d) for d in days}


def third_breach():
    """R12: m.48(2): the second breach of a month is none of it, the third is, and the month's end ends it"""
    days = ["2025-03-03", "2025-03-04", "2025-03-10", "2025-03-20", "2025-03-31", "2025-04-01"]
    m, runs = months(days[:2] + days[3:4], days)
    # 03-20 is the third.  03-31 has none, and the month still has three.
    same([lines(engine, runs[d], "R12") for d in days], [
        ["R12 PLA within 1/1 (1) 2 2025-04-14"],
        # 30 working days from the first day of a breach without a pause: 03-03
        ["R12 PLA within 2/1 (2) 2 2025-04-14"],
        ["R12 PLA within 2/1 (2) 2"],
        # Thursday 03-20 + 6 weeks
        ["R12 PLA breach 3/1 (3) 2 2025-05-01", "R12 PLA CUA breach 3/1 (3) 2 2025-05-01"],
        ["R12 PLA breach 3/1 (3) 2", "R12 PLA CUA breach 3/1 (3) 2"],
        ["R12 PLA within 0/1 (0) 2"]])
    f, = runs["2025-03-20"].found("R12")
    same([f.kind, f.key, f.platform, f.custodian, f.platform_quantity, f.detail],
         ["REPEATED_BREACH", "PLA", "PLA", None, Decimal(3),
          "3 days of the month with a breach of the custody limits, 2 is the most: 2025-03-03, 2025-03-04, 2025-03-20"])
    same([f.status for f in runs["2025-04-01"].findings if f.rule == "R12"], ["cured"])
    same(engine.value("SELECT occurrences FROM muhur.limit_result l JOIN muhur.reconcile_run r ON r.no = l.run"
                      " WHERE rule = 'R12' AND custodian = 'CUA' AND business_date = '2025-03-20'"), 3)


def most():
    """R12.breaches 1: the second breach is more"""
    days = ["2025-03-03", "2025-03-04"]
    m, runs = months(days, days, breaches="1")
    same([short(engine, runs[d], "R12")[0] for d in days], ["R12 PLA within", "R12 PLA breach"])


def rolling():
    """R12.month: of the calendar, or the days after the same day of the month before"""
    # On 03-10 the rolling month begins on 02-11; on 03-11 on 02-12.
    days = ["2025-02-10", "2025-02-11", "2025-03-01", "2025-03-10", "2025-03-11"]
    m, runs = months(days[:4], days)
    same([short(engine, runs[d], "R12")[0] for d in days[3:]], ["R12 PLA within", "R12 PLA within"])
    m, runs = months(days[:4], days, month="rolling")
    # 03-10: 02-11, 03-01, 03-10; 03-11: 03-01, 03-10
    same([lines(engine, runs[d], "R12")[0] for d in days[3:]],
         # 03-10: a breach without a pause between runs since 02-10: Monday + 6 weeks
         ["R12 PLA breach 3/1 (3) 2 2025-03-24", "R12 PLA within 2/1 (2) 2"])


def newest_runs():
    """R12: a day counts as its newest run has it; breaches of a moment and of R8 count, once a day"""
    days = ["2025-03-03", "2025-03-04", "2025-03-05"]
    m, runs = months(days, days[:2])
    m.custodian("CUB"), m.contract("PLA", "CUB", valid_from="2025-03-04")
    # 03-05: 4 of 94 at 23:59, all right, and 11 of 101 at noon
    m.balances("PLA", [], prices=ALL, day=days[2]), m.custody("CUA", [("PLA", BTC, "COLD", "90")], day=days[2])
    m.holdings("PLA", [("HOT", "CUSTOMER", BTC, "4")] +
               [("HOT", "CUSTOMER", BTC, "11", f"{days[2]}T{h}:00Z") for h in ("10", "11")], day=days[2])
    for d in days[1:]:
        m.custody("CUB", [], day=d)
    engine.load(m)
    for d in days:
        run = engine.run(d)
    same(short(engine, run, "R12")[0], "R12 PLA breach")
    # the first day is corrected: 4 of 94
    engine.execute("UPDATE muhur.wallet SET quantity = 4 WHERE business_date = '2025-03-03'")
    engine.run(days[0])
    same(lines(engine, engine.run(days[2]), "R12")[0][:24], "R12 PLA within 2/1 (2) 2")


def cure_days():
    """R12.cure_days and the calendar: holidays do not count, working Saturdays do"""
    def said(reference=(), **parameters):
        m = market([(BTC, "10")], [crypto(BTC, "10")], [(BTC, "90")], reference)
        for day, rows in (("2025-03-09", [("reference_day", ("2025-03-12", "HOLIDAY"))]), (AFTER, [("reference_day", ("2025-03-11", "HOLIDAY"))])):
            if reference:
                m.reference(rows, day=day)
        for name, value in parameters.items():
            m.parameter("R12." + name, value)
        return judge(m, "R6")[0][-10:]
    same(said(cure_days="1"), "2025-03-11")
    same(said(cure_days="5"), "2025-03-17")         # Tue to Fri, Mon
    # Friday is a holiday, Saturday is worked, and Wednesday, a holiday as told
    # before, is none any more; what is told on the day after is not known:
    # Tue 11, Wed 12, Thu 13, Sat 15, Mon 17
    changed = [("reference_day", ("2025-03-14", "HOLIDAY")), ("reference_day", ("2025-03-15", "WORKDAY")),
               ("reference_day", ("2025-03-12", "WORKDAY"))]
    same(said(changed, cure_days="4"), "2025-03-15")
    same(said(changed, cure_days="5"), "2025-03-17")
    same(said(changed[:2], cure_days="4"), "2025-03-17")    # 12 still a holiday: 11, 13, 15, 17
    same(said(cure_days="0"), DAY)


# --- R13 ----------------------------------------------------------------------

def half_year(days, held=lambda d: "1", reports=lambda d: True, custody=lambda d: None, first=("NONE",), **parameters):
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA", valid_from="2024-01-01")
    for n, d in enumerate(days):
        m.balances("PLA", [], prices=ALL, day=d)
        if reports(d):
            m.holdings("PLA", [("COLD", "CUSTOMER", SOL, held(d))], day=d)
        if n == 0 or custody(d) is not None:
            m.reference([asset(SOL, custody=first[0] if n == 0 else custody(d))], day=d)
    for name, value in parameters.items():
        m.parameter("R13." + name, value)
    engine.load(m)
    return [(lines(engine, run, "R13"), breaks(run, "R13")) for run in map(engine.run, days)]


def six_months():
    """R13: m.17(2): exactly six months may be, a day more may not"""
    days = ["2024-09-10", "2024-12-01", "2025-03-10", "2025-03-11"]
    # 2024-09-10 + 6 months = 2025-03-10: 20 + 31 + 30 + 31 + 31 + 28 + 10 = 181 days
    # Sep 10 to Dec 1: 20 + 31 + 30 + 1 = 82
    same(half_year(days), [
        ([f"R13 PLA {SOL} within 0/181 (0) 1 2025-03-10"], []),
        ([f"R13 PLA {SOL} within 82/181 (0.45303867) 1 2025-03-10"], []),
        ([f"R13 PLA {SOL} within 181/181 (1) 1 2025-03-10"], []),
        ([f"R13 PLA {SOL} breach 182/181 (1.00552486) 1 2025-03-10"], [f"R13 UNCUSTODIED PLA|{SOL}"])])
    same([f.detail for f in engine.result("2025-03-11").found("R13")],
         ["kept since 2024-09-10, allowed until 2025-03-10"])
    # R13.months 7: until 2025-04-10
    same(half_year(days, months="7")[-1], ([f"R13 PLA {SOL} within 182/212 (0.85849056) 1 2025-04-10"], []))


def pauses():
    """R13: a day without any of it begins anew, one without a report does not; nor does a second run of a day"""
    days = ["2024-09-10", "2024-09-11", "2024-09-12", "2025-03-11"]
    gone = half_year(days, held=lambda d: "0" if d == days[1] else "1")
    same(gone[1:], [([], []), ([f"R13 PLA {SOL} within 0/181 (0) 1 2025-03-12"], []),
                    ([f"R13 PLA {SOL} within 180/181 (0.99447513) 1 2025-03-12"], [])])
    missing = half_year(days, reports=lambda d: d != days[1])
    same(missing[1:], [([f"R13 PLA {SOL} missing -/- (-) 1 2025-03-10"], []),
                       ([f"R13 PLA {SOL} within 2/181 (0.01104972) 1 2025-03-10"], []),
                       ([f"R13 PLA {SOL} breach 182/181 (1.00552486) 1 2025-03-10"], [f"R13 UNCUSTODIED PLA|{SOL}"])])
    # A day run again carries from the day before it, not from its own first run:
    # a wrong 0 on the 11th begins the 12th anew, and once corrected it does not.
    days, since = days[:3], "SELECT since::text FROM muhur.platform_asset_since ORDER BY run DESC LIMIT 1"
    half_year(days)
    for quantity, want in (("0", days[2]), ("1", days[0])):
        engine.execute(f"UPDATE muhur.wallet SET quantity = {quantity} WHERE business_date = '{days[1]}'")
        engine.run(days[1]), engine.run(days[2])
        same(engine.value(since), want)


def held_elsewhere():
    """R13: an asset that can be kept at a custodian is none of it, and begins anew when it cannot"""
    days = ["2024-09-10", "2024-09-11", "2024-09-12"]
    said = half_year(days, custody=lambda d: {"2024-09-11": "ANY", "2024-09-12": "NONE"}.get(d))
    same([x for x, _ in said], [[f"R13 PLA {SOL} within 0/181 (0) 1 2025-03-10"], [],
                                [f"R13 PLA {SOL} within 0/181 (0) 1 2025-03-12"]])
    same(half_year(days, first=("ANY",)), [([], [])] * 3)


def long_history():
    """R12, R13: the rows read on day 100 are those of day 2 (one run before, one month)"""
    first = datetime.date(2024, 12, 1)
    days = [str(first + datetime.timedelta(n)) for n in range(100)]
    half_year(days)
    since = engine.rows("SELECT count(*) AS n, max(since)::text AS last FROM muhur.platform_asset_since")
    same(since, [{"n": 100, "last": "2024-12-01"}])


main([three_percent, cash, weights, base, twenty_percent, small_or_new, ten_percent, cash_apart, reserve_price, cure_kept,
      third_breach, most, rolling, newest_runs, cure_days, six_months, pauses, held_elsewhere, long_history], engine)
