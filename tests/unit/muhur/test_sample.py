#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`muhur sample' against a second reading of its files: valid under their
schemas, counts and control totals right, identities that pass their checks,
days that follow each other, and exactly the manifest's breaks in them, by the
rules' words (schemas/rules) and with exact arithmetic of Python's."""

import collections
import datetime
import hashlib
import json
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from fractions import Fraction as F

SRC = os.environ.get("srcdir", ".")
MUHUR = os.environ.get("MUHUR", "src/muhur/muhur")
DAY = datetime.date(2026, 11, 20)
COUNTED = {"Bal": "Qty", "Mov": "Qty", "Net": "Close", "Wal": "Qty", "Omn": "Qty", "Dir": "Qty",
           "Rsv": None, "Inv": None, "Lst": None, "Rate": None, "Ast": None, "Wgt": None, "Day": None}
OWED = {"platform": "BalanceReport", "custodian": "CustodyReport"}


def sums():
    return collections.defaultdict(F)


def make(directory, seed, customers, breaks, day=DAY, after=None):
    subprocess.run([MUHUR, "sample", "--dir", directory, "--date", str(day), "--seed", str(seed),
                    "--customers", str(customers), "--breaks", str(breaks)]
                   + ([] if after is None else ["--after", str(after)]),
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as f:
        return json.load(f)


def schema(message_type):
    name = re.sub("(?<!^)([A-Z])", r"-\1", message_type).lower()
    return os.path.join(SRC, "schemas", "xml", f"{name}-1.xsd")


class Day:
    """All records of a day: self["Bal"] is [(sender, attributes)]."""

    def __init__(self, directory, manifest):
        self.manifest, self.records = manifest, collections.defaultdict(list)
        self.date = datetime.date.fromisoformat(manifest["date"])
        self.kinds = {m["code"]: m["kind"] for m in manifest["members"]}
        self.contracts = {(c["platform"], c["custodian"]) for c in manifest["contracts"]}
        self.sent = {(e["memberCode"], e["messageType"]) for e in manifest["files"]}
        rights = {u["userCode"]: u["messageTypes"] for u in manifest["users"]}
        assert [e["order"] for e in manifest["files"]] == list(range(1, len(manifest["files"]) + 1))
        ids = set()
        for entry in manifest["files"]:
            assert entry["messageType"] in rights[entry["userCode"]], entry
            ids.add((entry["memberCode"], self.read(os.path.join(directory, entry["file"]), entry)))
        assert len(ids) == len(manifest["files"]), "two messages of one identifier"

    def __getitem__(self, tag):
        return self.records[tag]

    def read(self, path, entry):
        subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema(entry["messageType"]), path],
                       check=True, stderr=subprocess.DEVNULL)
        totals, declared, count, message_id, records = sums(), {}, None, None, 0
        for e in ET.parse(path).getroot().iter():
            tag, get = e.tag.split("}")[1], e.get
            if tag == "Total":
                declared[get("Asset")] = F(get("Qty"))
            elif tag == "RecordCount":
                count = int(e.text)
            elif tag == "MessageId":
                message_id = e.text
            if tag in COUNTED or tag == "Px":
                self.records[tag].append((entry["memberCode"], e.attrib))
            if tag in COUNTED:
                records += 1
                if COUNTED[tag]:
                    totals[get("Asset")] += F(get(COUNTED[tag]))
        assert (records, dict(totals)) == (count, declared), (path, records, count)
        return message_id

    def complete(self, platform):
        return all((c, "CustodyReport") in self.sent for p, c in self.contracts if p == platform)

    # --- sums that several rules need ----------------------------------------

    def claimed(self):
        out = sums()
        for who, r in self["Bal"]:
            out[who, r["Held"], r["Asset"]] += F(r["Qty"])
        return out

    def kept(self, wallet=None, pending=0):
        out = sums()
        for who, r in self["Omn"]:
            if wallet in (None, r["Wlt"]):
                out[r["Plat"], who, r["Asset"]] += F(r["Qty"]) - pending * F(r.get("Pend", 0))
        return out

    def wallets(self, at=None):
        out = sums()
        for who, r in self["Wal"]:
            if r["Own"] == "CUSTOMER" and r.get("At") == at:
                out[who, r["Asset"]] += F(r["Qty"])
        return out

    def closing(self):
        out = sums()
        for who, r in self["Bal"]:
            out[who, r["Reg"], r["Cust"], r["Asset"]] += F(r["Qty"])
        return out

    def prices(self):
        return {(who, r["Asset"]): F(r["Price"]) for who, r in self["Px"]}


# --- R1 to R5 -----------------------------------------------------------------

def bilateral(day):
    claimed, kept = day.claimed(), day.kept()
    for key in claimed.keys() | kept.keys():
        platform, place, asset = key
        if (platform, place) in day.contracts:
            if (place, "CustodyReport") in day.sent and claimed[key] != kept[key]:
                yield ("R1", "QUANTITY_DIFFERENCE", *key, claimed[key], kept[key])
        elif place != "OWN":
            known = day.kinds.get(place) == "custodian"
            yield ("R5", "NO_CONTRACT" if known else "UNKNOWN_CUSTODIAN", *key, claimed[key], None)


def omnibus(day):
    balances, there = sums(), day.wallets()
    for (p, _, a), q in day.claimed().items():
        balances[p, a] += q
    for (p, _, a), q in day.kept().items():
        there[p, a] += q
    for p, a in balances.keys() | there.keys():
        if day.complete(p) and balances[p, a] != there[p, a]:
            yield ("R2", "TOTAL_DIFFERENCE", p, None, a, balances[p, a], there[p, a])


def flow(day, before):
    closing, opening = day.closing(), before.closing() if before else None
    moved, lines = sums(), set()
    for who, r in day["Mov"]:
        if r["Type"] != "LOCK":
            moved[who, r["Reg"], r["Cust"], r["Asset"]] += F(r["Qty"])
    booked = set(moved)
    if before:
        for key in closing.keys() | opening.keys() | moved.keys():
            if closing[key] != opening[key] + moved[key]:
                yield ("R3", "ROLL_FORWARD", key[0], None, key[3], closing[key], opening[key] + moved[key])
    for who, r in day["Net"]:
        key = (who, r["Reg"], r["Cust"], r["Asset"])
        assert key not in lines and F(r["Close"]) == closing[key]
        assert not before or F(r["Open"]) == opening[key], key
        lines.add(key)
        if F(r["Net"]) != moved[key]:
            assert F(r["Open"]) + F(r["Net"]) != F(r["Close"]), "one fault, two differences"
            yield ("R3", "NETTING_DIFFERENCE", key[0], None, key[3], F(r["Net"]), moved[key])
    assert lines == booked


def presence(day):
    for code, kind in day.kinds.items():
        if kind in OWED and (code, OWED[kind]) not in day.sent:
            yield ("R4", "REPORT_MISSING", code if kind == "platform" else None,
                   code if kind == "custodian" else None, None, None, None)


def validity(day, known):
    listed = {(who, r["Asset"]) for who, r in day["Lst"] if r["Status"] == "LISTED" and r["From"] <= str(day.date)}
    lines, balances, unknown = collections.defaultdict(list), {}, set()
    for who, r in day["Bal"] + day["Mov"] + day["Net"] + day["Dir"]:
        if r["Reg"] not in known:
            unknown.add((who, r["Reg"], r["Cust"]))
    for who, _, _ in unknown:
        yield ("R5", "UNKNOWN_REGISTRY_NO", who, None, None, None, None)
    for who, r in day["Bal"]:
        quantity = F(r["Qty"])
        lines[who, r["Reg"], r["Cust"], r["Held"], r["Asset"]].append(quantity)
        balances[who, r["Asset"]] = balances.get((who, r["Asset"]), 0) + quantity
        if quantity < 0:
            yield ("R5", "NEGATIVE_BALANCE", who, None, r["Asset"], quantity, None)
        assert 0 <= F(r.get("Lck", 0)) <= max(0, quantity)
    for who, asset in {(who, r["Asset"]) for who, r in day["Bal"] + day["Mov"] + day["Net"]} - listed:
        yield ("R5", "NOT_LISTED", who, None, asset, balances.get((who, asset)), None)
    for (who, _, _, held, asset), quantities in lines.items():
        if len(quantities) > 1:
            yield ("R5", "DUPLICATE_LINE", who, held, asset, sum(quantities), None)
    # 23:59 in Istanbul is 20:59 UTC
    first = datetime.datetime.combine(day.date - datetime.timedelta(1), datetime.time(20, 59), datetime.timezone.utc)
    for who, r in day["Mov"]:
        at = datetime.datetime.fromisoformat(r["At"].replace("Z", "+00:00"))
        if not first <= at < first + datetime.timedelta(1):
            yield ("R5", "OUTSIDE_DAY", who, None, r["Asset"], F(r["Qty"]), None)


# --- R6 to R11 ----------------------------------------------------------------

def cut(value):
    """as breaks have it: 18 places"""
    return F(int(value * 10 ** 18), 10 ** 18)


def sides(big, small, custody):
    """m.41(1), (5): small assets are left out, but for what exceeds a tenth of everything"""
    big += max(0, small - F(1, 10) * (big + small + custody))
    return big, big + custody


def custody_limits(day):
    prices, kept, breaches = day.prices(), day.kept(), {}
    usd = next(F(r["Try"]) for _, r in day["Rate"] if r["Ccy"] == "USD")
    for at in sorted({r.get("At") for _, r in day["Wal"]}, key=str):
        kind, limit = ("INTRADAY_BREACH", F(1, 10)) if at else ("LIMIT_BREACH", F(1, 20))
        wallets = day.wallets(at)
        for p in [c for c, k in day.kinds.items() if k == "platform" and day.complete(c)]:
            custodians = sorted(c for q, c in day.contracts if q == p)
            assets = {a for q, a in wallets if q == p} | {a for q, c, a in kept if q == p and c in custodians}
            own = {a: wallets[p, a] * prices[p, a] for a in assets}
            at_c = {c: {a: kept[p, c, a] * prices[p, a] for a in assets} for c in custodians}
            small = {a for a in assets if own[a] < 100000 * usd}

            def judge(rule, c, part, custody):
                n, d = sides(sum(part[a] for a in assets - small), sum(part[a] for a in small), custody)
                if n > limit * d:
                    found = (rule, kind, p, c, None, cut(n), cut(d))
                    # all moments of a day are one break, with the greatest ratio
                    if not at or n / d > breaches.get(found[:5], (0,))[0]:
                        breaches[found[:5]] = (n / d, found)
            everything = sum(sum(v.values()) for v in at_c.values())
            judge("R6", None, own, everything)
            for c in custodians if len(custodians) > 1 else []:
                of_c, part = sum(at_c[c].values()), {}
                for a in assets:
                    all_a = sum(v[a] for v in at_c.values())
                    part[a] = own[a] * (at_c[c][a] / all_a if all_a else of_c / everything if everything else 1)
                judge("R8", c, part, of_c)
    return [found for _, found in breaches.values()]


def hot_wallets(day):
    prices = day.prices()
    mean = {a: sum(v) / len(v) for a in {a for _, a in prices} for v in [[q for (_, b), q in prices.items() if b == a]]}
    for c in [c for c, k in day.kinds.items() if k == "custodian" and (c, "CustodyReport") in day.sent]:
        value = {}
        for wallet in ("HOT", None):
            value[wallet] = sum(q * prices[p, a] for (p, who, a), q in day.kept(wallet, 1).items() if who == c) + sum(
                F(r["Qty"]) * mean[r["Asset"]] for who, r in day["Dir"] if who == c and wallet in (None, r["Wlt"]))
        if value["HOT"] > F(1, 20) * value[None]:
            yield ("R9", "HOT_WALLET", None, c, None, cut(value["HOT"]), cut(value[None]))


def reserves(day):
    prices, wallets = day.prices(), day.wallets()
    rates = {"TRY": F(1), **{r["Ccy"]: F(r["Try"]) for _, r in day["Rate"]}}
    weights = {(r["Kind"], r.get("Asset")): F(r["Weight"]) for _, r in day["Wgt"]}
    known = {r["Asset"]: r for _, r in day["Ast"]}
    for p in [c for c, k in day.kinds.items() if k == "platform"]:
        items = [r for who, r in day["Rsv"] if who == p and r.get("At") is None]
        crypto = {r["Asset"]: F(r["Qty"]) * prices[p, r["Asset"]] for r in items if r["Kind"] == "CRYPTO"}
        reserve = sum(v * weights.get(("CRYPTO", a), weights["CRYPTO", None]) for a, v in crypto.items()) + sum(
            F(r["Qty"]) * rates[r["Ccy"]] * weights[r["Kind"], None] for r in items if r["Kind"] != "CRYPTO")
        base = sum(q * prices[p, a] for (who, a), q in wallets.items() if who == p)
        if reserve < F(3, 100) * base:
            yield ("R10", "RESERVE_SHORT", p, None, None, cut(reserve), cut(base))
        for a, v in crypto.items():
            listed = datetime.date.fromisoformat(known[a]["Listed"])
            small = F(known[a]["Cap"]) < 5 * 10 ** 9 or listed.replace(year=listed.year + 1) > day.date
            if v > (F(1, 10) if small else F(1, 5)) * sum(crypto.values()):
                yield ("R11", "COMPOSITION", p, None, a, cut(v), cut(sum(crypto.values())))


# --- who the customers are ------------------------------------------------------

def check_digits(kind, no):
    """domain: identifier check rules"""
    d = [int(c) for c in no] if kind != "FOREIGN" else []
    if kind == "TCKN":
        assert len(d) == 11 and d[0] != 0, no
        assert d[9] == (7 * sum(d[0:9:2]) - sum(d[1:8:2])) % 10 and d[10] == sum(d[:10]) % 10, no
    elif kind == "VKN":
        total = 0
        for i in range(1, 10):
            c = (d[9 - i] + i) % 10
            total += (c * 2 ** i % 9 or 9) if c else 0
        assert len(d) == 10 and d[9] == (10 - total) % 10, no


def registered(day, known):
    """number: identity, of everybody so far; each identity and each number once"""
    for who, r in day["Inv"]:
        assert who == "MKK" and r["Name"], r
        check_digits(r["Type"], r["No"])
        assert (r["Type"] == "FOREIGN") == ("Ctry" in r) and (r["Type"] == "VKN") == ("Birth" not in r), r
        assert known.setdefault(r["Reg"], (r["Type"], r["No"])) == (r["Type"], r["No"]), "another's number"
    assert len(set(known.values())) == len(known), "one identity, two numbers"
    return known


# --- all of it ------------------------------------------------------------------

def exact(s):
    return None if s is None else F(s)


def compare(day, before, known):
    registered(day, known)
    found, judged = collections.Counter(), {p for p in day.kinds if day.complete(p)}
    # what was broken and cannot be judged goes on
    for b in before.manifest["breaks"] if before else []:
        if (b["rule"] in ("R6", "R8") and b["platform"] not in judged
                or b["rule"] == "R9" and (b["custodian"], "CustodyReport") not in day.sent):
            found[b["rule"], b["kind"], b["platform"], b["custodian"], None, None, None] += 1
    for rule in (bilateral(day), omnibus(day), flow(day, before), presence(day), validity(day, known),
                 custody_limits(day), hot_wallets(day), reserves(day)):
        found.update(rule)
    planted = collections.Counter((b["rule"], b["kind"], b["platform"], b["custodian"], b["asset"],
                                   exact(b["platformQuantity"]), exact(b["custodianQuantity"]))
                                  for b in day.manifest["breaks"])
    assert planted == found, f"{day.manifest['seed']} {day.date}: {planted - found} not found, {found - planted} not told"
    keys = [tuple(b.get(k) for k in ("rule", "kind", "platform", "custodian", "asset", "registryNo"))
            for b in day.manifest["breaks"]]
    assert len(set(keys)) == len(keys), "two breaks of one key"
    customers = {(who, r["Reg"], r["Cust"]) for who, r in day["Bal"] + day["Mov"]}
    for b in day.manifest["breaks"]:
        assert "registryNo" not in b or (b["platform"], b["registryNo"], b["customerNo"]) in customers, b
        assert "registryNo" in b or b["kind"] not in ("UNKNOWN_REGISTRY_NO", "DUPLICATE_LINE"), b


def faults(manifest):
    return [b for b in manifest["breaks"] if not b.get("follows")]


def one_day(directory, seed, customers, breaks):
    manifest = make(directory, seed, customers, breaks)
    assert len(faults(manifest)) == breaks
    compare(Day(directory, manifest), None, {})
    return manifest


def two_days(directory, seed, customers, breaks):
    known, before, n, kinds = {}, None, None, set()
    for i, b in enumerate(breaks):
        path = os.path.join(directory, str(i))
        manifest = make(path, seed, customers, b, DAY + datetime.timedelta(i), n)
        day = Day(path, manifest)
        compare(day, before, known)
        kinds |= {x["kind"] for x in faults(manifest)}
        before, n = day, b
    return kinds


def hashes(directory):
    return sorted(hashlib.sha256(open(os.path.join(directory, n), "rb").read()).hexdigest()
                  for n in os.listdir(directory))


def main():
    with tempfile.TemporaryDirectory() as top:
        def at(n):
            return os.path.join(top, str(n))
        kinds = set()
        days = ([(s, 300, s % 13) for s in range(1, 14)] + [(s, s, s % 8) for s in range(1, 10)]
                + [(s, 400, 15 + s) for s in range(20, 30)] + [(3, 100, 60), (4, 1, 5), (2 ** 63 - 1, 50, 0)])
        for n, (seed, customers, breaks) in enumerate(days):
            kinds |= {b["kind"] for b in faults(one_day(at(n), seed, customers, breaks))}
        pairs = [(5, 300, (0, 0, 0)), (6, 300, (0, 22, 9)), (7, 300, (17, 17)), (8, 5, (0, 3)), (9, 1, (2, 0)),
                 (10, 300, (30, 0)), (11, 300, (7, 40)),
                 (12, 300, (20, 7)), (13, 300, (16, 7)), (14, 300, (14, 6))]
        for seed, customers, breaks in pairs:
            os.mkdir(at(f"{seed}-days"))
            kinds |= two_days(at(f"{seed}-days"), seed, customers, breaks)
        assert kinds == {"QUANTITY_DIFFERENCE", "TOTAL_DIFFERENCE", "ROLL_FORWARD", "NETTING_DIFFERENCE",
                         "REPORT_MISSING", "DUPLICATE_LINE", "NO_CONTRACT", "UNKNOWN_CUSTODIAN",
                         "UNKNOWN_REGISTRY_NO", "NOT_LISTED", "NEGATIVE_BALANCE", "OUTSIDE_DAY", "LIMIT_BREACH",
                         "HOT_WALLET", "RESERVE_SHORT", "COMPOSITION"}, kinds
        for name, seed in (("again", 7), ("once more", 7), ("other", 8)):
            one_day(at(name), seed, 300, 7)
        assert hashes(at("again")) == hashes(at("once more")), "the same seed gives other files"
        assert not set(hashes(at("again"))) & set(hashes(at("other")))
        print(f"ok: {len(days)} days made and read again, and {len(pairs)} times days that follow each other")


main()
