#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The markets themselves: what goes in comes out, run by run."""

import random

from market import *

begin(__file__)
engine = Engine()


def market():
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA")
    m.balances("PLA", [("1000000001", "C1", "CUA", BTC, "1.5"), ("1000000002", "C2", "CUA", BTC, "2.5")],
               prices=[(BTC, "TRY", "2000000")], message_id="A")
    m.custody("CUA", [("PLA", BTC, "HOT", "0.2"), ("PLA", BTC, "COLD", "3.8")], message_id="B")
    return m


def agrees():
    """1.5 + 2.5 claimed, 0.2 + 3.8 kept, 5 % of it hot: nothing found; the pair is there"""
    engine.load(market())
    run = engine.run()
    same(run.brief(), [])
    same(engine.rows("SELECT platform, custodian, asset, platform_quantity AS p, custodian_quantity AS c FROM muhur.pair"),
         [{"platform": "PLA", "custodian": "CUA", "asset": BTC, "p": Decimal(4), "c": Decimal(4)}])


def differs():
    """18 places are kept: 0.000000000000000001 too much is found, in either order of arrival"""
    for order in ([0, 1, 2], [2, 1, 0], random.Random(1)):
        m = market()
        m.balances("PLA", [("1000000003", "C3", "CUA", BTC, "0.000000000000000001")], message_id="A2")
        engine.load(m, order)
        run = engine.run()
        same(run.brief("R1"), [f"R1 QUANTITY_DIFFERENCE PLA|CUA|{BTC} 4.000000000000000001 4 0.000000000000000001"])
        same([f.submissions for f in run.found("R1")], [["A", "A2", "B"]])
        again = engine.run()
        assert (run.version, again.version) == (1, 2)
        same([f.status for f in again.findings], ["continuing"])


def replaced():
    """one market takes the place of another, parameters included"""
    m = market()
    m.parameter("R1.tolerance", "7")
    engine.load(m)
    assert engine.value(f"SELECT muhur.parameter('R1.tolerance', '{DAY}')") == "7"
    engine.load(market())
    assert engine.value(f"SELECT muhur.parameter('R1.tolerance', '{DAY}')") == "0"
    assert engine.value("SELECT count(*) FROM muhur.submission") == 2
    assert engine.value("SELECT count(*) FROM muhur.reconcile_run") == 0


main([agrees, differs, replaced], engine)
