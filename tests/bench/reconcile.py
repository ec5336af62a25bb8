#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""bench-reconcile: a whole run of all rules with its outputs signed, against one
bare FULL OUTER JOIN of the two days' balances in the same database, by the same
role with the same settings, alternating.

	LINES	balance lines a day (10,000,000; BENCH_SCALE=small: 150,000), half of
		which move within the day
	ROUNDS	of each (3)
	WORK_MEM	PostgreSQL's work_mem for both (64MB)
	DAYS	of a small market that is reconciled day after day (100; small: 20)

The market is a running gateway.  Records are put into the tables by SQL, as a
loader would leave them: what is measured here begins with the queue."""

import datetime
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), HERE]
import lib  # noqa: E402
from bench import SMALL, Memory, Table, median, timed  # noqa: E402

LINES = int(os.environ.get("LINES", 150_000 if SMALL else 10_000_000))
ROUNDS = int(os.environ.get("ROUNDS", 3))
WORK_MEM = os.environ.get("WORK_MEM", "64MB")
DAYS = int(os.environ.get("DAYS", 20 if SMALL else 100))
DAY_LINES = int(os.environ.get("DAY_LINES", 2_000 if SMALL else 50_000))
LIMIT = 3600
OWN_TABLE = 1_000_000	# lines from which a submission has a table of its own

ASSETS = ["4H95J0R2X", "X9J9K872S", "ZFP9K2W9F", "HWRGLMT9T", "20J63Z4N3", "L6GTZC9G4", "820B7G1NL",
          "HWGL1C2CK", "M3Z631TN4", "C4SRNZD8K"]
ARRAY = "(ARRAY['" + "','".join(ASSETS) + "'])"

# Customer c of 0.. is at PLA where c is even, else at PLB, and has three lines: line i is
# customer i / 3's number i % 3.  One line in ninety is in the platform's own wallet.
CUSTOMER = "(i / 3)"
PLATFORM = f"CASE WHEN {CUSTOMER} % 2 = 0 THEN 'PLA' ELSE 'PLB' END"
HELD = (f"CASE WHEN i % 90 = 0 THEN 'OWN' WHEN {CUSTOMER} % 2 = 1 THEN 'CUB' "
        f"WHEN {CUSTOMER} % 4 = 0 THEN 'CUA' ELSE 'CUB' END")
ASSET = f"{ARRAY}[1 + ({CUSTOMER} + 3 * (i % 3)) % 10]"
REGISTRY = f"(1000000000 + {CUSTOMER})::text"
NUMBER = f"'C' || lpad({CUSTOMER}::text, 9, '0') || 'K'"
BASE = "((i::bigint * 7919) % 1000003 + 1)::numeric / 1000 + 0.123456789012"
MOVES = "i % 2 = 0"
STEP = "1.5"


class Bench(lib.Market):
    def __init__(self):
        super().__init__(conf='reconcile_delay = 0\n', limit=120)
        self.no = 0

    def script(self, *statements):
        lib.run(lib.MARKET, "psql", self.dir, "-qAt", "-v", "ON_ERROR_STOP=1", "-c",
                "SET search_path = pg_catalog", *(x for s in statements for x in ("-c", s)))

    def submission(self, member, kind, day, records):
        """A submission that was accepted; its number."""
        self.no += 1
        return int(self.sql(
            "INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, decided_at, sha256,"
            " counted, reserves_id, member_code, message_type, message_id, user_code, business_date, sequence,"
            f" record_count, created_at) VALUES (gen_random_uuid(), '{member}001', '{kind}-{self.no}.xml', 1,"
            f" now(), 'accepted', now(), encode(sha256('{self.no}'), 'hex'), true, true, '{member}', '{kind}',"
            f" 'B-{self.no}', '{member}001', '{day}', {self.no}, {records}, now()) RETURNING no")[0][0])

    def target(self, table, day, submission, records):
        """The table that its records go into, the value of bulk, and what attaches it."""
        if records < OWN_TABLE:
            return f"muhur.{table}", 0, []
        own = self.sql(f"SELECT muhur.own_table('{table}', '{day}', {submission})")[0][0]
        return own, submission, [f"SELECT muhur.attach_table('{table}', '{day}', {submission})"]

    def balances(self, day, lines, steps, name):
        """Every platform's balances of the day after so many steps of movements."""
        for platform, own in (("PLA", 0), ("PLB", 1)):
            no = self.submission(platform, "BalanceReport", day, lines // 2)
            table, bulk, attach = self.target("balance", day, no, lines // 2)
            self.script(
                f"INSERT INTO {table} (business_date, bulk, submission, member_code, record_no, line, registry_no,"
                f" customer_no, held_at, asset, quantity, locked) SELECT '{day}', {bulk}, {no}, '{platform}',"
                f" i + 1, i + 20, {REGISTRY}, {NUMBER}, {HELD}, {ASSET},"
                f" {BASE} + CASE WHEN {MOVES} THEN {steps} * {STEP} ELSE 0 END, 0"
                f" FROM generate_series(0, {lines} - 1) i WHERE {CUSTOMER} % 2 = {own}", *attach,
                "INSERT INTO muhur.price (business_date, submission, member_code, record_no, line, asset, currency, price)"
                f" SELECT '{day}', {no}, '{platform}', row_number() OVER (), 1, a, 'TRY', 100"
                f" FROM unnest({ARRAY}) a")

    def rest(self, day, lines):
        """Movements, nettings, wallets, custodians of a day whose balances are there."""
        for platform, own in (("PLA", 0), ("PLB", 1)):
            no = self.submission(platform, "MovementReport", day, lines // 4)
            table, bulk, attach = self.target("movement", day, no, lines // 4)
            self.script(
                f"INSERT INTO {table} (business_date, bulk, submission, member_code, record_no, line, movement_id,"
                f" registry_no, customer_no, asset, type, quantity, occurred_at) SELECT '{day}', {bulk}, {no},"
                f" '{platform}', i + 1, i + 20, 'M' || i, {REGISTRY}, {NUMBER}, {ASSET}, 'BUY', {STEP},"
                f" timestamptz '{day} 09:00+03' FROM generate_series(0, {lines} - 1) i"
                f" WHERE {CUSTOMER} % 2 = {own} AND {MOVES}", *attach)
            no = self.submission(platform, "HoldingReport", day, 20)
            self.script(
                "INSERT INTO muhur.wallet (business_date, submission, member_code, record_no, line, wallet, owner, asset, quantity)"
                f" SELECT '{day}', {no}, '{platform}', row_number() OVER (), 1, 'HOT', 'CUSTOMER', asset, sum(quantity)"
                f" FROM muhur.balance WHERE business_date = '{day}' AND member_code = '{platform}' AND held_at = 'OWN' GROUP BY asset",
                "INSERT INTO muhur.reserve (business_date, submission, member_code, record_no, line, kind, currency, quantity)"
                f" VALUES ('{day}', {no}, '{platform}', 100, 1, 'DEPOSIT', 'TRY', 1000000000000)")
        for custodian in ("CUA", "CUB"):
            no = self.submission(custodian, "CustodyReport", day, 40)
            self.script(
                "INSERT INTO muhur.custody_omnibus (business_date, submission, member_code, record_no, line, platform, asset,"
                f" wallet, quantity, pending) SELECT '{day}', {no}, '{custodian}', row_number() OVER (), 1, member_code, asset,"
                f" 'COLD', sum(quantity), 0 FROM muhur.balance WHERE business_date = '{day}' AND held_at = '{custodian}'"
                " GROUP BY member_code, asset")

    def reference(self, day):
        no = self.submission("MKK", "ReferenceData", day, 1)
        self.script("INSERT INTO muhur.reference_rate (business_date, submission, member_code, record_no, line, currency, rate)"
                    f" VALUES ('{day}', {no}, 'MKK', 1, 1, 'USD', 40)")

    def listing(self, day):
        for platform in ("PLA", "PLB"):
            no = self.submission(platform, "ListingNotice", day, len(ASSETS))
            self.script("INSERT INTO muhur.listing (business_date, submission, member_code, record_no, line, asset, status, valid_from)"
                        f" SELECT '{day}', {no}, '{platform}', row_number() OVER (), 1, a, 'LISTED', '{day}' FROM unnest({ARRAY}) a")

    def known(self, day, lines):
        self.script("INSERT INTO muhur.registry_number (registry_no, known_from) SELECT (1000000000 + c)::text, "
                    f"'{day}' FROM generate_series(0, ({lines} + 2) / 3) c ON CONFLICT DO NOTHING")

    def ensure(self, *days):
        for day in days:
            self.script(f"SELECT muhur.ensure_day('{day}')")

    def join(self, before, day):
        """The yardstick, as muhur-reconcile's role."""
        return self.sql("SET ROLE muhur_reconcile; SET jit = off; SELECT count(*) FROM "
                        f"(SELECT * FROM muhur.balance WHERE business_date = '{before}') p FULL OUTER JOIN "
                        f"(SELECT * FROM muhur.balance WHERE business_date = '{day}') d "
                        "USING (member_code, registry_no, customer_no, held_at, asset)")[-1][0]

    def reconcile(self, day):
        """From the queue to the run's commit, and until its last notice is in the outbox; its breaks."""
        start = time.monotonic()
        self.script(f"INSERT INTO muhur.reconcile_job (business_date, not_before, cause) VALUES ('{day}', now() - interval '1 hour', 'operator')",
                    "NOTIFY muhur_job")
        def done(query):
            while self.sql(query)[0][0] != "t":
                if time.monotonic() - start > LIMIT:
                    raise SystemExit(f"{day}: not done within {LIMIT} s; see {self.dir}/muhurd.log")
                time.sleep(0.02)
            return time.monotonic() - start
        ran = done(f"SELECT NOT EXISTS (SELECT FROM muhur.reconcile_job WHERE business_date = '{day}')")
        run = self.sql(f"SELECT max(no) FROM muhur.reconcile_run WHERE business_date = '{day}'")[0][0]
        signed = done(f"SELECT NOT EXISTS (SELECT FROM muhur.notice WHERE run = {run} AND published_at IS NULL)")
        return ran, signed, int(self.sql(f"SELECT breaks FROM muhur.reconcile_run WHERE no = {run}")[0][0])

    def processes(self):
        """The worker, the signer, the loaders, and the servers of the worker's connection."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if (self.bin_prefix in words and ("muhur-reconcile" in words or "muhur-signer" in words or "muhur-load" in words)) or \
                    ("postgres: muhur_reconcile " in words) or ("postgres: parallel worker" in words):
                found.append(pid)
        return found

    @property
    def bin_prefix(self):
        return os.path.dirname(os.path.realpath(self.bin))


def one_big_day(b, table):
    day = lib.last_closed_day()
    before = day - datetime.timedelta(days=1)
    b.ensure(before, day)
    b.known(before, LINES)
    b.listing(before)
    b.reference(before)
    b.balances(before, LINES, 0, "before")
    b.balances(day, LINES, 1, "day")
    b.rest(day, LINES)
    b.reference(day)
    b.script("VACUUM ANALYZE muhur.balance", "VACUUM ANALYZE muhur.movement", "VACUUM ANALYZE muhur.registry_number")
    joins, runs, signed, latency = [], [], [], []
    idle = [timed(lambda: b.exchange(b.signed(date=day - datetime.timedelta(days=5), lines=[("1000000001", "C1", "CUA", ASSETS[0], str(n + 1))]),
                                     ))[0] for n in range(3)]
    central = []
    with Memory(b.processes) as memory:
        for n in range(ROUNDS):
            joins.append(timed(lambda: b.join(before, day))[0])
            ran, all_signed, breaks = b.reconcile(day)
            if breaks:
                raise SystemExit(f"{breaks} breaks in a market without any; see {b.dir}")
            runs.append(ran)
            signed.append(all_signed)
            print(f"# round {n + 1}: join {joins[-1]:.2f} s, run {ran:.2f} s, signed {all_signed:.2f} s", flush=True)
    table.row(f"FULL OUTER JOIN, {LINES:,} lines a day, work_mem {WORK_MEM}", joins, joins)
    table.row("run R1-R14, to its commit", runs, joins, memory.peak)
    table.row("... and every notice signed and in its outbox", signed, joins)
    table.note(f"a small report of another day is answered in {median(idle):.2f} s while nothing runs, "
               f"{loading_meanwhile(b, day):.2f} s while the day is reconciled")
    with Memory(b.processes) as memory:
        b.script("UPDATE muhur.parameter SET value = 'run' WHERE name = 'report.central' AND valid_from = '2000-01-02'")
        central.append(b.reconcile(day)[1])
        b.script("UPDATE muhur.parameter SET value = 'none' WHERE name = 'report.central' AND valid_from = '2000-01-02'")
    table.row("the same with the CentralRegistryReport, a line an investor, platform and asset", central, joins, memory.peak)


def loading_meanwhile(b, day):
    """How long a small report of another day takes while the big one is reconciled."""
    b.script(f"INSERT INTO muhur.reconcile_job (business_date, not_before, cause) VALUES ('{day}', now() - interval '1 hour', 'operator')",
             "NOTIFY muhur_job")
    times = []
    while b.sql(f"SELECT EXISTS (SELECT FROM muhur.reconcile_job WHERE business_date = '{day}')")[0][0] == "t" and len(times) < 50:
        times.append(timed(lambda: b.exchange(b.signed(date=day - datetime.timedelta(days=5), lines=[
            ("1000000001", "C1", "CUA", ASSETS[0], f"{len(times) + 100}")])))[0])
    return median(times) if times else float("nan")


def many_days(b, table):
    """Day after day of one small market: the last days must be as fast as the first."""
    last = lib.last_closed_day() - datetime.timedelta(days=20)
    first = last - datetime.timedelta(days=DAYS)
    times = []
    for n in range(DAYS + 1):
        day = first + datetime.timedelta(days=n)
        b.ensure(day)
        if n == 0:
            b.listing(day)
        b.balances(day, DAY_LINES, n, "day")
        b.rest(day, DAY_LINES)
        b.reference(day)
        b.script(*(f"ANALYZE muhur.{t}_{day:%Y%m%d}" for t in ("balance", "movement")))
        ran, _, breaks = b.reconcile(day)
        if breaks:
            raise SystemExit(f"{day}: {breaks} breaks in a market without any; see {b.dir}")
        times.append(ran)
    early, late = times[1:6], times[-5:]
    table.row(f"days 2 to 6 of {DAY_LINES:,} lines each", early, early)
    table.row(f"days {DAYS - 3} to {DAYS + 1}", late, early)


def main():
    table = Table("bench-reconcile", "the bare FULL OUTER JOIN; of the days, to the first ones")
    with Bench() as b:
        b.script(f"ALTER DATABASE muhur SET work_mem = '{WORK_MEM}'")
        b.stop()	# so that every connection has it
        b.start()
        # members enrolled today: no day is due by the calendar
        b.script("UPDATE muhur.contract SET valid_from = '2020-01-01'",
                 "INSERT INTO muhur.parameter (name, valid_from, value) VALUES ('report.central', '2000-01-02', 'none')")
        # the small days come before: what is told of an earlier day has later ones run again
        many_days(b, table)
        one_big_day(b, table)
    table.show()


if __name__ == "__main__":
    main()
