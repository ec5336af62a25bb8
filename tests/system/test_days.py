#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Two days of a test market that follow each other, through the whole gateway:
the second rolls forward from the first, its customers are registered already,
and each day's breaks are found, and only they."""

import datetime
import json
import os

import lib

market = None
last = lib.last_closed_day()


def key(b):
    return (b["rule"], b["kind"], b.get("platform") or "", b.get("custodian") or "", b.get("asset") or "")


def exchange(day, *more):
    """the day's files in the manifest's order; the manifest"""
    directory = os.path.join(market.dir, f"day-{day}")
    market.muhur("sample", "--dir", directory, "--customers", "150", "--seed", "2", "--date", str(day), *more)
    with open(os.path.join(directory, "manifest.json")) as f:
        manifest = json.load(f)
    for entry in sorted(manifest["files"], key=lambda e: e["order"]):
        with open(os.path.join(directory, entry["file"]), "rb") as f:
            signed = market.sign(f.read(), entry["userCode"])
        decision, codes = market.exchange(signed, entry["userCode"], entry["file"])
        assert (decision, codes) == ("accepted", []), (entry, decision, codes)
    return manifest


def compare(day, manifest):
    market.muhur("reconcile", "run", "--date", str(day))
    found = sorted(key(b) for b in market.json("break", "list", "--date", str(day)))
    planted = sorted(key(b) for b in manifest["breaks"])
    assert found == planted, f"found {found}\nplanted {planted}"


def first_day():
    """the first day: nothing is planted, nothing found"""
    manifest = exchange(last - datetime.timedelta(days=2), "--breaks", "0")
    assert manifest["breaks"] == []
    compare(last - datetime.timedelta(days=2), manifest)


def second_day():
    """the day after, told so: what was planted has moved, and R3 finds what was left out"""
    manifest = exchange(last - datetime.timedelta(days=1), "--breaks", "12", "--after", "0")
    assert {"R3", "R5", "R6"} <= {b["rule"] for b in manifest["breaks"]}, manifest["breaks"]
    compare(last - datetime.timedelta(days=1), manifest)


def third_day():
    """one more with the same breaks, as if there was none before: all are registered once more, and it rolls forward"""
    compare(last, exchange(last, "--breaks", "12"))
    numbers, = market.sql("SELECT count(*), count(DISTINCT registry_no) FROM muhur.registry_number")
    assert numbers[0] == numbers[1]


with lib.Market(conf="signing_time_past = 17280000\n") as market:
    lib.main(first_day, second_day, third_day)
