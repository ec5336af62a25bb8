#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""kill -9 at every step of a notice's move to the archive: right after it, and when all
is up again, each notice is in exactly one place, whole, and its move is recorded once."""

import contextlib
import hashlib
import os
import signal
import subprocess

import paramiko

import lib

market = None
names = []		# all notices of PLA that were ever made due here


ARCHIVE, DIRECTORY = "muhur-archive", "muhur-load -D"


def box():
    return os.path.join(market.dir, "state", "boxes", "PLA")


def places(name):
    """Every path in PLA's box that ends so."""
    return [os.path.join(d, name) for d, _, files in os.walk(box()) if name in files]


def hashes():
    return dict(market.sql("SELECT file_name, sha256 FROM muhur.notice WHERE recipient = 'PLA'"))


def in_one_place():
    known = hashes()
    for name in names:
        found = places(name)
        assert len(found) == 1, (name, found)
        with open(found[0], "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == known[name], name


def logs_in():
    with contextlib.suppress(paramiko.AuthenticationException), market.sftp("PLA001"):
        return True
    return False


def due(count=2):
    """So many fresh notices whose days are over now."""
    # what a killed directory had asked for its server may finish before it is back
    lib.wait_for("a login", logs_in)
    fresh = sorted(n.name for n in market.answer(market.send(market.sign(market.balance_report()))))[:count]
    lib.wait_for("nothing to publish", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE published_at IS NULL") == [["0"]])
    names.extend(fresh)
    return fresh


def let_go(fresh):
    listed = ",".join(f"'{n}'" for n in fresh)
    market.sql(f"UPDATE muhur.notice SET outbox_until = now() - interval '1 second' WHERE file_name IN ({listed})")


def archived(fresh):
    """In the end: in the archive alone, recorded, one event each."""
    listed = ",".join(f"'{n}'" for n in fresh)
    lib.wait_for("archived", lambda: market.sql(
        f"SELECT count(*) FROM muhur.notice WHERE archived_at IS NOT NULL AND file_name IN ({listed})") == [[str(len(fresh))]])
    in_one_place()
    for name in fresh:
        assert "/archive/" in places(name)[0], places(name)
    rows = market.sql("SELECT n.file_name, count(*), bool_and(e.detail ->> 'sha256' = n.sha256) FROM muhur.event e"
                      f" JOIN muhur.notice n ON n.no = e.notice WHERE e.kind = 'archived' AND n.file_name IN ({listed})"
                      " GROUP BY 1 ORDER BY 1")
    assert rows == [[n, "1", "t"] for n in sorted(fresh)], rows


@contextlib.contextmanager
def killed_at(pid, calls, when):
    """SIGKILL as the process enters that call the when-th time, from now on."""
    try:
        p = subprocess.Popen(["strace", "-f", "-p", str(pid), "-o", "/dev/null", "-e", f"trace={calls}",
                              "-e", f"inject={calls}:signal=KILL:when={when}"],
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise lib.Skip("no strace") from None
    line = p.stderr.readline()
    if "attached" not in line:
        p.kill()
        p.communicate()
        raise lib.Skip(line.strip())
    try:
        yield
        lib.wait_for(f"{calls} number {when} killed it", lambda: p.poll() is not None)
    finally:
        if p.poll() is None:
            p.terminate()
        p.communicate()


@contextlib.contextmanager
def moved(fresh):
    """They have been moved, and no other transaction can record it meanwhile."""
    archive = market.child(ARCHIVE)
    os.kill(archive, signal.SIGSTOP)		# until the lock is there
    let_go(fresh)
    listed = ",".join(f"'{n}'" for n in fresh)
    p = subprocess.Popen([lib.MARKET, "psql", market.dir, "-Atq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        p.stdin.write(f"BEGIN; SELECT count(*) FROM (SELECT FROM muhur.notice WHERE file_name IN ({listed}) FOR UPDATE) x;\n")
        p.stdin.flush()
        assert p.stdout.readline().strip() == str(len(fresh))
        os.kill(archive, signal.SIGCONT)
        lib.wait_for("moved", lambda: all("/archive/" in p for n in fresh for p in places(n)))
        listed_events = ("SELECT count(*) FROM muhur.event e JOIN muhur.notice n ON n.no = e.notice"
                         f" WHERE e.kind = 'archived' AND n.file_name IN ({listed})")
        assert market.sql(listed_events) == [["0"]]
        yield
    finally:
        p.stdin.write("ROLLBACK;\n")
        p.communicate()


def archive_killed():
    """muhur-archive at each call that moves, makes durable and answers"""
    # rename; the fsync of the day's folder and of the outbox; the answer
    for calls, when in (("rename,renameat,renameat2", 1), ("fsync", 1), ("fsync", 2), ("sendmsg", 1)):
        fresh = due()
        with killed_at(market.child(ARCHIVE), calls, when):
            let_go(fresh)
        in_one_place()
        archived(fresh)


def parent_killed():
    """muhurd as it gives the order, and when the notice has moved but nothing is recorded"""
    fresh = due()
    with killed_at(market.muhurd_pid, "sendmsg", 1):
        let_go(fresh)
    in_one_place()
    market.start()
    archived(fresh)
    fresh = due()
    with moved(fresh):
        market.stop(signal.SIGKILL)
    in_one_place()
    market.start()
    archived(fresh)


def directory_killed():
    """the directory as it gives the order, and in the middle of recording the move"""
    fresh = due()
    with killed_at(market.child(DIRECTORY), "sendmsg", 1):
        let_go(fresh)
    in_one_place()
    archived(fresh)
    fresh = due()
    with moved(fresh):
        os.kill(market.child(DIRECTORY), signal.SIGKILL)
    in_one_place()
    archived(fresh)


def all_killed():
    """every process of the gateway at once"""
    fresh = due()
    with moved(fresh):
        pids = [market.child(ARCHIVE), market.child(DIRECTORY), market.muhurd_pid]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        lib.wait_for("muhurd has ended", lambda: not os.path.exists(f"/proc/{pids[-1]}")
                     or open(f"/proc/{pids[-1]}/stat").read().rsplit(")", 1)[1].split()[0] == "Z")
    in_one_place()
    market.start()
    archived(fresh)


def downloading():
    """a notice that is being downloaded when its days end is delivered whole; who begins later finds it in /archive"""
    name, = due(1)
    data = market.get("PLA001", "/outbox/" + name).data
    day, size = market.sql(f"SELECT day, size FROM muhur.notice WHERE file_name = '{name}'")[0]
    with market.sftp("PLA900") as s:
        with s.open("/outbox/" + name, "rb") as f:
            got = f.read(100)
            let_go([name])
            archived([name])
            while len(got) < int(size):
                got += f.read(700)
        assert got == data
        try:
            s.open("/outbox/" + name, "rb")
            raise AssertionError("still in the outbox")
        except FileNotFoundError:
            pass
        with s.open(f"/archive/{day}/{name}", "rb") as f:
            assert f.read() == data
    lib.wait_for("both recorded", lambda: market.sql(
        "SELECT f.fetches, f.whole FROM muhur.notice_fetch f JOIN muhur.notice n ON n.no = f.notice"
        f" WHERE n.file_name = '{name}' AND f.user_code = 'PLA900'") == [["2", "t"]])


def shown_again():
    """the same bytes once more when their notices are archived: back in the outbox, and there alone"""
    doc = market.sign(market.balance_report())
    fresh = sorted(n.name for n in market.answer(market.send(doc)))
    lib.wait_for("nothing to publish", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE published_at IS NULL") == [["0"]])
    names.extend(fresh)
    let_go(fresh)
    archived(fresh)
    market.send(doc)
    listed = ",".join(f"'{n}'" for n in fresh)
    lib.wait_for("shown again", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE published_at IS NOT NULL AND archived_at IS NULL"
        f" AND file_name IN ({listed})") == [[str(len(fresh))]])
    in_one_place()
    for name in fresh:
        assert "/outbox/" in places(name)[0], places(name)
    market.muhur("archive", "verify")


with lib.Market() as market:
    lib.main(archive_killed, parent_killed, directory_killed, all_killed, downloading, shown_again)
