#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""R6 to R9 on markets that are added up by hand: what may be kept where.

1 BTC = 1,000,000 TRY and 1 USD = 40 TRY unless said otherwise: 100,000 USD are
4 BTC.  Amounts below are in millions of TRY (m) where not written out."""

from limits import *
from market import *

begin(__file__)
engine = Engine()


def market(own, kept, contracts=("CUA",), prices=((BTC, "TRY", PRICE),), reserve=(), hot="COLD", moments=()):
    """PLA: own {asset: quantity}, kept {custodian: {asset: quantity}}; moments: (time, asset, quantity)"""
    m = Market()
    m.platform("PLA")
    for c in contracts:
        m.custodian(c)
        m.contract("PLA", c)
        m.custody(c, [("PLA", a, hot, q) for a, q in kept.get(c, {}).items()])
    m.balances("PLA", [], prices=prices)
    m.holdings("PLA", [("COLD", "CUSTOMER", a, q) for a, q in own.items()] +
               [("COLD", "CUSTOMER", a, q, f"{DAY}T{t}Z") for t, a, q in moments], reserve=reserve)
    m.reference([USD])
    return m


def judge(m, *rules, detail=False):
    engine.load(m)
    return lines(engine, engine.run(), *rules, detail=detail)


# --- R6 -----------------------------------------------------------------------

def at_five():
    """R6: m.41(1): 5 of 5 + 95 BTC is 5 %, which may be; 10^-18 BTC more may not"""
    # 5m / 100m = 0.05.  The first day of the breach is 2025-03-10, a Monday; 30
    # working days after it (m.48(1)): 6 weeks of 5 days, Monday 2025-04-21.
    same(judge(market({BTC: "5"}, {"CUA": {BTC: "95"}}), "R6"),
         ["R6 PLA within 5000000/100000000 (0.05) 0.05"])
    # 5.000000000000000001 x 1,000,000 = 5,000,000.000000000001; over all, which
    # has as much more, that is 0.05 + some 9.5 x 10^-21: not seen in 8 places.
    m = market({BTC: "5.000000000000000001"}, {"CUA": {BTC: "95"}})
    same(judge(m, "R6"),
         ["R6 PLA breach 5000000.000000000001/100000000.000000000001 (0.05) 0.05 2025-04-21"])
    f, = engine.result().found("R6")
    same([f.kind, f.key, f.platform, f.custodian, f.asset, f.platform_quantity, f.custodian_quantity, f.difference],
         ["LIMIT_BREACH", "PLA", "PLA", None, None, Decimal("5000000.000000000001"),
          Decimal("100000000.000000000001"), None])
    same(f.detail, "ratio 0.05 is above the limit of 0.05; to be cured by 2025-04-21")
    # R6.limit 6 %: 5 % is below, and 6 % + something is not.
    m.parameter("R6.limit", "0.06")
    same(judge(m, "R6"), ["R6 PLA within 5000000.000000000001/100000000.000000000001 (0.05) 0.06"])


def summed():
    """R6: m.41(2): by the sum of values, not asset by asset; house assets are apart"""
    # BTC: 10 of 20 is half; with ETH at 0.1m, 2,000 of them at the custodian:
    # 10m / (10m + 10m + 200m) = 1/22 = 0.0454545...
    prices = ((BTC, "TRY", PRICE), (ETH, "TRY", "100000"))
    m = market({BTC: "10"}, {"CUA": {BTC: "10", ETH: "2000"}}, prices=prices)
    m.holdings("PLA", [("HOT", "HOUSE", BTC, "500")])
    same(judge(m, "R6"), ["R6 PLA within 10000000/220000000 (0.04545454) 0.05"])


def no_custodian():
    """R6: a platform that keeps all by itself is at 100 %, one that has nothing at 0"""
    m = market({BTC: "5"}, {}, contracts=())
    m.platform("PLB"), m.custodian("CUA"), m.contract("PLB", "CUA")
    m.balances("PLB", []), m.holdings("PLB", []), m.custody("CUA", [])
    same(judge(m, "R6"), ["R6 PLA breach 5000000/5000000 (1) 0.05 2025-04-21",
                          "R6 PLB within 0/0 (0) 0.05"])


def without_contract():
    """R6: what is kept without a contract (m.26) is not at a custodian in the sense of m.41(1)"""
    # 5m / (5m + 95m) with CUB's 5 BTC left out, not 5m / 105m.
    m = market({BTC: "5"}, {"CUA": {BTC: "95"}})
    m.custodian("CUB"), m.custody("CUB", [("PLA", BTC, "COLD", "5")])
    same(judge(m, "R6"), ["R6 PLA within 5000000/100000000 (0.05) 0.05"])


def moments():
    """R6: m.41(2): 10 % within the day, each moment by itself, one break"""
    # The closing is 5 of 100.  10 of 10 + 95 is below, 10.5555... is the 10 % of
    # 95 / 0.9: 10.6 / 105.6 = 0.100378.. is above, 11 / 106 = 0.103773.. more so.
    m = market({BTC: "5"}, {"CUA": {BTC: "95"}},
               moments=[("08:00", BTC, "10"), ("09:00", BTC, "10.6"), ("10:00", BTC, "11"), ("11:00", BTC, "10.7")])
    same(judge(m, "R6"), [
        "R6 PLA within 5000000/100000000 (0.05) 0.05",
        "R6 PLA 08:00 within 10000000/105000000 (0.09523809) 0.1",
        "R6 PLA 09:00 breach 10600000/105600000 (0.10037878) 0.1 2025-04-21",
        "R6 PLA 10:00 breach 11000000/106000000 (0.10377358) 0.1 2025-04-21",
        "R6 PLA 11:00 breach 10700000/105700000 (0.10122989) 0.1 2025-04-21"])
    f, = engine.result().found("R6")
    same([f.kind, f.key, f.platform_quantity], ["INTRADAY_BREACH", "INTRADAY|PLA", Decimal(11000000)])
    same(f.detail, f"at {DAY}T10:00:00Z, the highest of 3: ratio 0.10377358 is above the limit of 0.1;"
         " to be cured by 2025-04-21")
    # 10 of 10 + 90 are exactly 10 %; R6.intraday_limit 9 % does not allow them
    m = market({BTC: "4"}, {"CUA": {BTC: "90"}}, moments=[("08:00", BTC, "10")])
    same(judge(m, "R6")[1:], ["R6 PLA 08:00 within 10000000/100000000 (0.1) 0.1"])
    m.parameter("R6.intraday_limit", "0.09")
    same(judge(m, "R6")[1:], ["R6 PLA 08:00 breach 10000000/100000000 (0.1) 0.09 2025-04-21"])


def opening():
    """R6.intraday_custody: what custodians had at the closing of the day, or of the day before"""
    # Closing 95: 10 / 105.  Opening 85: 10 / 95 = 0.1052..
    m = market({BTC: "5"}, {"CUA": {BTC: "95"}}, moments=[("08:00", BTC, "10")])
    m.custody("CUA", [("PLA", BTC, "COLD", "80"), ("PLA", BTC, "HOT", "5")], day=BEFORE)
    same(judge(m, "R6")[1:], ["R6 PLA 08:00 within 10000000/105000000 (0.09523809) 0.1"])
    m.parameter("R6.intraday_custody", "opening")
    same(judge(m, "R6")[1:], ["R6 PLA 08:00 breach 10000000/95000000 (0.10526315) 0.1 2025-04-21"])
    # and without the report of the day before
    m = market({BTC: "5"}, {"CUA": {BTC: "95"}}, moments=[("08:00", BTC, "10")])
    m.parameter("R6.intraday_custody", "opening")
    same(judge(m, "R6", detail=True), [
        "R6 PLA within 5000000/100000000 (0.05) 0.05 ratio 0.05, the limit is 0.05",
        "R6 PLA 08:00 missing -/- (-) 0.1 not judged: no CustodyReport of the day before of CUA"])


def incomplete():
    """R6: not judged without the platform's reports, the closing's wallets, and every custodian's"""
    def said(leave_out, intraday_only=False):
        m = market({BTC: "5"}, {"CUA": {BTC: "95"}, "CUB": {}}, contracts=("CUA", "CUB"))
        m.reports = [r for r in m.reports if (r.member, r.type) not in leave_out]
        if intraday_only:
            m.holdings("PLA", [("HOT", "CUSTOMER", BTC, "1", f"{DAY}T08:00Z")])
        return judge(m, "R6", detail=True)
    no = "R6 PLA missing -/- (-) 0.05 not judged: "
    same(said([("PLA", "HoldingReport")]), [no + "no HoldingReport"])
    same(said([("PLA", "BalanceReport")]), [no + "no BalanceReport, which has the prices"])
    same(said([("CUB", "CustodyReport")]), [no + "no CustodyReport of CUB"])
    same(said([("CUA", "CustodyReport"), ("CUB", "CustodyReport")]), [no + "no CustodyReport of CUA, CUB"])
    same(said([("MKK", "ReferenceData")]), [no + "no USD rate"])
    same(said([("PLA", "HoldingReport")], intraday_only=True)[0], no + "no HoldingReport of the closing")


def goes_on():
    """a breach that cannot be judged goes on, with its first day; it is cured where it is judged again"""
    # within the day 11 / 105 = 0.1047..
    m = market({BTC: "6"}, {"CUA": {BTC: "94"}}, moments=[("08:00", BTC, "11")])
    m.balances("PLA", [], prices=[(BTC, "TRY", PRICE)], day=AFTER)
    m.custody("CUA", [("PLA", BTC, "COLD", "94")], day=AFTER)
    third = "2025-03-12"
    m.balances("PLA", [], prices=[(BTC, "TRY", PRICE)], day=third)
    m.custody("CUA", [("PLA", BTC, "COLD", "94")], day=third)
    m.holdings("PLA", [("HOT", "CUSTOMER", BTC, "6")], day=third)
    fourth = "2025-03-13"
    m.balances("PLA", [], prices=[(BTC, "TRY", PRICE)], day=fourth)
    m.custody("CUA", [("PLA", BTC, "COLD", "96")], day=fourth)
    m.holdings("PLA", [("HOT", "CUSTOMER", BTC, "4")], day=fourth)
    engine.load(m)
    engine.run(DAY)
    found = engine.run(AFTER).found("R6")
    same([f.kind for f in found], ["INTRADAY_BREACH", "LIMIT_BREACH"])
    same([(f.status, f.platform_quantity, f.detail) for f in found],
         2 * [("continuing", None, "not judged: no HoldingReport; it stood when last judged")])
    # still 30 working days from 2025-03-10
    # (the third day's report tells of no moment within it)
    same(lines(engine, engine.run(third), "R6"), ["R6 PLA breach 6000000/100000000 (0.06) 0.05 2025-04-21"])
    same([(f.kind, f.status) for f in engine.result(third).findings if f.rule == "R6"],
         [("INTRADAY_BREACH", "cured"), ("LIMIT_BREACH", "continuing")])
    same([f.status for f in engine.run(fourth).findings if f.rule == "R6"], ["cured"])


def prices():
    """R6: a price that is missing is a break, and the ratio that needs it is missing"""
    # ETH is kept by CUA and SOL in the platform's wallets, neither has a price;
    # of what is not there none is needed.
    m = market({BTC: "5", SOL: "1"}, {"CUA": {BTC: "95", ETH: "1"}})
    m.custody("CUA", [("PLA", "ZZZ4RW0X1", "COLD", "0")])
    same(judge(m, "R6", detail=True), ["R6 PLA missing -/- (-) 0.05 not judged: no price of 2 of its assets"])
    run = engine.result()
    same(breaks(run, "R6"), [f"R6 PRICE_MISSING PRICE_MISSING|PLA|{SOL}", f"R6 PRICE_MISSING PRICE_MISSING|PLA|{ETH}"])
    same({f.detail for f in run.found("R6")},
         {"held, and the platform gives no price of it; the ratios that need it are not judged"})
    # in a currency without a rate it is none either; the last one told counts
    m = market({BTC: "5"}, {"CUA": {BTC: "95"}}, prices=((BTC, "TRY", "7"), (BTC, "EUR", "20000")))
    same(judge(m, "R6", detail=True), ["R6 PLA missing -/- (-) 0.05 not judged: no price of 1 of its assets"])
    same([f.detail for f in engine.result().found("R6")],
         ["held, and its price is in EUR, of which there is no rate; the ratios that need it are not judged"])
    # 20,000 EUR x 50 = 1,000,000 TRY
    m.reference([("reference_rate", ("EUR", "50"))])
    same(judge(m, "R6"), ["R6 PLA within 5000000/100000000 (0.05) 0.05"])
    # a later sequence replaces it: 10,000 EUR
    m.balances("PLA", [], prices=((BTC, "EUR", "10000"),), sequence=2)
    # 5 BTC are 2.5m TRY, 62,500 USD: small (R7), 5 % of all: left out
    same(judge(m, "R6"), ["R6 PLA within 0/47500000 (0) 0.05"])


def rates():
    """rate.day: the rate of the day or of the day before; rate.max_age: how old one may be"""
    # 5 BTC at 25,000 USD: with 40 TRY 5m, with 20 TRY 2.5m; either way 125,000 USD.
    def said(rows, **parameters):
        m = market({BTC: "5"}, {"CUA": {BTC: "95"}}, prices=((BTC, "USD", "25000"),))
        m.reports = [r for r in m.reports if r.type != "ReferenceData"]
        for day, rate, kw in rows:
            m.reference([("reference_rate", ("USD", rate))], day=day, **kw)
        for name, value in parameters.items():
            m.parameter("rate." + name, value)
        return judge(m, "R6")
    at40, at20 = ["R6 PLA within 5000000/100000000 (0.05) 0.05"], ["R6 PLA within 2500000/50000000 (0.05) 0.05"]
    none = ["R6 PLA missing -/- (-) 0.05"]
    both = [(DAY, "40", {}), (BEFORE, "20", {})]
    same(said(both), at40)
    same(said(both, day="previous"), at20)
    same(said([(DAY, "40", {})], day="previous"), none)
    # the day after is not known yet; the newest by sequence of a day counts, and
    # what is not in effect does not
    same(said([(AFTER, "20", {}), (DAY, "20", {}), (DAY, "40", {"sequence": 2})]), at40)
    same(said([(DAY, "40", {}), (DAY, "20", {"sequence": 2, "state": "replaced"})]), at40)
    # ten days before 2025-03-10 is 02-28
    same(said([("2025-02-28", "40", {})]), at40)
    same(said([("2025-02-27", "40", {})]), none)
    same(said([("2025-02-28", "40", {})], max_age="9"), none)
    # the day before's: ten days before 03-09 is 02-27
    same(said([("2025-02-27", "40", {})], day="previous"), at40)


# --- R7 -----------------------------------------------------------------------

def two(btc, eth, kept):
    """own BTC and ETH, both at 1,000,000 TRY; kept: BTC at CUA"""
    return market({BTC: btc, ETH: eth}, {"CUA": {BTC: kept}}, prices=((BTC, "TRY", PRICE), (ETH, "TRY", PRICE)))


def small():
    """R7: m.41(5): below 100,000 USD left out, exactly 100,000 counts"""
    # ETH 3.999..: 4m TRY less 10^-12 is below 100,000 USD.  It is 4 % of all,
    # at most 10 %: left out.  BTC 5m / (5m + 90m) = 0.0526..
    same(judge(two("5", "3.999999999999999999", "90"), "R6", "R7"), [
        "R6 PLA breach 5000000/95000000 (0.05263157) 0.05 2025-04-21",
        "R7 PLA within 3999999.999999999999/98999999.999999999999 (0.04040404) 0.1"])
    # exactly 4 ETH count: 9m / 99m
    same(judge(two("5", "4", "90"), "R6", "R7"), [
        "R6 PLA breach 9000000/99000000 (0.09090909) 0.05 2025-04-21", "R7 PLA within 0/99000000 (0) 0.1"])
    # R7.small_usd 100,001: 4 ETH are small again
    m = two("5", "4", "90")
    m.parameter("R7.small_usd", "100001")
    same(judge(m, "R6"), ["R6 PLA breach 5000000/95000000 (0.05263157) 0.05 2025-04-21"])


def share():
    """R7: all small ones together above 10 % of all: the excess counts, in neither part what is left out"""
    # 3 of 3 + 27: exactly 10 %, no excess.  0 / 27.
    m = market({BTC: "3"}, {"CUA": {BTC: "27"}})
    same(judge(m, "R6", "R7", detail=True), [
        "R6 PLA within 0/27000000 (0) 0.05 ratio 0, the limit is 0.05",
        "R7 PLA within 3000000/30000000 (0.1) 0.1 ratio 0.1, the limit is 0.1; small assets, all left out of R6"])
    # 3 of 3 + 7: 10 % of 10m is 1m; 2m are above.  2 / (2 + 7) = 0.2222..
    m = market({BTC: "3"}, {"CUA": {BTC: "7"}})
    same(judge(m, "R6", "R7", detail=True), [
        "R6 PLA breach 2000000/9000000 (0.22222222) 0.05 2025-04-21 ratio 0.22222222 is above the limit of 0.05;"
        " to be cured by 2025-04-21",
        "R7 PLA within 3000000/10000000 (0.3) 0.1 ratio 0.3, the limit is 0.1; small assets; the excess counts in R6:"
        " 2000000 TRY"])
    same(breaks(engine.result(), "R7"), [])
    # R7.share 20 %: 1m above.  1 / (1 + 7) = 0.125
    m.parameter("R7.share", "0.2")
    same(judge(m, "R6"), ["R6 PLA breach 1000000/8000000 (0.125) 0.05 2025-04-21"])


def in_denominator():
    """R7.in_denominator: what is left out stays in the denominator, or not"""
    # BTC 4.8 counts, ETH 3 is small (3 % of 99, left out), 91.2 kept.
    # no: 4.8 / (4.8 + 91.2) = 0.05, within.  yes: 4.8 / 99 = 0.048484..
    m = two("4.8", "3", "91.2")
    same(judge(m, "R6"), ["R6 PLA within 4800000/96000000 (0.05) 0.05"])
    m.parameter("R7.in_denominator", "yes")
    same(judge(m, "R6"), ["R6 PLA within 4800000/99000000 (0.04848484) 0.05"])
    # and where it decides: 4.9 / 96.1 = 0.050988.., 4.9 / 99.1 = 0.049445..
    m = two("4.9", "3", "91.2")
    same(judge(m, "R6"), ["R6 PLA breach 4900000/96100000 (0.05098855) 0.05 2025-04-21"])
    m.parameter("R7.in_denominator", "yes")
    same(judge(m, "R6"), ["R6 PLA within 4900000/99100000 (0.049445) 0.05"])


# --- R8 -----------------------------------------------------------------------

def split(how):
    """own 6 BTC, 5 ETH at 1m; CUA keeps 60 BTC and 30 ETH, CUB 120 BTC and no ETH"""
    m = market({BTC: "6", ETH: "5"}, {"CUA": {BTC: "60", ETH: "30"}, "CUB": {BTC: "120"}}, contracts=("CUA", "CUB"),
               prices=((BTC, "TRY", PRICE), (ETH, "TRY", PRICE)))
    m.parameter("R8.split", how)
    return judge(m, "R6", "R8")


def several():
    """R8: m.41(7): for each custodian, its part by asset, by all it keeps, or the whole"""
    all_of_it = "R6 PLA within 11000000/221000000 (0.04977375) 0.05"
    # asset: CUA has 60/180 of BTC, all of ETH: 6/3 + 5 = 7; 7 / (7 + 90) = 0.0721..
    #        CUB has 120/180 of BTC: 4; 4 / (4 + 120) = 0.0322..
    same(split("asset"), [all_of_it, "R8 PLA CUA breach 7000000/97000000 (0.07216494) 0.05 2025-04-21",
                          "R8 PLA CUB within 4000000/124000000 (0.03225806) 0.05"])
    same(breaks(engine.result(), "R6", "R8"), ["R8 LIMIT_BREACH PLA|CUA"])
    # total: CUA has 90 of 210: 11 x 3/7 = 4.714285714285..; over 94.714285..
    #        CUB 120 of 210: 11 x 4/7 = 6.285714..; over 126.285714..
    same(split("total"), [
        all_of_it, "R8 PLA CUA within 4714285.714285714285714285/94714285.714285714285714285 (0.04977375) 0.05",
        "R8 PLA CUB within 6285714.285714285714285714/126285714.285714285714285714 (0.04977375) 0.05"])
    # whole: 11 / 101 = 0.1089.., 11 / 131 = 0.0839..
    same(split("whole"), [all_of_it, "R8 PLA CUA breach 11000000/101000000 (0.10891089) 0.05 2025-04-21",
                          "R8 PLA CUB breach 11000000/131000000 (0.08396946) 0.05 2025-04-21"])


def thirds():
    """R8: exactly 5 % through thirds and sevenths is within, 10^-18 of a coin more is not"""
    # BTC: CUA keeps 1/3 of it, ETH 1/7: own 6 and 14 are 2 + 2 = 4 of CUA's; it
    # keeps 38 BTC + 38 ETH: 4 / 80 = 0.05.  CUB: 76 BTC, 228 ETH: 16 / 320 = 0.05.
    def said(btc):
        m = market({BTC: btc, ETH: "14"}, {"CUA": {BTC: "38", ETH: "38"}, "CUB": {BTC: "76", ETH: "228"}},
                   contracts=("CUA", "CUB"), prices=((BTC, "TRY", PRICE), (ETH, "TRY", PRICE)))
        engine.load(m)
        return short(engine, engine.run(), "R8")
    same(said("6"), ["R8 PLA CUA within", "R8 PLA CUB within"])
    same(said("6.000000000000000001"), ["R8 PLA CUA breach", "R8 PLA CUB breach"])


def nobody_keeps():
    """R8: an asset that no custodian keeps goes by all they keep; where they keep nothing, to each"""
    # ETH 8 is kept nowhere: CUA has 1/4 of all that is kept, CUB 3/4: 2 and 6.
    # 2 / (2 + 30), 6 / (6 + 90): 0.0625
    m = market({ETH: "8"}, {"CUA": {BTC: "30"}, "CUB": {BTC: "90"}}, contracts=("CUA", "CUB"),
               prices=((BTC, "TRY", PRICE), (ETH, "TRY", PRICE)))
    same(judge(m, "R8"), ["R8 PLA CUA breach 2000000/32000000 (0.0625) 0.05 2025-04-21",
                          "R8 PLA CUB breach 6000000/96000000 (0.0625) 0.05 2025-04-21"])
    m = market({ETH: "8"}, {}, contracts=("CUA", "CUB"), prices=((ETH, "TRY", PRICE),))
    same(judge(m, "R8"), ["R8 PLA CUA breach 8000000/8000000 (1) 0.05 2025-04-21",
                          "R8 PLA CUB breach 8000000/8000000 (1) 0.05 2025-04-21"])


def several_within_day():
    """R8: m.41(7) is about m.41(2) as well; one custodian has no rows of its own"""
    m = market({BTC: "4"}, {"CUA": {BTC: "50"}, "CUB": {BTC: "50"}}, contracts=("CUA", "CUB"),
               moments=[("08:00", BTC, "12")])
    # 6 / (6 + 50) = 0.1071..
    same(judge(m, "R8")[1::2], ["R8 PLA CUA 08:00 breach 6000000/56000000 (0.10714285) 0.1 2025-04-21",
                                "R8 PLA CUB 08:00 breach 6000000/56000000 (0.10714285) 0.1 2025-04-21"])
    same(breaks(engine.result(), "R8"), ["R8 INTRADAY_BREACH INTRADAY|PLA|CUA", "R8 INTRADAY_BREACH INTRADAY|PLA|CUB"])
    same(judge(market({BTC: "5"}, {"CUA": {BTC: "95"}}), "R8"), [])


# --- R9 -----------------------------------------------------------------------

def hot(lines_, contracts=(("PLA", False),), direct=(), prices=None, **parameters):
    """CUA keeps lines_: (platform, asset, wallet, quantity, pending)"""
    m = Market()
    m.custodian("CUA")
    for p, full in contracts:
        m.platform(p)
        m.contract(p, "CUA", full_custody=full)
        m.balances(p, [], prices=(prices or {}).get(p, ((BTC, "TRY", PRICE),)))
    m.custody("CUA", lines_, direct=direct)
    for name, value in parameters.items():
        m.parameter("R9." + name, value)
    return judge(m, "R9")


def hot_wallets():
    """R9: m.26(6): 5 % of what a custodian keeps; no day to cure it by is named"""
    same(hot([("PLA", BTC, "HOT", "5"), ("PLA", BTC, "COLD", "95")]), ["R9 CUA within 5000000/100000000 (0.05) 0.05"])
    same(hot([("PLA", BTC, "HOT", "5.000000000000000001"), ("PLA", BTC, "COLD", "95")]),
         ["R9 CUA breach 5000000.000000000001/100000000.000000000001 (0.05) 0.05"])
    f, = engine.result().found("R9")
    same([f.kind, f.key, f.platform, f.custodian], ["HOT_WALLET", "CUA", None, "CUA"])
    same(hot([("PLA", BTC, "HOT", "5"), ("PLA", BTC, "COLD", "95")], limit="0.049"),
         ["R9 CUA breach 5000000/100000000 (0.05) 0.049"])


def pending():
    """R9: m.26(8): signed transfers that wait to be written are in neither part"""
    # 7 - 2 = 5 hot, 97 - 2 = 95 cold
    same(hot([("PLA", BTC, "HOT", "7", "2"), ("PLA", BTC, "COLD", "97", "2")]),
         ["R9 CUA within 5000000/100000000 (0.05) 0.05"])
    # no more can wait than a line has: 100 of ETH's 1 leave the 6 hot of 100 BTC as they are
    same(hot([("PLA", BTC, "HOT", "6"), ("PLA", ETH, "HOT", "1", "100"), ("PLA", BTC, "COLD", "94")],
             prices={"PLA": ((BTC, "TRY", PRICE), (ETH, "TRY", PRICE))}),
         ["R9 CUA breach 6000000/100000000 (0.06) 0.05"])


def full_custody():
    """R9: m.26(7): 10 % in full custody; R9.full: all contracts, or any"""
    of = [("PLA", BTC, "HOT", "10"), ("PLA", BTC, "COLD", "90")]
    same(hot(of, contracts=[("PLA", True)]), ["R9 CUA within 10000000/100000000 (0.1) 0.1"])
    same(hot(of, contracts=[("PLA", True)], full_limit="0.09"), ["R9 CUA breach 10000000/100000000 (0.1) 0.09"])
    same(hot(of, contracts=[("PLA", True), ("PLB", False)]), ["R9 CUA breach 10000000/100000000 (0.1) 0.05"])
    same(hot(of, contracts=[("PLA", True), ("PLB", False)], full="any"), ["R9 CUA within 10000000/100000000 (0.1) 0.1"])
    same(hot(of, contracts=[("PLA", False)], full="any"), ["R9 CUA breach 10000000/100000000 (0.1) 0.05"])


def direct():
    """R9: direct customers count, at the mean of the platforms' prices, exactly"""
    # Prices 1m, 1m and 2m: the mean is 4/3 m.  3 hot direct are 4m; PLA's 76 cold
    # BTC at 1m: 4 / 80 = 0.05.  10^-18 more of 3 is more.
    prices = {"PLA": ((BTC, "TRY", PRICE),), "PLB": ((BTC, "TRY", PRICE),), "PLC": ((BTC, "TRY", "2000000"),)}
    contracts = [(p, False) for p in prices]

    def said(quantity):
        return hot([("PLA", BTC, "COLD", "76")], contracts, [("1000000001", "D1", BTC, "HOT", quantity)], prices)
    same(said("3"), ["R9 CUA within 4000000/80000000 (0.05) 0.05"])
    # 10^-18 x 4/3 m = 1.333.. x 10^-12
    same(said("3.000000000000000001"), ["R9 CUA breach 4000000.000000000001333333/80000000.000000000001333333 (0.05) 0.05"])
    # each platform's own price for its own: 1 PLC is 2m
    same(hot([("PLC", BTC, "HOT", "1"), ("PLA", BTC, "COLD", "38")], contracts, (), prices),
         ["R9 CUA within 2000000/40000000 (0.05) 0.05"])


def many_quantities():
    """R8: quantities without a common multiple that numeric can hold end no run: it is not judged"""
    # 38 digits each: 2,640 of them have a multiple of at most 100,320
    letters = "0123456789BCDFGHJKLMNPQRSTVWXZ"
    assets = ["1BCDFG" + letters[n // 900] + letters[n // 30 % 30] + letters[n % 30] for n in range(2640)]
    kept = {a: f"{10**19 + n}.{10**17 + 7 * n + 1}" for n, a in enumerate(assets)}
    m = market({a: "1" for a in assets}, {"CUA": kept}, ("CUA", "CUB"), [(a, "TRY", "5") for a in assets])
    why = "0.05 not judged: too many different quantities of its custodians to divide by"
    same(judge(m, "R8", detail=True), [f"R8 PLA {c} missing -/- (-) {why}" for c in ("CUA", "CUB")])


def hot_missing():
    """R9: not judged without the report or a price; without a contract it is in neither part"""
    same(hot([("PLA", ETH, "HOT", "1"), ("PLA", BTC, "COLD", "1")]), ["R9 CUA missing -/- (-) 0.05"])
    same(hot([("PLA", BTC, "COLD", "1")], direct=[("1000000001", "D1", ETH, "COLD", "1")]), ["R9 CUA missing -/- (-) 0.05"])
    same(hot([("PLA", BTC, "COLD", "1"), ("PLX", BTC, "HOT", "9")]), ["R9 CUA within 0/1000000 (0) 0.05"])
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA")
    same(judge(m, "R9", detail=True), ["R9 CUA missing -/- (-) 0.05 not judged: no CustodyReport"])


main([at_five, summed, no_custodian, without_contract, moments, opening, incomplete, goes_on, prices, rates,
      small, share, in_denominator, several, thirds, nobody_keeps, several_within_day, many_quantities,
      hot_wallets, pending, full_custody, direct, hot_missing], engine)
