#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""muhur-reconcile as muhurd starts it, sandbox on: it says that it is ready,
runs a queued day, survives a restart of the database's session, and ends when
its channel does."""

import os
import socket
import struct
import subprocess
import sys
import time

SRC = os.path.abspath(os.environ.get("srcdir", "."))
BUILD = os.getcwd()
DIR = os.environ.get("PGTEST_DIR")
if DIR is None:
    os.execv("/bin/sh", ["sh", f"{SRC}/tests/unit/pgtest.sh", sys.executable, os.path.abspath(__file__)])

os.environ["ASAN_OPTIONS"] = "detect_leaks=0"	# it dies under seccomp
CONF = f"{DIR}/muhur.conf"
M_READY = 1


def sql(query):
    return subprocess.run(["psql", "-h", DIR, "-U", "muhur_owner", "-d", "muhur", "-Atqc", query],
                          check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def wait_for(what, condition, limit=240):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {limit} s")
        time.sleep(0.05)


def start():
    """The process and our end of its channel."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    given = [theirs.fileno(), os.open(CONF, os.O_RDONLY), os.open(f"{DIR}/muhur_reconcile.password", os.O_RDONLY),
             os.open(f"{SRC}/schemas/rules", os.O_RDONLY | os.O_DIRECTORY), os.open("/tmp", os.O_TMPFILE | os.O_RDWR)]

    def arrange():
        high = [os.dup2(fd, 50 + i) for i, fd in enumerate(given)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
            os.set_inheritable(3 + i, True)
    p = subprocess.Popen([f"{BUILD}/src/reconcile/muhur-reconcile"], preexec_fn=arrange, close_fds=False,
                         stderr=open(f"{DIR}/reconcile.log", "a"))
    theirs.close()
    for fd in given[1:]:
        os.close(fd)
    ours.settimeout(30)
    kind, = struct.unpack_from("H", ours.recv(65536))
    assert kind == M_READY, kind
    return p, ours


def queue(day):
    sql(f"INSERT INTO muhur.reconcile_job (business_date, not_before, cause) VALUES ('{day}', '2026-01-01', 'operator');"
        " NOTIFY muhur_job")


def has_run(day, version):
    return lambda: sql(f"SELECT count(*) FROM muhur.reconcile_run WHERE business_date = '{day}'"
                       f" AND version = {version}") == "1"


def ready_and_runs():
    """it is ready in its sandbox, and a notification starts a run"""
    global process, channel
    process, channel = start()
    status = open(f"/proc/{process.pid}/status").read()
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status, status
    queue("2026-03-05")
    wait_for("a run", has_run("2026-03-05", 1))
    # PLA and CUA have a contract and sent nothing
    assert sql("SELECT count(*) FROM muhur.finding") == "2"


def reconnects():
    """its session ended by the server, it comes back and goes on"""
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_reconcile'")
    queue("2026-03-05")
    wait_for("a second run", has_run("2026-03-05", 2))


def ends():
    """it ends with 0 when its channel ends"""
    channel.close()
    assert process.wait(30) == 0


def killed():
    """killed in the middle of a run it leaves nothing; the next one does it"""
    global process, channel
    # a lock on a table that the run reads keeps it in the middle
    holder = subprocess.Popen(["psql", "-h", DIR, "-U", "muhur_owner", "-d", "muhur", "-Atqc",
                               "BEGIN; LOCK muhur.custody_omnibus; SELECT pg_sleep(60)"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the lock", lambda: sql("SELECT count(*) FROM pg_locks WHERE relation = "
                                     "'muhur.custody_omnibus'::regclass AND granted") == "1")
    process, channel = start()
    queue("2026-03-06")
    wait_for("a run in the middle", lambda: sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'muhur_reconcile' AND wait_event_type = 'Lock'") == "1")
    process.kill()
    process.wait()
    holder.terminate()
    holder.wait()
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
    wait_for("the sessions' end", lambda: sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'muhur_reconcile'") == "0")
    assert sql("SELECT count(*) FROM muhur.reconcile_run WHERE business_date = '2026-03-06'") == "0"
    assert sql("SELECT count(*) FROM muhur.reconcile_job") == "1"
    process, channel = start()
    wait_for("the run", has_run("2026-03-06", 1))
    channel.close()
    assert process.wait(30) == 0


def prepare():
    with open(f"{DIR}/muhur_owner.password", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("x\n")
    with open(CONF, "w") as f:
        f.write(f'schema_dir = "{SRC}/schemas"\nsecrets_dir = "{DIR}"\ndb_host = "{DIR}"\nstate_dir = "{DIR}/state"\n')
    muhur = [f"{BUILD}/src/muhur/muhur", "-c", CONF]
    for argv in (["db", "init"], ["member", "add", "PLA", "--kind", "platform", "--name", "A"],
                 ["member", "add", "CUA", "--kind", "custodian", "--name", "B"],
                 ["contract", "add", "PLA", "CUA", "--from", "2026-01-01"]):
        subprocess.run(muhur + argv, check=True, stdout=subprocess.DEVNULL)


process = channel = None
prepare()
tests = [ready_and_runs, reconnects, ends, killed]
print(f"1..{len(tests)}")
failed = 0
for n, test in enumerate(tests, 1):
    try:
        test()
        print(f"ok {n} - {test.__doc__}")
    except Exception as e:
        failed += 1
        print(f"not ok {n} - {test.__doc__}\n# {type(e).__name__}: {e}")
        with open(f"{DIR}/reconcile.log") as f:
            print("".join("# " + line for line in f.readlines()[-20:]))
sys.exit(1 if failed else 0)
