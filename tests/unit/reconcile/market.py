# SPDX-License-Identifier: ISC
"""Markets for tests of the rules: plain rows, and the engine that runs them.

A Market is rows and nothing else: members, contracts, reports with their
records, parameters, registry numbers.  It knows no rule and no SQL, so that a
second computation (recompute.py) reads the very rows that the run saw.

An Engine is a database made by `muhur db init' and the muhur-reconcile that
muhurd would start, sandbox on.  load() puts a Market in place of the one
before, run() reconciles a day and returns what was found.

    from market import *
    begin(__file__)                     # a cluster of our own, see pgtest.sh
    engine = Engine()
    m = Market()
    m.platform("PLA"), m.custodian("CUA"), m.contract("PLA", "CUA")
    m.balances("PLA", [("1000000001", "C1", "CUA", BTC, "1.5")])
    m.custody("CUA", [("PLA", BTC, "COLD", "1")])
    engine.load(m)
    engine.run(DAY).found("R1")         # [Finding(rule='R1', ...)]
    engine.rows("SELECT ... ")          # any result table, as dictionaries

Quantities go in as text and come out as Decimal: no float on the way.
Submissions come out by their MessageIds, never by numbers that depend on the
order of arrival."""

import collections
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from decimal import Decimal

SRC = os.path.abspath(os.environ.get("srcdir", "."))
BUILD = os.getcwd()
DIR = os.environ.get("PGTEST_DIR")
M_READY = 1

# Days long past for any clock that runs this, so that nothing is due by the
# calendar (run_schedule looks 30 days back) but what a test asks for.
BEFORE, DAY, AFTER = "2025-03-09", "2025-03-10", "2025-03-11"
BTC, ETH, SOL = "4H95J0R2X", "X9J9K872S", "D0GT5W2WT"

# The records' tables: columns after those of every record, and what the last
# of them are where a row is shorter.
TABLES = {
    "balance": (("registry_no", "customer_no", "held_at", "asset", "quantity", "locked"), ("0",)),
    "price": (("asset", "currency", "price"), ()),
    "movement": (("movement_id", "registry_no", "customer_no", "asset", "type", "quantity", "occurred_at",
                  "tx_hash", "reverses_id"), (None, None)),
    "netting": (("registry_no", "customer_no", "asset", "opening", "net", "closing"), ()),
    "wallet": (("wallet", "owner", "asset", "quantity", "as_of"), (None,)),
    "reserve": (("kind", "asset", "currency", "quantity", "as_of"), (None,)),
    "custody_omnibus": (("platform", "asset", "wallet", "quantity", "pending"), ("0",)),
    "custody_direct": (("registry_no", "customer_no", "asset", "wallet", "quantity"), ()),
    "listing": (("asset", "status", "valid_from", "reason"), (None,)),
    "reference_rate": (("currency", "rate"), ()),
    "reference_asset": (("asset", "market_value_usd", "listed_on", "custody", "reserve_base"), ("ANY", "true")),
    "reference_weight": (("kind", "asset", "weight"), ()),
    "reference_day": (("day", "kind"), ()),
}

Member = collections.namedtuple("Member", "code kind state")
Contract = collections.namedtuple("Contract", "platform custodian valid_from valid_to full_custody")
# records: [(table, {column: text})], numbered from 1 within the report
Report = collections.namedtuple("Report", "message_id member type day sequence state records")
Finding = collections.namedtuple("Finding", "rule kind key platform custodian asset platform_quantity "
                                 "custodian_quantity difference status detail submissions records")


class Market:
    def __init__(self):
        self.members, self.contracts, self.reports = {}, [], []
        self.member("MKK", "registry"), self.member("SPK", "regulator")
        self.parameters = []        # (name, value, valid_from)
        self.registry = {}          # registry number: known from

    def member(self, code, kind, state="active"):
        self.members[code] = Member(code, kind, state)

    def platform(self, code, **kw):
        self.member(code, "platform", **kw)

    def custodian(self, code, **kw):
        self.member(code, "custodian", **kw)

    def contract(self, platform, custodian, valid_from="2025-01-01", valid_to=None, full_custody=False):
        self.contracts.append(Contract(platform, custodian, valid_from, valid_to, full_custody))

    def parameter(self, name, value, valid_from="2000-01-02"):
        self.parameters.append((name, str(value), valid_from))

    def known(self, *registry_nos, since="2000-01-01"):
        """registry numbers that the registry has given"""
        self.registry.update((no, since) for no in registry_nos)

    def report(self, member, type, records, day=DAY, message_id=None, sequence=1, state="accepted"):
        """A submission; records: [(table, row)], row in the order of TABLES."""
        rows = []
        for table, row in records:
            columns, defaults = TABLES[table]
            missing = len(columns) - len(row)
            assert 0 <= missing <= len(defaults), (table, row)
            row = tuple(row) + (defaults[-missing:] if missing else ())
            rows.append((table, {c: None if v is None else str(v) for c, v in zip(columns, row)}))
        r = Report(message_id or f"{member}-{len(self.reports) + 1}", member, type, day, sequence, state, rows)
        self.reports.append(r)
        return r

    # One short way for each message type; rows as in TABLES, kw as of report().
    def balances(self, member, rows, prices=(), **kw):
        """prices: (asset, currency, price); their records come before the balances"""
        return self.report(member, "BalanceReport", [("price", p) for p in prices] + [("balance", r) for r in rows], **kw)

    def movements(self, member, rows, **kw):
        return self.report(member, "MovementReport", [("movement", r) for r in rows], **kw)

    def netting(self, member, rows, **kw):
        return self.report(member, "NettingReport", [("netting", r) for r in rows], **kw)

    def holdings(self, member, wallets, reserve=(), **kw):
        return self.report(member, "HoldingReport", [("wallet", r) for r in wallets] +
                           [("reserve", r) for r in reserve], **kw)

    def custody(self, member, omnibus, direct=(), **kw):
        return self.report(member, "CustodyReport", [("custody_omnibus", r) for r in omnibus] +
                           [("custody_direct", r) for r in direct], **kw)

    def listings(self, member, rows, **kw):
        return self.report(member, "ListingNotice", [("listing", r) for r in rows], **kw)

    def reference(self, records, member="MKK", **kw):
        """records: [(one of the reference_ tables, row)]"""
        return self.report(member, "ReferenceData", records, **kw)


def literal(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class Run:
    """One run: its number, version, and findings by rule, kind and key."""

    def __init__(self, no, version, findings):
        self.no, self.version, self.findings = no, version, findings

    def found(self, *rules):
        """what is not cured, of these rules, or of all"""
        return [f for f in self.findings if f.status != "cured" and (not rules or f.rule in rules)]

    def brief(self, *rules):
        """found() in lines: rule kind key platform-side custodian-side difference"""
        def text(x):
            return "-" if x is None else format(x.normalize() + 0, "f") if isinstance(x, Decimal) else x
        return [" ".join(map(text, (f.rule, f.kind, f.key, f.platform_quantity, f.custodian_quantity, f.difference)))
                for f in self.found(*rules)]


class Engine:
    def __init__(self):
        self.psql = None
        self.log = f"{DIR}/reconcile.log"
        self.conf = conf = f"{DIR}/muhur.conf"
        with open(f"{DIR}/muhur_owner.password", "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("x\n")
        with open(conf, "w") as f:
            f.write(f'schema_dir = "{SRC}/schemas"\nsecrets_dir = "{DIR}"\ndb_host = "{DIR}"\n'
                    f'state_dir = "{DIR}/state"\n')
        subprocess.run([f"{BUILD}/src/muhur/muhur", "-c", conf, "db", "init"], check=True, stdout=subprocess.DEVNULL)
        self.connect()
        # what is in a table before the first market was shipped, and stays
        self.tables = [t for t in self.column(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname LIKE 'muhur%' AND c.relkind IN ('r', 'p') AND NOT c.relispartition")
            if self.value(f"SELECT NOT EXISTS (SELECT FROM {t})")]
        self.start()

    def connect(self):
        self.psql = subprocess.Popen(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", DIR, "-U", "muhur_owner", "-d", "muhur"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(f"{DIR}/psql.log", "a"), text=True)
        self.execute("SET client_min_messages = warning; SET timezone = 'UTC'")

    def start(self, rules=f"{SRC}/schemas/rules"):
        """muhur-reconcile on its descriptors: channel, configuration, password, rules"""
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"   # it dies under seccomp
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        given = [theirs.fileno(), os.open(self.conf, os.O_RDONLY),
                 os.open(f"{DIR}/muhur_reconcile.password", os.O_RDONLY), os.open(rules, os.O_RDONLY | os.O_DIRECTORY),
                 os.open("/tmp", os.O_TMPFILE | os.O_RDWR)]

        def arrange():
            high = [os.dup2(fd, 50 + i) for i, fd in enumerate(given)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
                os.set_inheritable(3 + i, True)
        self.process = subprocess.Popen([f"{BUILD}/src/reconcile/muhur-reconcile"], preexec_fn=arrange,
                                        close_fds=False, stderr=open(self.log, "a"))
        theirs.close()
        for fd in given[1:]:
            os.close(fd)
        self.channel.settimeout(60)
        kind, = struct.unpack_from("H", self.channel.recv(65536))
        assert kind == M_READY, kind

    def end(self):
        self.channel.close()
        assert self.process.wait(30) == 0

    def stop(self):
        self.end()
        self.psql.stdin.close()
        self.psql.wait()

    # --- the database ---------------------------------------------------------

    def execute(self, sql):
        """What it prints.  An error ends psql, and the test."""
        self.psql.stdin.write(sql + ";\n\\echo -- done\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line == "-- done\n":
                return "".join(lines)
            lines.append(line)
        with open(f"{DIR}/psql.log") as f:
            raise AssertionError(f"psql: {f.read()[-2000:]}\n{sql[:2000]}")

    def rows(self, query):
        """[{column: value}]; numerics with a fraction as Decimal"""
        return json.loads(self.execute(f"SELECT coalesce(json_agg(t), '[]') FROM ({query}) t"), parse_float=Decimal)

    def column(self, query):
        return [next(iter(row.values())) for row in self.rows(query)]

    def value(self, query):
        v, = self.column(query)
        return v

    def load(self, market, order=None):
        """The market in place of the one before.  Its reports arrive in the
        order given, or shuffled by a random.Random: no result depends on it."""
        reports = list(market.reports)
        if isinstance(order, random.Random):
            order.shuffle(reports)
        elif order is not None:
            reports = [reports[i] for i in order]
        members = {"MKK": Member("MKK", "registry", "active"), "SPK": Member("SPK", "regulator", "active")}
        members.update(market.members)
        # first what the worker takes first, where it looks for work meanwhile
        s = ["BEGIN; SELECT pg_advisory_xact_lock(hashtext('muhur.schedule')) \\g /dev/null\n",
             "LOCK TABLE muhur.reconcile_job", f"TRUNCATE {', '.join(self.tables)} RESTART IDENTITY CASCADE",
             "DELETE FROM muhur.parameter WHERE set_at IS NOT NULL"]
        # enrolled long after: nothing is due by the calendar
        s += [f"INSERT INTO muhur.member (code, kind, name, state, created_at) VALUES"
              f" ('{m.code}', '{m.kind}', '{m.code}', '{m.state}', '2200-01-01')" for m in members.values()]
        s += [f"INSERT INTO muhur.contract VALUES ({', '.join(map(literal, c))})" for c in market.contracts]
        s += [f"INSERT INTO muhur.parameter (name, value, valid_from, set_at) VALUES"
              f" ({literal(n)}, {literal(v)}, '{d}', '2025-01-01')" for n, v, d in market.parameters]
        s += [f"INSERT INTO muhur.registry_number VALUES ('{no}', '{d}')" for no, d in market.registry.items()]
        s += [f"SELECT muhur.ensure_day('{d}') \\g /dev/null\n" for d in sorted({r.day for r in reports})]
        for r in reports:
            s += self.submission(r)
        self.execute(";\n".join(s) + ";\nCOMMIT")

    @staticmethod
    def submission(r):
        yield ("INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, sha256, counted,"
               " reserves_id, member_code, message_type, message_id, user_code, business_date, sequence, record_count)"
               f" VALUES (gen_random_uuid(), '{r.member}001', {literal(r.message_id)} || '.xml', 1, '{r.day}'::date + 1,"
               f" '{r.state}', encode(sha256({literal(r.member + '/' + r.message_id)}), 'hex'), true, true, '{r.member}',"
               f" '{r.type}', {literal(r.message_id)}, '{r.member}001', '{r.day}', {r.sequence}, {len(r.records)})")
        by_table = {}
        for no, (table, row) in enumerate(r.records, 1):
            by_table.setdefault(table, []).append(
                f"('{r.day}'::date, lastval(), '{r.member}', {no}, {no + 10}, {', '.join(map(literal, row.values()))})")
        for table, values in by_table.items():
            yield (f"INSERT INTO muhur.{table} (business_date, submission, member_code, record_no, line,"
                   f" {', '.join(TABLES[table][0])}) VALUES\n" + ",\n".join(values))

    # --- runs -----------------------------------------------------------------

    def run(self, day=DAY, cause="operator", limit=240):
        seen = self.value("SELECT count(*) FROM muhur.reconcile_run")
        before = os.path.getsize(self.log)
        self.execute("INSERT INTO muhur.reconcile_job (business_date, not_before, cause)"
                     f" VALUES ('{day}', '2025-01-01', '{cause}'); NOTIFY muhur_job")
        end = time.monotonic() + limit
        while self.value("SELECT count(*) FROM muhur.reconcile_run") == seen:
            with open(self.log) as f:
                f.seek(before)
                said = f.read()
            if "reconciliation failed" in said or self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no run of {day}: {said}")
            time.sleep(0.005)
        return self.result(day)

    def result(self, day=DAY):
        """the newest run of the day"""
        no, version = self.rows(f"SELECT no, version FROM muhur.reconcile_run WHERE business_date = '{day}'"
                                " ORDER BY version DESC LIMIT 1")[0].values()
        names = dict(self.rows_as_pairs("SELECT no, message_id FROM muhur.submission"))

        def number(x):
            return None if x is None else Decimal(x)
        findings = []
        # to_jsonb: the record numbers where findings have them
        for f in self.rows("SELECT b.rule, b.kind, b.key, b.platform, b.custodian, b.asset, f.platform_quantity,"
                           " f.custodian_quantity, f.difference, f.status, f.detail, f.submissions,"
                           " to_jsonb(f) -> 'records' AS records FROM muhur.finding f JOIN muhur.break b ON b.id ="
                           f" f.break_id WHERE f.run = {no} ORDER BY b.rule, b.kind, b.key COLLATE \"C\""):
            f["submissions"] = sorted(names[s] for s in f["submissions"])
            f["records"] = None if f["records"] is None else {names[int(s)]: v for s, v in f["records"].items()}
            for side in ("platform_quantity", "custodian_quantity", "difference"):
                f[side] = number(f[side])
            findings.append(Finding(**f))
        return Run(no, version, findings)

    def rows_as_pairs(self, query):
        return [tuple(row.values()) for row in self.rows(query)]


def begin(file):
    """Starts the test again within a cluster of its own, unless that is so."""
    if DIR is None:
        os.execv("/bin/sh", ["sh", f"{SRC}/tests/unit/pgtest.sh", sys.executable, os.path.abspath(file)])


def main(tests, engine):
    """Runs them, each said to be what its docstring says; exits."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for n, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {n} - {test.__doc__}", flush=True)
        except Exception as e:
            failed += 1
            lines = f"{type(e).__name__}: {e}".splitlines()
            where = e.__traceback__
            while where.tb_next is not None and where.tb_next.tb_frame.f_code.co_filename == test.__code__.co_filename:
                where = where.tb_next
            print(f"not ok {n} - {test.__doc__}\n# line {where.tb_lineno}\n" + "\n".join("# " + x for x in lines), flush=True)
    if not failed:
        engine.stop()
    sys.exit(1 if failed else 0)


def same(got, want):
    """Two lists of lines."""
    if got != want:
        raise AssertionError("\n".join(["found:"] + ["  " + str(x) for x in got] +
                                       ["expected:"] + ["  " + str(x) for x in want]))
