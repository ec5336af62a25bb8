#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Days of a small market of ten members, one after the other by the moved clock: all that
was sent is answered, each notice is in exactly one place, and the counts balance.

$DAYS, by default 4; `make check-year' takes 366.  The notices stay in the outbox for
seven days, in a short run for two."""

import datetime
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import lib

DAYS = int(os.environ.get("DAYS", "4"))
STAY = 7 if DAYS > 14 else 2
DAY = 24 * 3600
MORE = (("PLC", "platform"), ("PLD", "platform"), ("CUC", "custodian"))
HOLDS = (("PLA", "CUA"), ("PLB", "CUB"), ("PLC", "CUC"), ("PLD", "CUC"))
READERS = ("PLA001", "PLB001", "PLC001", "PLD001", "CUA001", "CUB001", "CUC001", "SPK001", "MKK001", "UYM001")
LAZY = "CUC001"		# fetches every third day

CONF = f"""outbox_retention = {STAY * DAY}
signing_time_past = {(DAYS + 10) * DAY}
crl_grace = {min(DAYS + 10, 366) * DAY}
"""

market = None
sent = {"PLA": 0}		# submissions by member
expected = {"accepted": 0, "rejected": 0, "repeated": 0}
fetched = {user: {} for user in READERS}	# by whom: file name -> SHA-256
seconds = []		# each day's
cpu, reread = [], []	# CPU of gateway and database, whatever else the machine does; of it, what re-reads the store
pool = ThreadPoolExecutor(2)


def more_members():
    for code, kind in MORE:
        user = code + "001"
        lib.run(os.path.join(lib.TOP, "pki", "make-pki"), "issue", market.pki, user + ":p256")
        market.muhur("member", "add", code, "--kind", kind, "--name", "Member " + code)
        market.muhur("user", "add", user, "--cert", f"{market.pki}/{user}.pem", "--ssh-key", f"{market.pki}/{user}.ssh.pub")
    first = str(datetime.date.today() - datetime.timedelta(days=40))
    for platform, custodian in HOLDS[2:]:
        market.muhur("contract", "add", platform, custodian, "--from", first)


def documents(n, date):
    """What is sent on the n-th day about date: (user, document, what becomes of it)."""
    quantity = {p: f"{n + i}.5" for i, (p, _) in enumerate(HOLDS)}
    drafts = []
    for p, c in HOLDS:
        # each fifth day one side differs: a break
        lines = [("1000000001", f"C{p}", c, "4H95J0R2X", quantity[p] if n % 5 or p != "PLB" else "1")]
        drafts.append((p + "001", market.balance_report(p + "001", lines, date=date), "accepted"))
    for c in ("CUA", "CUB", "CUC"):
        lines = [(p, "4H95J0R2X", "COLD", quantity[p]) for p, x in HOLDS if x == c]
        drafts.append((c + "001", market.custody_report(c + "001", lines, date=date), "accepted"))
    if n % 3 == 0:
        drafts.append(("PLA001", market.balance_report("PLA001", totals={"4H95J0R2X": "999"}, date=date), "rejected"))
    signed = list(pool.map(lambda d: market.sign(d[1], d[0]), drafts))
    result = [(user, doc, fate) for (user, _, fate), doc in zip(drafts, signed)]
    if n % 4 == 0:
        result.append((result[0][0], result[0][1], "repeated"))		# the same bytes once more
    return result


def send(n, docs):
    for i, (user, doc, fate) in enumerate(docs):
        with market.sftp(user) as s:
            lib.put(s, doc, f"d{n:03}-{i}.xml")
        sent[user[:-3]] = sent.get(user[:-3], 0) + 1
        expected[fate] += 1


def quiet(n, count):
    """All of the day is answered, signed and published; what is over is archived."""
    market_now = f"now() + interval '{n} days'"
    lib.wait_for("all answered", lambda: market.sql(
        f"SELECT count(*) FROM muhur.submission WHERE file_name LIKE 'd{n:03}-%' AND state <> 'received'") == [[str(count)]])
    lib.wait_for("nothing left to do", lambda: market.sql(
        "SELECT (SELECT count(*) FROM muhur.notice WHERE published_at IS NULL OR archived_at IS NULL"
        # a job is put off by reconcile_delay: it is not done because it is not due yet
        f" AND outbox_until < {market_now}) + (SELECT count(*) FROM muhur.reconcile_job"
        f" WHERE not_before < {market_now} + interval '1 minute')") == [["0"]])


def fetch(n):
    """Each member gets what it has not got; the same name has the same bytes for ever."""
    for user in READERS:
        if user == LAZY and n % 3:
            continue
        with market.sftp(user) as s:
            for name in s.listdir("/outbox"):
                if name not in fetched[user] or n % 10 == 0:
                    with s.open("/outbox/" + name, "rb") as f:
                        digest = hashlib.sha256(f.read()).hexdigest()
                    assert fetched[user].setdefault(name, digest) == digest, name


def used(pid, name=None):
    """Seconds of CPU by the process, those that it waited for, and those that live; name: by those of that name."""
    def one(pid):
        with open(f"/proc/{pid}/stat") as f:
            before, after = f.read().rsplit(") ", 1)
        if name not in (None, before.split(" (", 1)[1]):
            return 0
        return sum(map(int, after.split()[11:15])) / os.sysconf("SC_CLK_TCK")

    total, pids = 0, [pid]
    for pid in pids:
        try:
            total += one(pid)
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                pids += f.read().split()
        except OSError:
            pass
    return total


def database():
    with open(os.path.join(market.dir, "pg", "data", "postmaster.pid")) as f:
        return used(int(f.readline()))


def days():
    """every day is exchanged, answered, fetched and reconciled"""
    more_members()
    for n in range(DAYS):
        began, before = time.monotonic(), database()
        if n:
            market.stop()
            market.set_conf("clock_offset", n * DAY)
            market.start()
        docs = documents(n, lib.last_closed_day() + datetime.timedelta(days=n))
        send(n, docs)
        quiet(n, len(docs))
        fetch(n)
        seconds.append(time.monotonic() - began)
        cpu.append(used(market.muhurd_pid) + database() - before)
        reread.append(used(market.muhurd_pid, "muhur-archive"))
        market.sound()


def balance():
    """as many came as were sent, as many were decided as came, each with its notices"""
    rows = dict(market.sql("SELECT state, count(*) FROM muhur.submission GROUP BY 1"))
    assert rows == {k: str(v) for k, v in expected.items() if v}, (rows, expected)
    assert dict(market.sql("SELECT member_code, count(*) FROM muhur.submission GROUP BY 1")) == \
        {k: str(v) for k, v in sent.items()}
    total = sum(expected.values())

    def events(kind):
        return int(market.sql(f"SELECT count(*) FROM muhur.event WHERE kind = '{kind}'")[0][0])
    for kind in ("received", "accepted", "rejected"):
        assert events(kind) == (total if kind == "received" else expected[kind]), (kind, events(kind))
    notices, signed, archived, fetches = (int(v) for v in market.sql(
        "SELECT count(*), count(sha256), count(archived_at), (SELECT count(*) FROM muhur.notice_fetch WHERE whole)"
        " FROM muhur.notice")[0])
    assert notices == signed == events("signed"), (notices, signed, events("signed"))
    assert archived == events("archived")
    assert (archived > 0) == (DAYS > STAY), archived
    # what was repeated has its first answers, and no others
    answers = dict(market.sql("SELECT level, count(*) FROM muhur.notice WHERE level IS NOT NULL GROUP BY 1"))
    assert int(answers["received"]) == expected["accepted"] + expected["rejected"], answers
    assert int(answers["accepted"]) == expected["accepted"] and int(answers.get("rejected", 0)) == expected["rejected"], answers
    # each that was fetched is recorded as whole, once as an event
    lib.wait_for("all downloads recorded", lambda: int(market.sql(
        "SELECT count(*) FROM muhur.notice_fetch WHERE whole")[0][0]) == sum(map(len, fetched.values())))
    assert events("fetched") == sum(map(len, fetched.values()))
    # nobody but the lazy one has something that was archived without being fetched
    lazy = {r[0] for r in market.sql("SELECT DISTINCT recipient FROM muhur.notice_unfetched WHERE archived_at IS NOT NULL")}
    assert lazy <= {LAZY[:-3]}, lazy


def places():
    """each notice is in exactly one of outbox and archive, with the bytes that were signed"""
    found = {}
    boxes = os.path.join(market.dir, "state", "boxes")
    for member in os.listdir(boxes):
        for folder, _, files in os.walk(os.path.join(boxes, member)):
            if "/users/" in folder + "/":
                continue
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    found.setdefault((member, name), []).append(
                        (os.path.relpath(folder, os.path.join(boxes, member)), hashlib.sha256(f.read()).hexdigest()))
    expected_places = {(m, name): [("archive/" + day if archived == "t" else "outbox", sha)] for m, name, sha, day, archived in
                       market.sql("SELECT recipient, file_name, sha256, day, archived_at IS NOT NULL FROM muhur.notice")}
    assert found == expected_places, {k: (found.get(k), expected_places.get(k))
                                      for k in set(found) ^ set(expected_places)
                                      | {k for k in found if found[k] != expected_places.get(k)}}
    for user, names in fetched.items():
        for name, digest in names.items():
            assert found[user[:-3], name][0][1] == digest, (user, name)


def has(command):
    if market.muhur(command, "--help", ok=None).returncode == 2:
        raise lib.Skip(f"there is no muhur {command}")


def trail_verifies():
    """every event is a leaf, and the trail verifies"""
    has("trail")
    lib.wait_for("every event is a leaf", lambda: market.sql("SELECT count(*) FROM muhur.trail_queue") == [["0"]])
    lib.wait_for("a checkpoint covers it", lambda: market.sql(
        "SELECT (SELECT max(size) FROM muhur.trail_checkpoint) = (SELECT count(*) FROM muhur.trail_leaf)") == [["t"]], 90)
    market.muhur("trail", "verify")


def archive_verifies():
    """the archive verifies"""
    has("archive")
    market.muhur("archive", "verify")


def times():
    """a day takes as long at the end as at the beginning: told, not judged"""
    k = min(30, max(1, DAYS // 3))
    print(f"# {DAYS} days, {sum(expected.values())} submissions; a day's median, first {k} and last {k} days:")
    # the background pass reads all that there is, once a day of this clock
    rest = [a - b for a, b in zip(cpu, reread)]
    for what, each in (("in all", seconds), ("CPU of gateway and database", cpu), ("... without muhur-archive", rest)):
        first, last = (sorted(part)[len(part) // 2] for part in (each[1:k + 1] or each, each[-k:]))
        print(f"# {what}: {first:.2f} s, {last:.2f} s, ratio {last / first:.2f}")


with lib.Market(CONF) as market:
    lib.main(days, balance, places, trail_verifies, archive_verifies, times)
