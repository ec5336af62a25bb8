#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a day cannot judge goes on: a break is cured by reports, never by their
absence.  DAY has the breaks; AFTER has the same reports without the faults, but
for those that are left out."""

from market import *

begin(__file__)
engine = Engine()
K1, K2 = ("1000000001", "C1"), ("1000000002", "C2")
THIRD = "2025-03-12"
# The breaks of DAY
R1 = f"PLA|CUA|{BTC}"                            # 4 against 3
R2 = f"TOTAL_DIFFERENCE|PLA|{BTC}"               # the same 1 is nowhere
BALANCE = f"NEGATIVE_BALANCE|PLA|1000000002|C2|OWN|{BTC}"
MOVED = "OUTSIDE_DAY|PLA|Mov|M1"
NETTED = f"Net|PLA|1000000001|C1|{SOL}"
KEPT = f"NO_CONTRACT|PLB|CUA|{SOL}"              # PLB has said nothing of it
PRICED = f"PRICE_MISSING|PLA|{ETH}"
ALL = sorted([R1, R2, BALANCE, MOVED, NETTED, KEPT, PRICED])


def reports(m, day, good, gone=()):
    def send(kind, member, *rows, **kw):
        if (kind.__name__, member) not in gone:
            kind(member, *rows, day=day, message_id=f"{member}-{kind.__name__}-{day}", **kw)
    send(m.balances, "PLA", [(*K1, "CUA", BTC, "3" if good else "4"), (*K1, "OWN", BTC, "3" if good else "4"),
                             (*K2, "OWN", BTC, "0" if good else "-1"), (*K1, "CUB", ETH, "1")],
         prices=[(BTC, "TRY", "1000000")] + ([(ETH, "TRY", "100000000")] if good else []))
    send(m.movements, "PLA", [("M1", *K1, BTC, "LOCK", "1", f"{day if good else BEFORE}T10:00:00+03")])
    send(m.netting, "PLA", [(*K1, SOL, "0", "0", "0")] * (1 if good else 2))
    send(m.holdings, "PLA", [("COLD", "CUSTOMER", BTC, "3")])
    send(m.custody, "CUA", [("PLA", BTC, "COLD", "3")] + ([] if good else [("PLB", SOL, "COLD", "1")]))
    send(m.custody, "CUB", [("PLA", ETH, "COLD", "1")])


def market(*days, parties=(("PLA", "CUA"), ("PLA", "CUB"))):
    """days: (day, good, what is left out)"""
    m = Market()
    m.platform("PLA"), m.platform("PLB"), m.custodian("CUA"), m.custodian("CUB")
    for p, c in parties:
        m.contract(p, c)
    for day in days:
        reports(m, *day)
    return m


def keys(run, *status):
    """of what is not of one day; limits have tests of their own"""
    return sorted(f.key for f in run.findings if f.rule in ("R1", "R2", "R5", "R6") and f.status in status)


def after(*gone, m=None):
    """what goes on, without the reports that are gone; and what is cured"""
    engine.load(m or market((DAY, False), (AFTER, True, gone)))
    same(keys(engine.run(DAY), "new"), ALL)
    run = engine.run(AFTER)
    same(keys(run, "new"), [])
    same(sorted(keys(run, "continuing") + keys(run, "cured")), ALL)
    return keys(run, "continuing")


def nobody():
    """a day without reports ends nothing; the day with them does, and a day after closes it"""
    engine.load(market((DAY, False), (THIRD, True), ("2025-03-13", True)))
    first = {f.key: f for f in engine.run(DAY).found()}
    run = engine.run(AFTER)
    same(keys(run, "continuing"), ALL)
    same(keys(run, "new", "cured"), [])
    for f in run.found("R1", "R2", "R5", "R6"):
        # no values, and what it came from is where it was last judged
        same([f.platform_quantity, f.custodian_quantity, f.difference], 3 * [None])
        same([f.submissions, f.records], [first[f.key].submissions, first[f.key].records])
    said = {f.key: f.detail for f in run.findings}
    end = "; it stood when last judged"
    same(said[R1], "not judged: no CustodyReport of CUA, BalanceReport of PLA" + end)
    same(said[R2], "not judged: no CustodyReport of CUA, CustodyReport of CUB, BalanceReport of PLA, HoldingReport of PLA" + end)
    same(said[KEPT], "not judged: no CustodyReport of CUA" + end)
    same(said[MOVED], "not judged: no MovementReport of PLA" + end)
    same({r["state"] for r in engine.rows("SELECT state FROM muhur.break WHERE rule IN ('R1', 'R2', 'R5', 'R6')")}, {"open"})
    # since DAY, without a pause
    run = engine.run(THIRD)
    same(keys(run, "cured"), ALL)
    same({r["d"] for r in engine.rows(f"SELECT f.first_seen AS d FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id"
                                      f" WHERE run = {run.no} AND rule IN ('R1', 'R2', 'R5', 'R6')")}, {DAY})
    engine.run("2025-03-13")
    same({r["state"] for r in engine.rows("SELECT state FROM muhur.break WHERE rule IN ('R1', 'R2', 'R5', 'R6')")}, {"closed"})


def one_by_one():
    """each report keeps open what came from it, and nothing else"""
    same(after(), [])
    same(after(("balances", "PLA")), sorted([R1, R2, BALANCE, PRICED]))
    same(after(("movements", "PLA")), [MOVED])
    same(after(("netting", "PLA")), [NETTED])
    same(after(("holdings", "PLA")), sorted([R2, PRICED]))
    same(after(("custody", "CUA")), sorted([R1, R2, KEPT, PRICED]))
    # of CUB came nothing but what R2 adds up, and what has no price
    same(after(("custody", "CUB")), sorted([R2, PRICED]))


def within_the_day():
    """a HoldingReport of moments within the day alone says nothing of its end"""
    m = market((DAY, False), (AFTER, True, [("holdings", "PLA")]))
    m.holdings("PLA", [("COLD", "CUSTOMER", BTC, "3", f"{AFTER}T08:00Z")], day=AFTER)
    same(after(m=m), sorted([R2, PRICED]))


def contracts():
    """R2 needs a new custodian's report as well; of a contract that has ended nothing is compared, and nothing cured"""
    m = market((DAY, False), (AFTER, True, []))
    m.custodian("CUC"), m.contract("PLA", "CUC", valid_from=AFTER)
    same(after(m=m), sorted([R2, PRICED]))
    m = market((DAY, False), parties=[("PLA", "CUB")])
    m.contract("PLA", "CUA", valid_to=DAY)
    reports(m, AFTER, True, [("custody", "CUA")])
    # what PLA claims there is a break of its own now
    engine.load(m)
    engine.run(DAY)
    run = engine.run(AFTER)
    same([keys(run, "continuing"), keys(run, "new")], [sorted([R1, KEPT, R2]), [f"NO_CONTRACT|PLA|CUA|{BTC}"]])


def closed():
    """what an operator has closed does not begin again by not being judged"""
    engine.load(market((DAY, False), (THIRD, False)))
    engine.run(DAY)
    engine.execute("UPDATE muhur.break SET state = 'closed', closed_at = now(), closed_by = 'operator'"
                   " WHERE rule IN ('R1', 'R6')")
    run = engine.run(AFTER)
    same(keys(run, "cured"), sorted([R1, PRICED]))
    same({f.detail for f in run.findings if f.status == "cured"}, {"closed by the registry"})
    same(engine.column("SELECT DISTINCT state FROM muhur.break WHERE rule IN ('R1', 'R6')"), ["closed"])
    # it is found again
    run = engine.run(THIRD)
    same(keys(run, "new"), sorted([R1, PRICED]))


main([nobody, one_by_one, within_the_day, contracts, closed], engine)
