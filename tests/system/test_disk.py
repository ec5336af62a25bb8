#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A disk that is full, or fails, under an upload: no success without a
submission, nothing half-taken, nothing lost that may be gone on with; the
operator sees it once, and when there is space again all goes on.

The gateway's state lies on a small tmpfs, for which one must be root; single
calls are made to fail with strace, for which one must be allowed to trace."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess

import lib
from wire import CLOSE, EXTENDED, FAILURE, OK, RENAME, W, Wire

market = None
small = None		# why there is no small disk, "" where there is

NO_SPACE = "no space left"
SEND_AGAIN = "send it again"
FSYNC = "fsync@openssh.com"


# --- a small disk -------------------------------------------------------------------

@contextlib.contextmanager
def small_disk():
    """The state moves to a disk of 16 MB and 500 names; yields why it could not."""
    state = os.path.join(market.dir, "state")
    market.stop()
    shutil.rmtree(state)
    os.mkdir(state)
    p = lib.run("mount", "-t", "tmpfs", "-o", "size=16m,nr_inodes=500,mode=0755", "tmpfs", state, ok=None)
    market.start()
    try:
        yield p.stderr.strip().split("\n")[0]
    finally:
        market.stop()
        if p.returncode == 0:
            lib.run("umount", state)


def need_small_disk():
    if small:
        raise lib.Skip(small)


@contextlib.contextmanager
def full(bytes_left=None, names_left=None):
    """Meanwhile there is this much and no more."""
    filler = os.path.join(market.dir, "state", "filler")
    os.mkdir(filler)
    try:
        vfs = os.statvfs(filler)
        if bytes_left is not None:
            with open(os.path.join(filler, "bytes"), "wb") as f:
                os.posix_fallocate(f.fileno(), 0, vfs.f_bavail * vfs.f_bsize - bytes_left)
        for n in range(0 if names_left is None else vfs.f_favail - names_left):
            open(os.path.join(filler, str(n)), "wb").close()
        yield
    finally:
        shutil.rmtree(filler)


# --- calls that fail ----------------------------------------------------------------

@contextlib.contextmanager
def failing(pid, calls, error="ENOSPC", when="1+"):
    """These system calls of a running process, from the when-th on, end with that error."""
    trace = os.path.join(market.dir, "trace")
    try:		# a call that every sandbox allows stands in for those that fail
        p = subprocess.Popen(["strace", "-f", "-p", str(pid), "-o", trace, "-e", f"trace={calls}", "-e",
                              f"inject={calls}:error={error}:when={when}:syscall=getpid"], stderr=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise lib.Skip("no strace") from None
    line = p.stderr.readline()
    if "attached" not in line:
        p.kill()
        p.communicate()
        raise lib.Skip(line.strip())
    try:
        yield
    finally:
        p.terminate()
        p.communicate()
    with open(trace) as f:
        assert "(INJECTED)" in f.read(), f"no {calls} was made to fail"


def session_pid(since):
    return int(re.findall(r"muhur-sftp-session\[(\d+)\]: info: PLA001 of PLA logged in", market.log(since))[-1])


# --- what holds after each ------------------------------------------------------------

def received():
    return os.listdir(os.path.join(market.dir, "state", "spool", "received"))


def quiet():
    """Nothing is at work, so that the next fsync or rename is ours."""
    lib.wait_for("all is concluded and published", lambda: not received() and market.sql(
        "SELECT 1 FROM muhur.notice WHERE published_at IS NULL") == [])


def accepted(name, doc):
    """One submission of these bytes, answered once."""
    _, notice = market.answer(name)
    assert notice.name.endswith(".accepted.xml"), notice.codes
    assert [e.text for e in notice.all("FileSHA256")] == [hashlib.sha256(doc).hexdigest()] and market.sent(name) == 1, name
    levels = market.sql("SELECT n.level FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
                        f" WHERE s.file_name = '{name}' ORDER BY 1")
    assert levels == [["accepted"], ["received"]], (name, levels)


def alarms(since, count, text):
    """Said aloud, once for each time; the trail and the archive, which share the disk, say so for themselves."""
    lines = [line for line in market.log(since).splitlines() if "alarm:" in line
             and "muhur-sequencer[" not in line and "muhur-archive[" not in line]
    assert len(lines) == count and all(text in line for line in lines), lines
    market.sound(since)


def good():
    assert market.exchange(market.signed()) == ("accepted", [])


def large():
    return market.signed(lines=[("1000000001", f"C{n}", "CUA", "4H95J0R2X", "1") for n in range(10000)])


def sftp(commands):
    """OpenSSH's sftp in the market's folder: its exit code."""
    return lib.run(*market.openssh("-b", "-"), ok=None, input=commands + "\n", cwd=market.dir).returncode


# --- full -----------------------------------------------------------------------------

def full_write():
    """no space for the bytes: the write says so, the beginning is kept, and is gone on with or begun anew later"""
    need_small_disk()
    docs = [large() for _ in range(3)]
    for n, doc in enumerate(docs):
        with open(os.path.join(market.dir, f"write{n}.xml"), "wb") as f:
            f.write(doc)
    since = market.log_size()
    with Wire(market) as w:
        h = w.open("/inbox/write0.xml")
        at = 0
        with full(bytes_left=256 * 1024):
            while w.write(h, doc := docs[0][at:at + 32768], at) == [OK]:
                at += len(doc)
                assert at < len(docs[0])
            assert at > 0 and NO_SPACE in w.text, (at, w.text)
        # too late for this handle: what should have come in between is not there
        assert set(w.write(h, docs[0][at + 32768:], at + 32768)) == {FAILURE} and "begin again" in w.text
        assert w.status(CLOSE, 1, h) == FAILURE and "not taken" in w.text, w.text
        left = w.size("/inbox/write0.xml")
        assert at <= left < at + 32768
        with open(f"{market.dir}/state/boxes/PLA/users/PLA001/inbox/write0.xml", "rb") as f:
            assert f.read() == docs[0][:left]
        alarms(since, 1, "No space left on device")
    # pipelined, and the connection drops before the close; and a stock client
    since = market.log_size()
    with full(bytes_left=256 * 1024):
        with Wire(market) as w:
            h = w.open("/inbox/write1.xml")
            codes = w.write(h, docs[1])
            assert codes[0] == OK and codes[-1] == FAILURE and codes == sorted(codes), codes
        lib.wait_for("the session has ended", lambda: "left write1.xml unfinished" in market.log(since))
        assert sftp("put write2.xml /inbox/") == 1
        alarms(since, 2, "No space left on device")
    assert [market.sent(f"write{n}.xml") for n in range(3)] == [0, 0, 0]
    assert sftp("reput write0.xml /inbox/write0.xml\nput write1.xml /inbox/\nput write2.xml /inbox/") == 0
    for n, doc in enumerate(docs):
        accepted(f"write{n}.xml", doc)
    good()


def full_names():
    """no space for a name: nothing can be begun or taken, all stays as it was, and goes on later"""
    need_small_disk()
    doc, part = market.signed(), market.signed()
    quiet()
    with Wire(market) as w:
        h = w.open("/inbox/name.xml")
        assert w.write(h, doc) == [OK] and w.upload("/inbox/name.part", part) == OK
        since = market.log_size()
        with full(names_left=0):
            assert w.refused("/inbox/other.xml") == FAILURE and NO_SPACE in w.text, w.text
            assert w.status(CLOSE, 1, h) == FAILURE and NO_SPACE in w.text, w.text
            assert w.status(RENAME, 1, "/inbox/name.part", "/inbox/renamed.xml") == FAILURE and NO_SPACE in w.text
            assert w.status(RENAME, 1, "/inbox/name.part", "/inbox/again.part") == OK	# a name for a name
            assert w.size("/inbox/other.xml") is None and w.size("/inbox/renamed.xml") is None
            assert w.size("/inbox/name.xml") == len(doc) and w.size("/inbox/again.part") == len(part)
            assert received() == []
            alarms(since, 3, "No space left on device")
            try:
                with Wire(market, "PLB900"):
                    raise AssertionError("a user without a box is in")
            except lib.paramiko.SSHException:
                pass
            alarms(since, 4, "No space left on device")
        assert market.sent("name.xml") == market.sent("renamed.xml") == 0
        assert w.status(RENAME, 1, "/inbox/again.part", "/inbox/renamed.xml") == OK, w.text
        h = w.open("/inbox/name.xml", W)
        assert w.write(h, doc[-1:], len(doc) - 1) == [OK] and w.status(CLOSE, 1, h) == OK, w.text
        with Wire(market, "PLB900") as other:
            assert other.size("/inbox") is not None
    accepted("name.xml", doc)
    accepted("renamed.xml", part)
    good()


def full_after_taking():
    """no space for what follows the taking: the answer comes when there is again, once"""
    need_small_disk()
    for how, room in (("bytes", {"bytes_left": 0}), ("names", {"names_left": 1})):
        name, doc = f"taken-{how}.xml", market.signed()
        quiet()
        since = market.log_size()
        with Wire(market) as w:
            h = w.open("/inbox/" + name)
            assert w.write(h, doc) == [OK]
            with full(**room):
                assert w.status(CLOSE, 1, h) == OK, w.text
                lib.wait_for("the operator is told", lambda: "alarm:" in market.log(since))
                lib.wait_for("its records are there", lambda: market.sql(
                    f"SELECT state FROM muhur.submission WHERE file_name = '{name}'") == [["accepted"]])
                assert market.sql("SELECT 1 FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission WHERE"
                                  f" s.file_name = '{name}' AND published_at IS NOT NULL") == []
        accepted(name, doc)
        market.sound(since)
        good()


# --- failing --------------------------------------------------------------------------

def session_fsync():
    """fsync fails in the session: what reached the disk nobody knows, so it is sent again, and nothing else"""
    docs = [market.signed() for _ in range(3)]
    since = market.log_size()
    with Wire(market) as w:
        pid, start = session_pid(since), market.log_size()
        h = w.open("/inbox/sync0.xml")
        with failing(pid, "fsync", when="1"):
            assert w.write(h, docs[0]) == [OK]
            assert w.status(CLOSE, 1, h) == FAILURE and SEND_AGAIN in w.text, w.text
        h = w.open("/inbox/sync1.xml")
        with failing(pid, "fsync", when="1"):		# the next one would succeed
            assert w.write(h, docs[1]) == [OK]
            assert w.status(EXTENDED, 1, FSYNC, h) == FAILURE and SEND_AGAIN in w.text, w.text
        assert w.status(EXTENDED, 1, FSYNC, h) == FAILURE
        assert w.status(CLOSE, 1, h) == FAILURE and SEND_AGAIN in w.text, w.text
        assert w.size("/inbox/sync0.xml") is None and w.size("/inbox/sync1.xml") is None
        h = w.open("/inbox/sync2.xml")
        with failing(pid, "fsync", when="1"):		# the connection drops
            assert w.write(h, docs[2][:1000]) == [OK]
            w.client.close()
            lib.wait_for("the session has ended", lambda: not os.path.exists(f"/proc/{pid}"))
    alarms(start, 3, "No space left on device")
    assert [market.sent(f"sync{n}.xml") for n in range(3)] == [0, 0, 0]
    with Wire(market) as w:
        lib.wait_for("it cannot be gone on with", lambda: w.size("/inbox/sync2.xml") is None)
        for n, doc in enumerate(docs):
            assert w.upload(f"/inbox/sync{n}.xml", doc) == OK, w.text
    for n, doc in enumerate(docs):
        accepted(f"sync{n}.xml", doc)


def session_write():
    """the disk's quota is used up, or the disk fails, while one writes: said, kept up to there, not taken"""
    for error, text, log in (("EDQUOT", NO_SPACE, "Disk quota exceeded"), ("EIO", "operator", "Input/output error")):
        doc = market.signed()
        since = market.log_size()
        with Wire(market) as w:
            pid = session_pid(since)
            h = w.open(f"/inbox/{error}.xml")
            assert w.write(h, doc[:1000]) == [OK]
            with failing(pid, "pwrite64", error, "1"):
                assert w.write(h, doc[1000:], 1000) == [FAILURE] and text in w.text, w.text
            assert w.status(CLOSE, 1, h) == FAILURE and w.size(f"/inbox/{error}.xml") == 1000
            alarms(since, 1, log)
            assert market.sent(f"{error}.xml") == 0
            h = w.open(f"/inbox/{error}.xml", W)
            assert w.write(h, doc[1000:], 1000) == [OK] and w.status(CLOSE, 1, h) == OK
        accepted(f"{error}.xml", doc)


def taking_fsync():
    """any fsync of the taking fails: no success, nothing in inbox or spool, and it is sent again"""
    docs = [market.signed() for _ in range(5)]
    for n, doc in enumerate(docs):
        name = f"take{n}.xml"
        quiet()
        since = market.log_size()
        with Wire(market) as w:
            first = name if n < 4 else "take4.part"	# the file, its folder, received, the inbox; renamed
            h = w.open("/inbox/" + first)
            assert w.write(h, doc) == [OK] and (n < 4 or w.status(CLOSE, 1, h) == OK)
            with failing(market.muhurd_pid, "fsync", when=str(n % 4 + 1)):
                assert (w.status(CLOSE, 1, h) if n < 4 else
                        w.status(RENAME, 1, "/inbox/" + first, "/inbox/" + name)) == FAILURE
                assert SEND_AGAIN in w.text, w.text
            assert w.size("/inbox/" + first) is None and w.size("/inbox/" + name) is None and received() == []
            alarms(since, 1, "No space left on device")
            assert market.sent(name) == 0
            assert w.upload("/inbox/" + name, doc) == OK, w.text
        accepted(name, doc)


def taking_rename():
    """the folder, the rename or the mode of the taking fails: no success, the upload is in the inbox as before"""
    for calls in ("mkdirat,mkdir", "renameat,renameat2,rename", "fchmod"):
        for way in ("close", "rename"):
            doc, name = market.signed(), f"{way}-{calls.split(',')[0]}.xml"
            first = name if way == "close" else name + ".part"
            quiet()
            since = market.log_size()
            with Wire(market) as w:
                h = w.open("/inbox/" + first)
                assert w.write(h, doc) == [OK] and (way == "close" or w.status(CLOSE, 1, h) == OK)

                def taken():
                    if way == "close":
                        return w.status(CLOSE, 1, h)
                    return w.status(RENAME, 1, "/inbox/" + first, "/inbox/" + name)
                with failing(market.muhurd_pid, calls, when="1"):
                    assert taken() == FAILURE and NO_SPACE in w.text, w.text
                assert w.size("/inbox/" + first) == len(doc) and received() == []
                alarms(since, 1, "No space left on device")
                assert market.sent(name) == 0
                if way == "close":
                    h = w.open("/inbox/" + first, W)
                    assert w.write(h, doc[-1:], len(doc) - 1) == [OK]
                assert taken() == OK, w.text
            accepted(name, doc)


def listing_fails():
    """the listing of what was sent fails: it is taken all the same, and answered"""
    doc = market.signed()
    quiet()
    with Wire(market) as w:
        h = w.open("/inbox/unlisted.xml")
        assert w.write(h, doc) == [OK]
        with failing(market.muhurd_pid, "linkat,link", when="1"):
            assert w.status(CLOSE, 1, h) == OK, w.text
        assert w.size("/inbox/unlisted.xml") is None
    accepted("unlisted.xml", doc)
    good()


with lib.Market() as market, small_disk() as small:
    lib.main(full_write, full_names, full_after_taking, session_fsync, session_write, taking_fsync, taking_rename,
             listing_fails)
