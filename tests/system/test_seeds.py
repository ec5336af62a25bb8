#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Seeds of `muhur sample' through the whole gateway, 1,000 customers each, one
business day a seed: the planted breaks, and only they, are found, with both
sides' values.  Many more seeds, and days that follow each other, go past the
gateway in tests/unit/reconcile/test_planted.py."""

import datetime
import decimal
import json
import os

import lib

market = None
before = set()		# what the seed before found
SEEDS = int(os.environ.get("MUHUR_TEST_SEEDS", "6"))
# R6 is broken on two of the days: a third one in a month would be R12's, too.
BREAKS = (3, 7, 9, 14, 16, 11)


def key(b):
    return (b["rule"], b["kind"], b.get("platform") or "", b.get("custodian") or "", b.get("asset") or "")


def values(b):
    if b["rule"] not in ("R1", "R2", "R3", "R5"):
        return ()
    return tuple(decimal.Decimal(b[k] or 0) for k in ("platformQuantity", "custodianQuantity"))


def one_seed(seed):
    def test():
        # not the day after another's: what was another market's would have moved
        day = str(lib.last_closed_day() - datetime.timedelta(days=2 * (SEEDS - seed)))
        directory = os.path.join(market.dir, f"day-{seed}")
        market.muhur("sample", "--dir", directory, "--customers", "1000", "--breaks", str(BREAKS[seed % len(BREAKS)]),
                     "--seed", str(seed), "--date", day)
        with open(os.path.join(directory, "manifest.json")) as f:
            manifest = json.load(f)
        for entry in sorted(manifest["files"], key=lambda e: e["order"]):
            with open(os.path.join(directory, entry["file"]), "rb") as f:
                signed = market.sign(f.read(), entry["userCode"])
            name = f"{seed}-{entry['file']}"
            assert market.exchange(signed, entry["userCode"], name) == ("accepted", []), entry
        market.muhur("reconcile", "run", "--date", day)
        listed = market.json("break", "list", "--date", day)
        # where a report is missing, what the day before it found is not judged, and goes on
        carried = {key(b) for b in listed if "it stood when last judged" in b["detail"]}
        assert carried <= before, carried - before
        found = sorted((key(b), values(b)) for b in listed if key(b) not in carried)
        before.clear()
        before.update(map(key, listed))
        planted = sorted((key(b), values(b)) for b in manifest["breaks"])
        assert found == planted, f"found {found}\nplanted {planted}"
    test.__doc__ = f"seed {seed}: what was planted is found, nothing else"
    return test


with lib.Market(conf="signing_time_past = 17280000\n") as market:
    lib.main(*(one_seed(s) for s in range(1, SEEDS + 1)))
