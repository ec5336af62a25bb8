#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""R1 to R5 and R14, each on markets small enough to be added up by hand.
Lines of expectation: rule, kind, key, the platform's quantity, the other side's,
their difference."""

import os
import shutil

from market import *

begin(__file__)
engine = Engine()
# Registry numbers and customer numbers of the investors
K1, K2, K3 = ("1000000001", "C1"), ("1000000002", "C2"), ("1000000003", "C3")


def market(*custodians):
    """PLA with a contract with each of the custodians; CUA alone unless said"""
    m = Market()
    m.platform("PLA")
    for c in custodians or ("CUA",):
        m.custodian(c), m.contract("PLA", c)
    return m


def run(m, *rules, day=DAY):
    engine.load(m)
    return engine.run(day).brief(*rules or ("R1", "R2", "R3", "R4", "R5", "R14"))


def one(m, rule):
    """the only break of the rule"""
    engine.load(m)
    found = engine.run().found(rule)
    assert len(found) == 1, found
    return found[0]


# --- R1 (m.32(3), 26(1)): claimed at c = kept by c, asset by asset ---------------

def r1_passes():
    """R1: 1.5 + 2.5 claimed at CUA, 1 hot + 3 cold kept; ETH apart from BTC"""
    m = market()
    m.balances("PLA", [(*K1, "CUA", BTC, "1.5"), (*K2, "CUA", BTC, "2.5"), (*K1, "CUA", ETH, "7"), (*K1, "OWN", BTC, "9")])
    m.custody("CUA", [("PLA", BTC, "HOT", "1"), ("PLA", BTC, "COLD", "3"), ("PLA", ETH, "COLD", "7")])
    same(run(m), [])


def r1_breaks():
    """R1: what one side leaves out is zero there; both sides' records are named"""
    m = market()
    # record 1 is another asset's; CUA keeps no ETH: 7 against 0; PLA claims no SOL: 0 against 2
    m.balances("PLA", [(*K1, "CUA", BTC, "1"), (*K1, "CUA", ETH, "4"), (*K2, "CUA", ETH, "3")], message_id="A")
    m.custody("CUA", [("PLA", BTC, "COLD", "1"), ("PLA", SOL, "HOT", "0.5"), ("PLA", SOL, "COLD", "1.5")], message_id="B")
    engine.load(m)
    r = engine.run()
    same(r.brief("R1"), [f"R1 QUANTITY_DIFFERENCE PLA|CUA|{SOL} 0 2 -2", f"R1 QUANTITY_DIFFERENCE PLA|CUA|{ETH} 7 0 7"])
    same([f.submissions for f in r.found("R1")], [["A", "B"], ["A", "B"]])


def r1_boundary():
    """R1: a difference of exactly the tolerance is none; a last digit more is one, either way"""
    for kept, breaks in (("9.5", 0), ("10.5", 0), ("9.499999999999999999", 1), ("10.500000000000000001", 1)):
        m = market()
        m.parameter("R1.tolerance", "0.5")
        m.balances("PLA", [(*K1, "CUA", BTC, "10")])
        m.custody("CUA", [("PLA", BTC, "COLD", kept)])
        assert len(run(m, "R1")) == breaks, kept
        # the difference is shown all the same
        same(engine.rows("SELECT (difference + 0) AS d, status FROM muhur.pair"),
             [{"d": Decimal("10") - Decimal(kept), "status": "break" if breaks else "matched"}])


def r1_missing():
    """R1: a missing report is never zero: nothing is compared, R4 says what is missing"""
    m = market()
    m.balances("PLA", [(*K1, "CUA", BTC, "10")])
    same(run(m), [f"R4 REPORT_MISSING CustodyReport|CUA|{DAY} - - -"])
    same(engine.column("SELECT status FROM muhur.pair"), ["missing"])


def r1_hundred():
    """R1: of 150 lines the first hundred are named, the custodian's all"""
    m = market()
    m.balances("PLA", [(f"{1000000000 + i}", f"C{i}", "CUA", BTC, "1") for i in range(150)], message_id="A")
    m.custody("CUA", [("PLA", ETH, "HOT", "0"), ("PLA", BTC, "HOT", "149")], message_id="B")
    f = one(m, "R1")
    same([f.platform_quantity, f.custodian_quantity, f.difference], [150, 149, 1])
    same(f.records, {"A": list(range(1, 101)), "B": [2]})


def r1_thousands():
    """R1: the first hundred of thousands of lines, however they lie in the report"""
    m = market("CUA", "CUB")
    # BTC at CUA: record 1 and 3003 to 4501, 1500 lines.  A guess from their density, 4501 * 400 / 1500, looks up to
    # record 1201 and finds one.  SOL at CUB: every second one from 2 to 3002, 1501 lines
    lines = [(BTC, "CUA") if i == 0 or i > 3001 else (SOL, "CUB") if i % 2 else (ETH, "OWN") for i in range(4501)]
    m.balances("PLA", [(f"{1000000000 + i}", "C", c, a, "1") for i, (a, c) in enumerate(lines)], message_id="A")
    m.custody("CUA", [], message_id="B"), m.custody("CUB", [])
    engine.load(m)
    sol, btc = sorted(engine.run().found("R1"), key=lambda f: f.asset != SOL)
    same([btc.platform_quantity, sol.platform_quantity], [1500, 1501])
    # record numbers are from 1: index i is record i + 1; SOL's are 2, 4, ...
    same([btc.records, sol.records], [{"A": [1] + list(range(3003, 3102))}, {"A": list(range(2, 201, 2))}])


# --- R2 (m.10(2)c, 26(1), 32(3)): all balances = own customer wallets + all custodians ---

def holding(wallet, **kw):
    """3 at OWN, 5 at CUA, 2 at CUB: 10 in all; CUA keeps 5, CUB 2, PLA's wallets must hold 3"""
    m = market("CUA", "CUB")
    m.balances("PLA", [(*K1, "OWN", BTC, "3"), (*K1, "CUA", BTC, "5"), (*K2, "CUB", BTC, "2")], message_id="A")
    m.holdings("PLA", [("HOT", "HOUSE", BTC, "100"), ("COLD", "CUSTOMER", BTC, wallet)], message_id="H", **kw)
    m.custody("CUA", [("PLA", BTC, "COLD", "5")], message_id="CA")
    m.custody("CUB", [("PLA", BTC, "COLD", "2")], message_id="CB")
    return m


def r2_passes():
    """R2: 10 = 3 + 5 + 2; the house's 100 is in neither side"""
    same(run(holding("3")), [])


def r2_breaks():
    """R2: half a coin is missing from the own wallet, which R1 cannot see"""
    same(run(holding("2.5")), [f"R2 TOTAL_DIFFERENCE TOTAL_DIFFERENCE|PLA|{BTC} 10 9.5 0.5"])
    f = engine.result().found("R2")[0]
    same([f.platform, f.custodian, f.asset], ["PLA", None, BTC])
    same([f.detail], ["own wallets 2.5; custodians 7 (CUA 5, CUB 2)"])
    same(f.submissions, ["A", "CA", "CB", "H"])
    # the house's wallet, record 1, is no part of it
    same(f.records, {"A": [1, 2, 3], "H": [2], "CA": [1], "CB": [1]})


def r2_boundary():
    """R2: exactly the tolerance is none, a last digit more is one, either way"""
    for wallet, breaks in (("2.75", 0), ("3.25", 0), ("2.749999999999999999", 1), ("3.250000000000000001", 1)):
        m = holding(wallet)
        m.parameter("R2.tolerance", "0.25")
        assert len(run(m, "R2")) == breaks, wallet


def r2_whole():
    """R2: evaluated only where all is in: without CUB's report 8 would be compared with 10"""
    m = holding("3")
    m.reports = [r for r in m.reports if r.member != "CUB"]
    same(run(m), [f"R4 REPORT_MISSING CustodyReport|CUB|{DAY} - - -"])
    m = holding("3")
    m.reports = [r for r in m.reports if r.message_id != "A"]
    same(run(m), [f"R4 REPORT_MISSING BalanceReport|PLA|{DAY} - - -"])
    m = holding("3")
    m.reports = [r for r in m.reports if r.message_id != "H"]
    same(run(m), [])        # not begun: owed by nobody


def r2_moments():
    """R2: wallets of a moment within the day are not those of its end, nor stand for them"""
    m = holding("3")
    m.holdings("PLA", [("COLD", "CUSTOMER", BTC, "77", f"{DAY}T12:00:00+03")])
    same(run(m), [])
    m.reports = [r for r in m.reports if r.message_id != "H"]
    same(run(m), [f"R4 REPORT_MISSING HoldingReport|PLA|{DAY} - - -"])
    # an end of day without any wallet is one: nothing is held, 10 against 7
    m = holding("3")
    m.reports = [r for r in m.reports if r.message_id != "H"]
    m.holdings("PLA", [])
    same(run(m), [f"R2 TOTAL_DIFFERENCE TOTAL_DIFFERENCE|PLA|{BTC} 10 7 3"])


def r2_one_sided():
    """R2: an asset that only wallets, or only a custodian without a contract, name"""
    m = holding("3")
    m.holdings("PLA", [("HOT", "CUSTOMER", ETH, "1")])      # 0 against 1
    m.custodian("CUC")
    m.custody("CUC", [("PLA", SOL, "COLD", "4")])           # 0 against 4, and no contract
    same(run(m, "R1", "R2"), [f"R2 TOTAL_DIFFERENCE TOTAL_DIFFERENCE|PLA|{SOL} 0 4 -4",
                              f"R2 TOTAL_DIFFERENCE TOTAL_DIFFERENCE|PLA|{ETH} 0 1 -1"])


# --- R3 (m.10(2)c, 33(1)): close(D) = close(D-1) + movements -------------------------

def rolling(closing, moves=(("1.5", "BUY"), ("-0.5", "SELL"), ("5", "LOCK"))):
    """K1: 1 at CUA and 2 of BTC at OWN the day before, 3 in all; +1.5 - 0.5 and a
    lock that changes nothing: 4 must be left, wherever"""
    m = market()
    m.balances("PLA", [(*K1, "CUA", BTC, "1"), (*K1, "OWN", BTC, "2")], day=BEFORE, message_id="A0")
    m.balances("PLA", [(*K1, "CUA", BTC, closing)], message_id="A")
    m.movements("PLA", [(f"M{i}", *K1, BTC, t, q, f"{DAY}T10:00:00+03") for i, (q, t) in enumerate(moves)],
                message_id="M")
    m.custody("CUA", [("PLA", BTC, "COLD", closing)])
    return m


def roll(*fields):
    return f"ROLL_FORWARD|PLA|1000000001|C1|{BTC}|{DAY}"


def r3_passes():
    """R3: 3 + 1.5 - 0.5 = 4, over all places; LOCK is left out"""
    same(run(rolling("4")), [])


def r3_breaks():
    """R3: 4.1 instead of 4; the break names the lines of both days"""
    m = rolling("4.1")
    same(run(m), [f"R3 ROLL_FORWARD {roll()} 4.1 4 0.1"])
    f = engine.result().found("R3")[0]
    same([f.platform, f.custodian, f.asset], ["PLA", None, BTC])
    same([f.detail], ["balance of the day before 3, movements 1, balance 4.1"])
    same(f.submissions, ["A", "A0", "M"])
    same(f.records, {"A": [1], "A0": [1, 2], "M": [1, 2]})


def r3_boundary():
    """R3: exactly the tolerance is none, a last digit more is one, either way"""
    for closing, breaks in (("4.1", 0), ("3.9", 0), ("4.100000000000000001", 1), ("3.899999999999999999", 1)):
        m = rolling(closing)
        m.parameter("R3.tolerance", "0.1")
        assert len(run(m, "R3")) == breaks, closing


def r3_absent():
    """R3: who is not named has nothing: gone with 3, come with 2 bought 1, moved 5 and gone"""
    m = market()
    m.balances("PLA", [(*K1, "CUA", BTC, "3")], day=BEFORE)
    m.balances("PLA", [(*K2, "CUA", BTC, "2")])
    m.movements("PLA", [("M1", *K2, BTC, "BUY", "1", f"{DAY}T10:00:00+03"), ("M2", *K3, ETH, "BUY", "5", f"{DAY}T10:00:00+03")])
    m.custody("CUA", [("PLA", BTC, "COLD", "2")])
    same(run(m), [f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000001|C1|{BTC}|{DAY} 0 3 -3",
                  f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000002|C2|{BTC}|{DAY} 2 1 1",
                  f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000003|C3|{ETH}|{DAY} 0 5 -5"])


def r3_keys():
    """R3: another customer number, asset or platform is another key: +1 here does not make up for -1 there"""
    m = market()
    m.platform("PLB"), m.contract("PLB", "CUA")
    for p, customer, asset, was, now in (("PLA", "C1", BTC, "1", "2"), ("PLA", "C2", BTC, "1", "0"),
                                         ("PLB", "C1", BTC, "1", "0"), ("PLA", "C1", ETH, "1", "0")):
        m.balances(p, [(K1[0], customer, "OWN", asset, was)], day=BEFORE)
        m.balances(p, [(K1[0], customer, "OWN", asset, now)])
    m.movements("PLA", []), m.movements("PLB", [])
    m.custody("CUA", [])
    same(run(m), [f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000001|C1|{BTC}|{DAY} 2 1 1",
                  f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000001|C1|{ETH}|{DAY} 0 1 -1",
                  f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000001|C2|{BTC}|{DAY} 0 1 -1",
                  f"R3 ROLL_FORWARD ROLL_FORWARD|PLB|1000000001|C1|{BTC}|{DAY} 0 1 -1"])


def r3_whole():
    """R3: evaluated only where both balances and the movements are in"""
    for gone in ("A0", "A", "M"):
        m = rolling("4.1")
        m.reports = [r for r in m.reports if r.message_id != gone]
        same(run(m, "R3"), [])
    # another platform's movements do not stand for its own
    m = rolling("4.1")
    m.reports = [r for r in m.reports if r.message_id != "M"]
    m.platform("PLB"), m.movements("PLB", [])
    same(run(m, "R3"), [])


def r3_of_its_day():
    """R3: what D was booked wrongly is not cured by a day after that adds up"""
    m = rolling("4.1")
    m.balances("PLA", [(*K1, "CUA", BTC, "4.1")], day=AFTER)
    m.movements("PLA", [], day=AFTER)
    m.custody("CUA", [("PLA", BTC, "COLD", "4.1")], day=AFTER)
    same(run(m), [f"R3 ROLL_FORWARD {roll()} 4.1 4 0.1"])
    same(engine.run(AFTER).findings, [])
    same(engine.column("SELECT state FROM muhur.break"), ["open"])


def r3_limit():
    """R3: of three keys two are listed, the first by key, and one more break counts the rest"""
    m = market()
    m.parameter("break.limit", "2")
    m.balances("PLA", [], day=BEFORE)
    m.balances("PLA", [(*k, "OWN", BTC, "1") for k in (K3, K1, K2)])
    m.movements("PLA", [])
    m.custody("CUA", [])
    same(run(m, "R3"), [f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000001|C1|{BTC}|{DAY} 1 0 1",
                        f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|1000000002|C2|{BTC}|{DAY} 1 0 1",
                        f"R3 ROLL_FORWARD ROLL_FORWARD|PLA|MORE|{DAY} - - -"])
    assert engine.result().found("R3")[2].detail.startswith("1 more "), engine.result().found("R3")


# --- R3, netting (m.33(1)): opening + net = closing, net = movements ------------------

def netted(opening, net, closing):
    m = rolling("4")
    m.netting("PLA", [(*K1, BTC, opening, net, closing)], message_id="N")
    return m


def net_passes():
    """netting: 3 + 1 = 4, as the balances and the movements say"""
    same(run(netted("3", "1", "4")), [])


def net_breaks():
    """netting: each of its parts; the quantities are those of the first that does not hold"""
    key = f"NETTING_DIFFERENCE|PLA|1000000001|C1|{BTC}|{DAY}"
    for line, want, detail in (
            # net 2 against movements of 1; 3 + 2 is not 4 either
            (("3", "2", "4"), "2 1 1", "net 2, movements 1; opening and net make 5, closing 4"),
            # opening 2 against 3; 2 + 1 is not 4
            (("2", "1", "4"), "2 3 -1", "opening 2, balance of the day before 3; opening and net make 3, closing 4"),
            # closing 5 against 4
            (("3", "1", "5"), "5 4 1", "closing 5, balance 4; opening and net make 4, closing 5"),
            # its own arithmetic holds, both balances are another's
            (("5", "1", "6"), "5 3 2", "opening 5, balance of the day before 3; closing 6, balance 4")):
        same(run(netted(*line)), [f"R3 NETTING_DIFFERENCE {key} {want}"])
        same([engine.result().found("R3")[0].detail], [detail])
    same([engine.result().found("R3")[0].records], [{"A": [1], "A0": [1, 2], "M": [1, 2], "N": [1]}])


def net_boundary():
    """netting: exactly the tolerance is none, a last digit more is one"""
    for net, closing, breaks in (("1.1", "4", 0), ("1.100000000000000001", "4.000000000000000001", 1),
                                 ("0.9", "3.9", 0), ("1", "3.899999999999999999", 1)):
        m = netted("3", net, closing)
        m.parameter("R3.tolerance", "0.1")
        assert len(run(m, "R3")) == breaks, (net, closing)


def net_presence():
    """netting: movements without a line, also of sum zero, and a line without movements"""
    m = rolling("3", moves=(("1", "BUY"), ("-1", "SELL")))
    m.netting("PLA", [])
    same(run(m), [f"R3 NETTING_DIFFERENCE NETTING_DIFFERENCE|PLA|1000000001|C1|{BTC}|{DAY} 0 0 0"])
    m = rolling("3", moves=(("7", "LOCK"),))      # a lock is no movement
    m.netting("PLA", [(*K1, BTC, "3", "0", "3")])
    same(run(m), [f"R3 NETTING_DIFFERENCE NETTING_DIFFERENCE|PLA|1000000001|C1|{BTC}|{DAY} 0 0 0"])
    # a balance that stands still needs none
    m = rolling("3", moves=())
    m.netting("PLA", [])
    same(run(m), [])


def net_parts():
    """netting: each part is judged where its counterpart is in"""
    # all parts would differ: 9 + 1 = 11
    for gone, want in (("M", "9 3 6"), ("A0", "2 1 1"), ("A", "2 1 1")):
        m = netted("9", "2", "11")
        m.reports = [r for r in m.reports if r.message_id != gone]
        same(run(m, "R3"), [f"R3 NETTING_DIFFERENCE NETTING_DIFFERENCE|PLA|1000000001|C1|{BTC}|{DAY} {want}"])
    m = netted("9", "2", "11")                      # only its own arithmetic is left, and holds
    m.reports = [r for r in m.reports if r.message_id not in ("M", "A", "A0")]
    same(run(m, "R3"), [])
    m = netted("9", "2", "12")                      # 11, not 12
    m.reports = [r for r in m.reports if r.message_id not in ("M", "A", "A0")]
    same(run(m, "R3"), [f"R3 NETTING_DIFFERENCE NETTING_DIFFERENCE|PLA|1000000001|C1|{BTC}|{DAY} 12 11 1"])


# --- R4 (m.32(1)): who owes what ---------------------------------------------------

def quiet():
    m = market()
    m.balances("PLA", []), m.custody("CUA", [])
    return m


def r4_contract():
    """R4: parties of a contract owe their reports: on its last day, not the day after, suspended or not, closed not"""
    m = Market()
    m.platform("PLA", state="suspended"), m.custodian("CUA"), m.contract("PLA", "CUA", valid_to=DAY)
    m.custodian("CUB", state="closed"), m.contract("PLA", "CUB")
    same(run(m), [f"R4 REPORT_MISSING BalanceReport|PLA|{DAY} - - -", f"R4 REPORT_MISSING CustodyReport|CUA|{DAY} - - -"])
    found = engine.result().found()
    same([(f.platform, f.custodian) for f in found], [("PLA", None), (None, "CUA")])
    same([f.detail for f in found], ["BalanceReport of PLA is missing", "CustodyReport of CUA is missing"])
    # PLA still has one with CUB
    same(run(m, day=AFTER), [f"R4 REPORT_MISSING BalanceReport|PLA|{AFTER} - - -"])


def r4_begun():
    """R4: a further report is owed from the first one on, as the parameters are shipped"""
    for type, send in (("MovementReport", lambda m, **kw: m.movements("PLA", [], **kw)),
                       ("NettingReport", lambda m, **kw: m.netting("PLA", [], **kw)),
                       ("HoldingReport", lambda m, **kw: m.holdings("PLA", [], **kw)),
                       ("ReferenceData", lambda m, **kw: m.reference([], **kw))):
        m = quiet()
        who = "MKK" if type == "ReferenceData" else "PLA"
        send(m, day=AFTER)
        same(run(m), [])                            # the first one is of a later day
        send(m, day=BEFORE)
        same(run(m), [f"R4 REPORT_MISSING {type}|{who}|{DAY} - - -"])
        same([engine.result().found()[0].platform], [None if who == "MKK" else who])
        send(m)
        same(run(m), [])


def r4_parameters():
    """R4: all = without a first one; none = never"""
    m = quiet()
    for name in ("movement", "netting", "holding", "reference"):
        m.parameter(f"R4.{name}", "all")
    same(run(m), [f"R4 REPORT_MISSING {type}|{who}|{DAY} - - -" for type, who in (
        ("HoldingReport", "PLA"), ("MovementReport", "PLA"), ("NettingReport", "PLA"), ("ReferenceData", "MKK"))])
    m = quiet()
    for send in (m.movements, m.netting, m.holdings):
        send("PLA", [], day=BEFORE)
    m.reference([], day=BEFORE)
    for name in ("movement", "netting", "holding", "reference"):
        m.parameter(f"R4.{name}", "none")
    same(run(m), [])


# --- R5: validity --------------------------------------------------------------------

def r5_registry():
    """R5: unknown registry numbers, one break a member and customer, whatever the report; known from the day on"""
    m = market()
    m.balances("PLA", [(*K1, "OWN", BTC, "1"), (*K2, "OWN", BTC, "1"), (*K2, "OWN", ETH, "1")], message_id="A")
    m.movements("PLA", [("M1", *K2, BTC, "BUY", "1", f"{DAY}T10:00:00+03")], message_id="M")
    m.netting("PLA", [("1000000002", "other", ETH, "0", "0", "0")], message_id="N")
    m.custody("CUA", [], [(*K3, BTC, "COLD", "5")], message_id="C")
    same(run(m, "R5"), [])                          # no number was given yet: not judged
    m.known(K1[0], since=DAY)                       # the boundary: from this very day
    same(run(m, "R5"), ["R5 UNKNOWN_REGISTRY_NO UNKNOWN_REGISTRY_NO|CUA|1000000003|C3 - - -",
                        "R5 UNKNOWN_REGISTRY_NO UNKNOWN_REGISTRY_NO|PLA|1000000002|C2 - - -",
                        "R5 UNKNOWN_REGISTRY_NO UNKNOWN_REGISTRY_NO|PLA|1000000002|other - - -"])
    cua, pla, _ = engine.result().found("R5")
    same([(cua.platform, cua.custodian), (pla.platform, pla.custodian)], [(None, "CUA"), ("PLA", None)])
    same([pla.detail], ["a registry number that was not given: A record 2, A record 3, M record 1"])
    same(pla.records, {"A": [2, 3], "M": [1]})
    m.registry.clear(), m.known(K1[0], since=AFTER)
    same(run(m, "R5"), [])                          # none was given by the day
    m.parameter("R5.registry", "all")
    assert len(run(m, "R5")) == 4                   # K1 too
    m.known(K1[0], K2[0], K3[0], since=BEFORE)
    same(run(m, "R5"), [])


def r5_listed():
    """R5: assets not listed by the platform on the day, from valid_from on, the newest notice first"""
    m = market()
    m.balances("PLA", [(*K1, "OWN", BTC, "1"), (*K1, "OWN", ETH, "2"), (*K2, "CUA", ETH, "3")], message_id="A")
    m.movements("PLA", [("M1", *K1, SOL, "BUY", "0.5", f"{DAY}T10:00:00+03")], message_id="M")
    m.custody("CUA", [("PLA", ETH, "COLD", "3")])
    same(run(m, "R5"), [])                          # no ListingNotice yet: not judged
    m.listings("PLA", [(BTC, "LISTED", DAY), (ETH, "LISTED", AFTER)], day=BEFORE)
    want = [f"R5 NOT_LISTED NOT_LISTED|PLA|{SOL} - - -", f"R5 NOT_LISTED NOT_LISTED|PLA|{ETH} 5 - -"]
    same(run(m, "R5"), want)
    same([f.detail for f in engine.result().found("R5")],
         ["no ListingNotice names it; no balance of it is reported", "no ListingNotice names it"])
    same([f.submissions for f in engine.result().found("R5")], [["M"], ["A"]])
    m.listings("PLA", [(ETH, "LISTED", BEFORE), (SOL, "LISTED", BEFORE)], day=BEFORE, sequence=2)
    same(run(m, "R5"), [])
    m.listings("PLA", [(ETH, "DELISTED", DAY, "why"), (SOL, "DELISTED", AFTER, "why")], day=DAY)
    same(run(m, "R5"), [want[1]])                   # SOL from tomorrow
    same([f.detail for f in engine.result().found("R5")], [f"delisted from {DAY} on"])
    # the same day and sequence: the greater MessageId, then the later record
    m.listings("PLA", [(ETH, "DELISTED", DAY), (ETH, "LISTED", DAY)], day=DAY, message_id="PLA-99")
    same(run(m, "R5"), [])
    # a notice of a later day says nothing of this one; nor does another platform's
    m.listings("PLA", [(ETH, "DELISTED", BEFORE)], day=AFTER)
    m.platform("PLB"), m.listings("PLB", [(BTC, "DELISTED", BEFORE)])
    same(run(m, "R5"), [])


def r5_listing_all():
    """R5: with R5.listing = all a platform without any notice is judged too"""
    m = market()
    m.balances("PLA", [(*K1, "OWN", BTC, "1")]), m.custody("CUA", [])
    m.parameter("R5.listing", "all")
    same(run(m), [f"R5 NOT_LISTED NOT_LISTED|PLA|{BTC} 1 - -"])
    same([f.records for f in engine.result().found()], [{"PLA-1": [1]}])


def r5_contract():
    """R5: no contract, whichever side reports it; unknown custodian; their records"""
    m = market()
    m.custodian("CUB")
    m.balances("PLA", [(*K1, "CUB", BTC, "2"), (*K1, "XYZ", BTC, "1"), (*K2, "XYZ", BTC, "0.5")], message_id="A")
    m.custody("CUA", [])
    m.custody("CUB", [("PLA", BTC, "COLD", "3")], message_id="B")
    same(run(m), [f"R5 NO_CONTRACT NO_CONTRACT|PLA|CUB|{BTC} 2 3 -1",
                  f"R5 UNKNOWN_CUSTODIAN UNKNOWN_CUSTODIAN|PLA|XYZ|{BTC} 1.5 - -"])
    same([f.records for f in engine.result().found()], [{"A": [1], "B": [1]}, {"A": [2, 3]}])
    m.contract("PLA", "CUB", valid_from=DAY)        # the boundary: valid from this very day
    same(run(m), [f"R1 QUANTITY_DIFFERENCE PLA|CUB|{BTC} 2 3 -1",
                  f"R5 UNKNOWN_CUSTODIAN UNKNOWN_CUSTODIAN|PLA|XYZ|{BTC} 1.5 - -"])


def r5_negative():
    """R5: below zero is a break, zero is none; it counts as it stands"""
    m = market()
    m.balances("PLA", [(*K1, "CUA", BTC, "0"), (*K2, "CUA", BTC, "-0.000000000000000001"), (*K3, "OWN", BTC, "-2")],
               message_id="A")
    m.custody("CUA", [("PLA", BTC, "COLD", "0")])
    same(run(m), [f"R1 QUANTITY_DIFFERENCE PLA|CUA|{BTC} -0.000000000000000001 0 -0.000000000000000001",
                  f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLA|1000000002|C2|CUA|{BTC} -0.000000000000000001 - -",
                  f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLA|1000000003|C3|OWN|{BTC} -2 - -"])
    found = engine.result().found("R5")
    same([(f.platform, f.custodian, f.detail, f.records) for f in found],
         [("PLA", None, "a balance below zero: A record 2", {"A": [2]}),
          ("PLA", None, "a balance below zero: A record 3", {"A": [3]})])


def r5_outside():
    """R5: a movement counts from 23:59 of the day before to just before 23:59 of the day, Istanbul's (UTC+3)"""
    m = market()
    m.balances("PLA", []), m.custody("CUA", [])
    m.movements("PLA", [(f"M{i}", *K1, BTC, "BUY", "1", at) for i, at in enumerate((
        f"{BEFORE}T23:58:59.999999+03", f"{BEFORE}T23:59:00+03", f"{DAY}T23:58:59.999999+03", f"{DAY}T23:59:00+03",
        f"{DAY}T20:59:00Z"))], message_id="M")
    same(run(m, "R5"), [f"R5 OUTSIDE_DAY OUTSIDE_DAY|PLA|Mov|M{i} 1 - -" for i in (0, 3, 4)])
    same([(f.detail, f.records) for f in engine.result().found("R5")],
         [(f"booked outside the business day: M record {n}", {"M": [n]}) for n in (1, 4, 5)])


def r5_duplicates():
    """R5: lines of one key, of each report; another place, wallet, asset, member or day is another key"""
    m = market()
    m.platform("PLB"), m.contract("PLB", "CUA")
    m.balances("PLA", [(*K1, "OWN", BTC, "1")], day=BEFORE)
    # places are told apart by hashes first: many places of one key must all be seen as different
    m.balances("PLA", [(*K1, f"P{i:03}", SOL, "1") for i in range(80)] + [(*K1, "OWN", BTC, "1"), (*K1, "CUA", BTC, "2"),
               (*K1, "OWN", ETH, "1"), (*K2, "OWN", BTC, "1"), (K1[0], "C9", "OWN", BTC, "1")], message_id="A")
    m.balances("PLA", [(*K1, "CUA", BTC, "3")], message_id="A2")
    m.balances("PLB", [(*K1, "OWN", BTC, "1")])
    m.movements("PLA", [("M1", *K1, BTC, "BUY", "1", f"{DAY}T10:00:00+03"), ("M2", *K1, BTC, "BUY", "1", f"{DAY}T10:00:00+03"),
                        ("M1", *K2, ETH, "BUY", "4", f"{DAY}T10:00:00+03")], message_id="M")
    m.movements("PLB", [("M2", *K1, BTC, "BUY", "1", f"{DAY}T10:00:00+03")])
    m.netting("PLA", [(*K1, BTC, "1", "2", "3"), (*K2, BTC, "0", "0", "0"), (*K1, BTC, "0", "0", "0")], message_id="N")
    m.custody("CUA", [("PLA", BTC, "COLD", "2"), ("PLA", BTC, "HOT", "1"), ("PLB", BTC, "HOT", "0"), ("PLA", BTC, "COLD", "2")],
              [(*K1, BTC, "HOT", "1"), (*K1, BTC, "COLD", "1"), (*K1, BTC, "HOT", "6")], message_id="C")
    engine.load(m)
    found = [f for f in engine.run().found("R5") if f.kind == "DUPLICATE_LINE"]
    same([(f.key, f.platform, f.custodian, f.asset, f.platform_quantity, f.custodian_quantity, f.records) for f in found], [
        (f"Bal|PLA|1000000001|C1|CUA|{BTC}", "PLA", "CUA", BTC, 5, None, {"A": [82], "A2": [1]}),
        (f"Dir|CUA|1000000001|C1|{BTC}|HOT", None, "CUA", BTC, None, 7, {"C": [5, 7]}),
        ("Mov|PLA|M1", "PLA", None, None, 5, None, {"M": [1, 3]}),         # of two assets
        (f"Net|PLA|1000000001|C1|{BTC}", "PLA", None, BTC, 2, None, {"N": [1, 3]}),
        (f"Omn|CUA|PLA|{BTC}|COLD", "PLA", "CUA", BTC, None, 4, {"C": [1, 4]})])
    same([f.detail for f in found][:1], ["2 lines of one key: A record 82, A2 record 1"])


def r5_limit():
    """R5: at most break.limit of a kind and member one by one; the rest is one break that counts them"""
    m = market()
    m.platform("PLB")
    m.parameter("break.limit", "2")
    for p in ("PLA", "PLB"):
        m.balances(p, [(f"{1000000000 + i}", "C", "OWN", BTC, "-1") for i in (5, 3, 4, 1, 2)][:5 if p == "PLA" else 2],
                   message_id=p)
    m.custody("CUA", [])
    same(run(m), [f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLA|1000000001|C|OWN|{BTC} -1 - -",
                  f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLA|1000000002|C|OWN|{BTC} -1 - -",
                  "R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLA|MORE - - -",
                  f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLB|1000000003|C|OWN|{BTC} -1 - -",
                  f"R5 NEGATIVE_BALANCE NEGATIVE_BALANCE|PLB|1000000005|C|OWN|{BTC} -1 - -"])
    more = engine.result().found()[2]
    same([more.platform, more.submissions], ["PLA", ["PLA"]])
    assert more.detail.startswith("3 more "), more


def r5_silent():
    """no break that a custodian sees says who the investor is"""
    r5_duplicates(), r5_registry()
    same(engine.rows("SELECT f.detail FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id WHERE b.custodian IS NOT"
                     " NULL AND f.detail ~ '10000000|C[0-9]'"), [])


# --- R14 (m.24(2), 26(3)): direct customers apart -----------------------------------------

def with_direct(lines):
    """holding("2.5") and CUA 4 instead of 5: R1 5 against 4; R2 10 against 2.5 + 4 + 2"""
    m = holding("2.5")
    m.reports = [r for r in m.reports if r.message_id != "CA"]
    m.custody("CUA", [("PLA", BTC, "COLD", "4")], lines, message_id="CA")
    return m


def r14_apart():
    """R14: direct customers change nothing in R1 and R2, not even with a platform's customers' own numbers"""
    want = [f"R1 QUANTITY_DIFFERENCE PLA|CUA|{BTC} 5 4 1", f"R2 TOTAL_DIFFERENCE TOTAL_DIFFERENCE|PLA|{BTC} 10 8.5 1.5"]
    same(run(with_direct([])), want)
    # what is missing is kept for that very customer, but directly: no part of the platform's
    same(run(with_direct([(*K1, BTC, "COLD", "1")])), want)
    same([f.records for f in engine.result().found("R1")], [{"A": [2], "CA": [1]}])
    same(engine.column("SELECT custodian_quantity + 0 FROM muhur.pair WHERE custodian = 'CUA'"), [4])
    # the boundary: sides that agree go on agreeing
    m = holding("3")
    m.custody("CUA", [], [(*K1, BTC, "COLD", "1"), (*K3, SOL, "HOT", "9")])
    same(run(m), [])


def r14_enforced():
    """R14: a comparison that lets direct customers in fails the run, whatever let them in"""
    rules = f"{DIR}/rules"
    shutil.copytree(f"{SRC}/schemas/rules", rules)
    os.chmod(rules, 0o755)
    with open(f"{rules}/R00-zz.sql", "w") as f:
        f.write("UPDATE pg_temp.kept k SET quantity = k.quantity + d.quantity FROM pg_temp.direct d"
                " WHERE d.custodian = k.custodian AND d.asset = k.asset")
    engine.end()
    engine.start(rules)
    engine.load(with_direct([(*K1, BTC, "COLD", "1")]))
    try:
        engine.run()
    except AssertionError as e:
        assert "R14: R1 took more than omnibus lines" in str(e), e
    else:
        raise AssertionError("the run was not ended")
    assert engine.value("SELECT count(*) FROM muhur.reconcile_run") == 0
    engine.end()
    engine.start()


main([r1_passes, r1_breaks, r1_boundary, r1_missing, r1_hundred, r1_thousands, r2_passes, r2_breaks, r2_boundary, r2_whole,
      r2_moments, r2_one_sided, r3_passes, r3_breaks, r3_boundary, r3_absent, r3_keys, r3_whole, r3_of_its_day,
      r3_limit, net_passes, net_breaks, net_boundary, net_presence, net_parts, r4_contract, r4_begun, r4_parameters,
      r5_registry, r5_listed, r5_listing_all, r5_contract, r5_negative, r5_outside, r5_duplicates, r5_limit, r5_silent,
      r14_apart, r14_enforced], engine)
