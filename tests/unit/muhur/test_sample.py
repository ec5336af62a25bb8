#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`muhur sample' against a second reading of its files: valid under their
schemas, counts and control totals right, and exactly the planted breaks in
them, by the rules' words and with Python's decimal arithmetic."""

import collections
import decimal
import hashlib
import json
import os
import subprocess
import tempfile
import xml.etree.ElementTree as ET

D = decimal.Decimal
decimal.getcontext().prec = 60
SRC = os.environ.get("srcdir", ".")
MUHUR = os.environ.get("MUHUR", "src/muhur/muhur")
SCHEMA = {"BalanceReport": "balance-report-1.xsd", "CustodyReport": "custody-report-1.xsd"}


def make(directory, seed, customers, breaks):
    subprocess.run([MUHUR, "sample", "--dir", directory, "--date", "2026-11-20", "--seed", str(seed),
                    "--customers", str(customers), "--breaks", str(breaks)],
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as f:
        return json.load(f)


def read(directory, entry, claimed, kept, lines):
    """one report into the sums and keys of the rules"""
    path = os.path.join(directory, entry["file"])
    subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                    os.path.join(SRC, "schemas", "xml", SCHEMA[entry["messageType"]]), path],
                   check=True, stderr=subprocess.DEVNULL)
    root = ET.parse(path).getroot()
    who, totals, records, declared, count = entry["memberCode"], collections.defaultdict(D), 0, {}, None
    for e in root.iter():
        tag, get = e.tag.split("}")[1], e.get
        if tag == "Total":
            declared[get("Asset")] = D(get("Qty"))
        elif tag == "RecordCount":
            count = int(e.text)
        if tag not in ("Bal", "Omn", "Dir"):
            continue
        records += 1
        quantity = D(get("Qty"))
        totals[get("Asset")] += quantity
        if tag == "Bal":
            claimed[who, get("Held"), get("Asset")] += quantity
            lines[who, get("Reg"), get("Cust"), get("Held"), get("Asset")].append(quantity)
            assert D(get("Lck", "0")) <= quantity
        elif tag == "Omn":
            kept[get("Plat"), who, get("Asset")] += quantity
            lines[who, get("Plat"), get("Asset"), get("Wlt")].append(quantity)
            assert D(get("Pend", "0")) <= quantity
        else:
            lines[who, get("Reg"), get("Cust"), get("Asset"), get("Wlt"), "direct"].append(quantity)
    assert (records, dict(totals)) == (count, declared), path


def find(manifest, directory):
    """the breaks, as (rule, kind, platform, custodian, asset, both quantities)"""
    claimed, kept, lines = collections.defaultdict(D), collections.defaultdict(D), collections.defaultdict(list)
    for entry in manifest["files"]:
        read(directory, entry, claimed, kept, lines)
    sent = {e["memberCode"] for e in manifest["files"]}
    kinds = {m["code"]: m["kind"] for m in manifest["members"]}
    contracts = {(c["platform"], c["custodian"]) for c in manifest["contracts"]}
    found = []
    for code, kind in kinds.items():
        if kind in ("platform", "custodian") and code not in sent:
            found.append(("R4", "REPORT_MISSING", code if kind == "platform" else None,
                          code if kind == "custodian" else None, None, None, None))
    for key in claimed.keys() | kept.keys():
        if key[:2] in contracts and set(key[:2]) <= sent:
            a, b = claimed.get(key, D(0)), kept.get(key, D(0))
            if a != b:
                found.append(("R1", "QUANTITY_DIFFERENCE", *key, a, b))
        elif key[:2] not in contracts and key[1] != "OWN":
            known = kinds.get(key[1]) == "custodian"
            found.append(("R5", "NO_CONTRACT" if known else "UNKNOWN_CUSTODIAN", *key, claimed[key], None))
    for key, quantities in lines.items():
        if len(quantities) > 1:
            assert len(key) == 5, key
            found.append(("R5", "DUPLICATE_LINE", key[0], key[3], key[4], sum(quantities), None))
    return found


def quantity(s):
    return None if s is None else D(s)


def check(directory, seed, customers, breaks):
    manifest = make(directory, seed, customers, breaks)
    planted = [(b["rule"], b["kind"], b["platform"], b["custodian"], b["asset"],
                quantity(b["platformQuantity"]), quantity(b["custodianQuantity"])) for b in manifest["breaks"]]
    found = find(manifest, directory)
    assert len(planted) == breaks
    assert collections.Counter(planted) == collections.Counter(found), (seed, customers, breaks)
    keys = [b[2:5] for b in planted]
    assert len(set(keys)) == len(keys), "two breaks of one key"
    return sorted(hashlib.sha256(open(os.path.join(directory, n), "rb").read()).hexdigest()
                  for n in os.listdir(directory))


with tempfile.TemporaryDirectory() as top:
    for n, (seed, customers, breaks) in enumerate(
            [(s, 300, s % 13) for s in range(1, 14)] + [(s, s, s % 8) for s in range(1, 10)] +
            [(3, 100, 60), (4, 1, 5), (2 ** 63 - 1, 50, 0)]):
        check(os.path.join(top, str(n)), seed, customers, breaks)
    first = check(os.path.join(top, "again"), 7, 300, 7)
    assert first == check(os.path.join(top, "once more"), 7, 300, 7), "the same seed gives other files"
    assert first != check(os.path.join(top, "other"), 8, 300, 7)
print("ok: 28 days made and read again")
