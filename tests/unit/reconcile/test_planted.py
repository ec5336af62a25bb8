#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What `muhur sample' plants is found by the rules, exactly, and nothing else.

For each seed two days that follow each other: the first with no day before
it, the second with one (--after), so that R3 sees what moved.  The reports go
into the database as their records are, and muhur-reconcile runs both days.

SEEDS (3) and CUSTOMERS (2000) may be set; `make check-seeds' asks for 50 seeds
of 100,000."""

import collections
import json
import os
import random
import shutil
import subprocess
import time
from decimal import Decimal
from xml.parsers import expat

from market import *
from market import BUILD, DIR

SEEDS = int(os.environ.get("SEEDS", "3"))
FIRST = int(os.environ.get("FIRST_SEED", "1"))
CUSTOMERS = int(os.environ.get("CUSTOMERS", "2000"))
DAYS = (DAY, AFTER)
LIMIT = 600

# element: (table, attributes in the order of the table's columns, or what they are where absent)
ELEMENTS = {
    "Bal": ("balance", ("Reg", "Cust", "Held", "Asset", "Qty", "Lck")),
    "Px": ("price", ("Asset", "Ccy", "Price")),
    "Mov": ("movement", ("Id", "Reg", "Cust", "Asset", "Type", "Qty", "At", "Tx", "Rev")),
    "Net": ("netting", ("Reg", "Cust", "Asset", "Open", "Net", "Close")),
    "Wal": ("wallet", ("Wlt", "Own", "Asset", "Qty", "At")),
    "Rsv": ("reserve", ("Kind", "Asset", "Ccy", "Qty", "At")),
    "Omn": ("custody_omnibus", ("Plat", "Asset", "Wlt", "Qty", "Pend")),
    "Dir": ("custody_direct", ("Reg", "Cust", "Asset", "Wlt", "Qty")),
    "Lst": ("listing", ("Asset", "Status", "From", "Reason")),
    "Rate": ("reference_rate", ("Ccy", "Try")),
    "Ast": ("reference_asset", ("Asset", "Cap", "Listed", "Hold", "Base")),
    "Wgt": ("reference_weight", ("Kind", "Asset", "Weight")),
    "Day": ("reference_day", ("Date", "Kind")),
}
ABSENT = {"Lck": "0", "Pend": "0", "Hold": "ANY", "Base": "true"}


class Loader:
    """One report's records as files to COPY from."""

    def __init__(self, engine, entry, path, day, no):
        self.files, self.registry, self.no, self.records = {}, [], no, 0
        self.entry, self.day, self.count, self.text = entry, day, None, ""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self.element
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.data
        with open(path, "rb") as f:
            parser.ParseFile(f)
        assert int(self.count) == self.records, path

    def data(self, text):
        self.text += text

    def end(self, name):
        if name.endswith(" RecordCount"):
            self.count = self.text
        elif name.endswith(" MessageId"):
            self.message_id = self.text

    def element(self, name, attributes):
        self.text = ""
        name = name.rpartition(" ")[2]
        if name == "Inv":
            self.records += 1
            self.registry.append(attributes["Reg"])
            return
        kind = ELEMENTS.get(name)
        if kind is None:
            return
        if name != "Px":
            self.records += 1
        table, names = kind
        out = self.files.get(table)
        if out is None:
            out = self.files[table] = []
        get = attributes.get
        row = [get(n) or ABSENT.get(n, "\\N") for n in names]
        out.append(f"{self.day}\t{self.no}\t{self.entry['memberCode']}\t{len(out) + 1}\t{len(out) + 10}\t"
                   + "\t".join(row) + "\n")

    def statements(self):
        e = self.entry
        yield ("INSERT INTO muhur.submission (no, id, uploader, file_name, size, received_at, state, sha256, counted,"
               " reserves_id, member_code, message_type, message_id, user_code, business_date, sequence, record_count)"
               f" OVERRIDING SYSTEM VALUE VALUES ({self.no}, gen_random_uuid(), '{e['userCode']}', '{e['file']}', 1,"
               f" '{self.day}'::date + 1, 'accepted', encode(sha256('{self.day}/{e['file']}'), 'hex'), true, true,"
               f" '{e['memberCode']}', '{e['messageType']}', '{self.message_id}', '{e['userCode']}', '{self.day}', 1,"
               f" {self.records})")
        for table, rows in self.files.items():
            path = os.path.join(DIR, f"copy.{table}")
            with open(path, "w") as f:
                f.writelines(rows)
            yield (f"\\copy muhur.{table} (business_date, submission, member_code, record_no, line,"
                   f" {', '.join(TABLES[table][0])}) FROM '{path}'")
        if self.registry:
            path = os.path.join(DIR, "copy.registry")
            with open(path, "w") as f:
                f.writelines(f"{no}\t{self.day}\n" for no in self.registry)
            yield f"\\copy muhur.registry_number FROM '{path}'"


def psql(lines):
    p = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", DIR, "-U", "muhur_owner", "-d", "muhur",
                        "-o", "/dev/null"], input="\n".join(lines) + "\n", text=True, capture_output=True)
    assert p.returncode == 0, p.stderr[-2000:]


def clear(manifest):
    """An empty market with its members and contracts."""
    market = Market()
    for m in manifest["members"]:
        market.member(m["code"], m["kind"])
    for c in manifest["contracts"]:
        market.contract(c["platform"], c["custodian"])
    engine.load(market)


def sample(seed, day, breaks, before):
    directory = os.path.join(DIR, f"sample-{seed}-{day}")
    command = [f"{BUILD}/src/muhur/muhur", "sample", "--dir", directory, "--date", day, "--seed", str(seed),
               "--customers", str(CUSTOMERS), "--breaks", str(breaks)]
    subprocess.run(command + ([] if before is None else ["--after", str(before)]), check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as f:
        return directory, json.load(f)


def load(directory, manifest, day, numbers):
    psql([f"SELECT muhur.ensure_day('{day}');"])
    entries = sorted(manifest["files"], key=lambda e: e["order"])
    assert [e["messageType"] for e in entries][:2] == ["RegistrationRequest", "ReferenceData"]
    for entry in entries:
        loader = Loader(engine, entry, os.path.join(directory, entry["file"]), day, next(numbers))
        lines = ["BEGIN;"]
        for statement in loader.statements():
            lines.append(statement if statement[0] == "\\" else statement + ";")
        psql(lines + ["COMMIT;"])
    psql(["ANALYZE;"])
    shutil.rmtree(directory)


def number(s):
    return None if s is None else Decimal(s)


def key(f):
    return f.rule, f.kind, f.platform, f.custodian, f.asset


def carried(manifest, run, before):
    """What the day before found and is not judged now, since a report is missing: it goes on (R99-unjudged)."""
    them = {f.key for f in run.found() if "it stood when last judged" in f.detail}
    assert them <= {f.key for f in before.found()} if before else not them, them
    assert not them or any(b["rule"] == "R4" for b in manifest["breaks"]), them
    return them


def compare(manifest, run, before):
    """Exactly those: by rule, kind and parties, and by both values where the manifest gives them."""
    planted = collections.defaultdict(list)
    for b in manifest["breaks"]:
        planted[b["rule"], b["kind"], b["platform"], b["custodian"], b["asset"]].append(
            (number(b["platformQuantity"]), number(b["custodianQuantity"])))
    found = collections.defaultdict(list)
    goes_on = carried(manifest, run, before)
    for f in run.found():
        if f.key not in goes_on:
            found[key(f)].append((f.platform_quantity, f.custodian_quantity))
    wrong = []
    for k in sorted(planted.keys() | found.keys(), key=str):
        want, got = planted.get(k, []), found.get(k, [])
        told = [[v for v in values if v is not None] for values in want]
        seen = [[v for v, w in zip(values, want[0] if want else values) if w is not None] for values in got]
        if len(want) != len(got) or sorted(told) != sorted(seen):
            wrong.append(f"{k}: planted {want}, found {got}")
    assert not wrong, "\n".join(wrong)
    return len(manifest["breaks"])


def one_seed(seed):
    def test():
        chosen = random.Random(seed)
        breaks = [chosen.choice([0, 3, 7, 12, 16, 20, 31, 45]) for _ in DAYS]
        if seed % 2 == 0:
            breaks[1] = breaks[0]
        numbers, before, earlier, times = iter(range(1, 1000)), None, None, []
        for i, (day, n) in enumerate(zip(DAYS, breaks)):
            directory, manifest = sample(seed, day, n, before)
            if i == 0:
                clear(manifest)
            load(directory, manifest, day, numbers)
            began = time.monotonic()
            run = engine.run(day, limit=LIMIT)
            times.append(time.monotonic() - began)
            try:
                count = compare(manifest, run, earlier)
            except AssertionError as e:
                raise AssertionError(f"seed {seed}, {day}, {n} breaks after {before}:\n{e}")
            print(f"# seed {seed} {day}: {n} planted, {count} in all, all found and no other; {times[-1]:.1f} s", flush=True)
            before, earlier = n, run
    test.__doc__ = f"seed {seed}, {CUSTOMERS} customers: what was planted is found on both days, nothing else"
    return test


begin(__file__)
engine = Engine()
main([one_seed(s) for s in range(FIRST, FIRST + SEEDS)], engine)
