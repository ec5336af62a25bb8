#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The store: submissions are compressed and still what they were, what judged
them is kept, the background pass finds rot and goes on where it was, and only
`muhur archive purge' removes anything.

The full disk is a small tmpfs, for which one must be root."""

import contextlib
import datetime
import glob
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess

import lib

market = None
GOOD_SUM = "GOOD: "


def store(*path):
    return os.path.join(market.dir, "state", "store", *path)


def kept(sha256):
    """The forms in which the document is there."""
    return sorted(os.path.basename(p)[64:] for p in glob.glob(store(sha256[:2], sha256) + "*"))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def large(n=20000):
    return market.signed(lines=[("1000000001", f"C{i}", "CUA", "4H95J0R2X", "1") for i in range(n)])


def compressed(sha256):
    lib.wait_for("it is compressed", lambda: kept(sha256) == [".zst"] and shelved(sha256))


def shelved(sha256):
    return market.sql(f"SELECT 1 FROM muhur.submission WHERE sha256 = '{sha256}' AND shelved_at IS NULL"
                      " AND purged_at IS NULL") == []


def files():
    """Every document in the store."""
    return [f for f in glob.glob(store("??", "*")) if re.fullmatch(r"[0-9a-f]{64}(\.zst)?", os.path.basename(f))]


def leftovers():
    return [f for f in glob.glob(store("??", ".*"))]


def verify(*argv, ok=(0,)):
    return market.muhur("archive", "verify", *argv, ok=ok).stdout


def restart(**conf):
    market.stop()
    for key, value in conf.items():
        market.set_conf(key, value)
    market.start()


def pass_anew():
    """The gateway, or its archive process, begins its next pass from the start."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(store(".cursor"))


def cursor():
    with contextlib.suppress(FileNotFoundError), open(store(".cursor")) as f:
        return dict(line.split(" ", 1) for line in f.read().splitlines())
    return {}


def passes():
    return market.sql("SELECT detail->>'documents', detail->>'rotten' FROM muhur.event"
                      " WHERE kind = 'archive-verified' ORDER BY no")


# --- compressed ---------------------------------------------------------------------

def compresses():
    """a submission is compressed, its notices are not, and everything reads both"""
    doc = large()
    name = market.send(doc)
    _, accepted = market.answer(name)
    compressed(sha(doc))
    packed = os.path.getsize(store(sha(doc)[:2], sha(doc) + ".zst"))
    assert packed < len(doc) / 5, (packed, len(doc))
    ident = market.sql(f"SELECT id FROM muhur.submission WHERE file_name = '{name}'")[0][0]
    for command in (("submission", "get", ident), ("archive", "get", ident), ("archive", "get", sha(doc))):
        out = os.path.join(market.dir, "out")
        market.muhur(*command, out)
        with open(out, "rb") as f:
            assert f.read() == doc, command
        os.unlink(out)
    assert kept(sha(accepted.data)) == [""]
    rows = market.json("archive", "list", "--kind", "submission", "--member", "PLA")
    assert [(r["sha256"], r["kept"]) for r in rows] == [(sha(doc), "compressed")], rows
    assert verify().splitlines()[-1].startswith(GOOD_SUM)
    market.doc, market.name = doc, name


def again():
    """the same bytes once more: both forms for a while, then one"""
    market.send(market.doc)
    lib.wait_for("it is decided", lambda: market.sql("SELECT 1 FROM muhur.submission WHERE state = 'repeated'"))
    compressed(sha(market.doc))
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


def notice_again():
    """a notice that comes back as a submission stays as it is, since the outbox shows it"""
    with market.sftp("PLA001") as s:
        name = sorted(s.listdir("/outbox"))[0]
    data = market.get("PLA001", "/outbox/" + name).data
    market.send(data)
    lib.wait_for("it is rejected", lambda: market.sql(
        f"SELECT 1 FROM muhur.submission WHERE sha256 = '{sha(data)}' AND shelved_at IS NOT NULL"))
    assert kept(sha(data)) == [""]
    assert market.get("PLA001", "/outbox/" + name).data == data


# --- what judged ----------------------------------------------------------------------

def material():
    """each judgement names the anchors, lists and schemas that it was made with, to the byte"""
    def listing():
        ident = market.sql("SELECT material FROM muhur.submission ORDER BY no DESC LIMIT 1")[0][0]
        lib.wait_for("it is kept", lambda: kept(ident) == [""])
        text = market.muhur("archive", "get", ident).stdout
        assert sha(text.encode()) == ident
        return ident, {name: h for h, name in (line.split("  ", 1) for line in text.splitlines())}

    def digest(path):
        with open(path, "rb") as f:
            return sha(f.read())

    first, names = listing()
    assert list(names) == sorted(names)
    trust = f"{market.pki}/trust.pem"
    assert names["anchors.pem"] == digest(trust) and names["crl.pem"] == digest(f"{market.pki}/crl.pem"), names
    schemas = {f"schemas/{f}": digest(os.path.join(lib.TOP, "schemas", "xml", f))
               for f in os.listdir(os.path.join(lib.TOP, "schemas", "xml")) if f.endswith(".xsd")}
    assert {n: h for n, h in names.items() if n.startswith("schemas/")} == schemas
    for h in names.values():
        assert kept(h) == [""], h
    # other anchors from now on: the same, written otherwise
    with open(trust) as f:
        text = f.read()
    with open(trust + ".new", "w") as f:
        f.write("# renewed\n" + text)
    os.rename(trust + ".new", trust)
    since = market.log_size()
    os.kill(market.muhurd_pid, signal.SIGHUP)
    lib.wait_for("it is kept", lambda: re.search(r"material [0-9a-f]{64} is kept", market.log(since)))
    assert market.exchange(market.signed()) == ("accepted", [])
    second, names = listing()
    assert second != first and names["anchors.pem"] == digest(trust)
    assert market.sql(f"SELECT count(*) > 0 FROM muhur.submission WHERE material = '{first}'") == [["t"]]
    # one that is gone is missed
    os.rename(store(first[:2], first), os.path.join(market.dir, "aside"))
    out = verify(ok=(1,))
    assert f"missing: {first}: material" in out, out
    os.rename(os.path.join(market.dir, "aside"), store(first[:2], first))
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


def sent_material():
    """a schema that a member sends as a document: rejected, kept once"""
    with open(os.path.join(lib.TOP, "schemas", "xml", "balance-report-1.xsd"), "rb") as f:
        market.schema = f.read()
    market.send(market.schema)
    lib.wait_for("it is rejected", lambda: market.sql(
        f"SELECT 1 FROM muhur.submission WHERE sha256 = '{sha(market.schema)}' AND state = 'rejected'"))
    compressed(sha(market.schema))
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


# --- crashes --------------------------------------------------------------------------

def killed_compressing():
    """killed again and again while it compresses: every document is there, and in the end compressed"""
    docs = [large(30000) for _ in range(3)]
    for doc in docs:
        market.answer(market.send(doc))
        os.kill(market.child("muhur-archive"), signal.SIGKILL)
    for doc in docs:
        assert kept(sha(doc)), "neither form is there"
        compressed(sha(doc))
    assert leftovers() == []
    assert verify().splitlines()[-1].startswith(GOOD_SUM)
    market.sound()


def killed_reading():
    """killed in the middle of the pass it goes on there, and reads nothing twice"""
    market.stop()
    pass_anew()
    before = len(passes())
    market.set_conf("archive_rehash_rate", '"512K"')
    market.start()
    place = lib.wait_for("a part is read", lambda: cursor().get("state") == "reading" and
                         int(cursor()["documents"]) > 0 and cursor())
    since = market.log_size()
    os.kill(market.child("muhur-archive"), signal.SIGKILL)
    line = lib.wait_for("it goes on", lambda: re.search(r"the store is read on, behind (\S+)", market.log(since)))
    assert line[1] >= place["name"], (line[1], place)
    restart(archive_rehash_rate='"64M"')
    lib.wait_for("the pass ends", lambda: len(passes()) > before)
    assert passes()[before:] == [[str(len(files())), "0"]], (passes(), len(files()))
    assert cursor()["state"] == "ended"


def rot():
    """a byte that has flipped is found, told once, named by status and verify, and healed"""
    name = sha(market.doc)
    path = store(name[:2], name + ".zst")
    with open(path, "rb") as f:
        good = f.read()

    def write(data):
        os.chmod(path, 0o600)
        with open(path, "wb") as f:
            f.write(data)

    middle = len(good) // 2
    since = market.log_size()
    for _ in range(2):
        market.stop()
        pass_anew()
        write(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:])
        before = len(passes())
        market.start()
        lib.wait_for("the pass ends", lambda: len(passes()) > before)
        assert passes()[-1][1] == "1"
    rows = market.sql("SELECT sha256, found_at, healed_at FROM muhur.rot")
    assert [r[0] for r in rows if r[2] in (None, "")] == [name], (name, rows)
    assert market.sql("SELECT detail->>'sha256' FROM muhur.event WHERE kind = 'rot-found'") == [[name]]
    assert "alarm: document " + name + ": rot in the store" in market.log(since)
    assert name in market.muhur("status", ok=(1,)).stdout
    assert "\nmuhur_archive_rotten 1\n" in market.muhur("status", "--metrics").stdout
    assert f"rotten: {name}" in verify(ok=(1,))
    assert f"rotten: {name}" in verify("--store", store(), ok=(1,))
    assert verify(ok=(1,)).count(f": {name}: ") == 1
    assert f"rotten: {name}" in verify("--date", "2020-01-01", ok=(1,))	# of whatever day it is
    os.rename(path, path + ".x")
    assert f"missing: {name}" in verify("--date", "2020-01-01", ok=(1,))
    os.rename(path + ".x", path)
    p = market.muhur("archive", "get", name, os.path.join(market.dir, "out"), ok=(3,))
    assert "backup" in p.stderr and not os.path.exists(os.path.join(market.dir, "out")), p.stderr
    write(good)
    assert f"healed: {name}" in verify()
    assert name not in market.muhur("status", ok=(0, 1)).stdout
    assert "\nmuhur_archive_rotten 0\n" in market.muhur("status", "--metrics").stdout
    assert verify("--store", store()).startswith(GOOD_SUM)


def rot_and_no_directory():
    """what is found while the directory process is away is told when it is there again"""
    path = store(sha(market.doc)[:2], sha(market.doc) + ".zst")
    with open(path, "rb") as f:
        good = f.read()
    os.chmod(path, 0o600)
    with open(path, "wb") as f:
        f.write(good[:-1])
    directory, archive = market.child("muhur-load -D"), market.child("muhur-archive")
    since, before = market.log_size(), len(passes())
    for pid in (directory, archive):
        os.kill(pid, signal.SIGSTOP)
    pass_anew()
    os.kill(archive, signal.SIGKILL)
    lib.wait_for("it is found", lambda: "rot in the store" in market.log(since))
    os.kill(directory, signal.SIGKILL)
    lib.wait_for("the pass ends", lambda: len(passes()) > before)
    assert passes()[-1][1] == "1"
    assert market.sql("SELECT sha256 FROM muhur.rot WHERE healed_at IS NULL") == [[sha(market.doc)]]
    with open(path, "wb") as f:
        f.write(good)
    assert f"healed: {sha(market.doc)}" in verify()


def unread():
    """what a pass could not read is told by status until a pass has read it"""
    market.stop()
    pass_anew()
    market.sql("INSERT INTO muhur.event (at, kind, actor, detail) SELECT at, kind, actor, detail || '{\"unread\": 3}'"
               " FROM muhur.event WHERE kind = 'archive-verified' ORDER BY no DESC LIMIT 1")
    for left in (3, 0):
        told = [a for a in market.json("status", ok=(0, 1))[0]["attention"] if "of the store could not be read" in a]
        assert [a.split()[0] for a in told] == [str(left)] * bool(left), told
        assert f"\nmuhur_archive_unread {left}\n" in market.muhur("status", "--metrics").stdout
        if left:
            before = len(passes())
            market.start()
            lib.wait_for("the pass ends", lambda: len(passes()) > before)


def rot_of_material():
    """what judged rots as well, and is healed as well"""
    name = market.sql("SELECT material FROM muhur.submission ORDER BY no DESC LIMIT 1")[0][0]
    with open(store(name[:2], name), "rb") as f:
        good = f.read()
    os.unlink(store(name[:2], name))
    market.sql(f"INSERT INTO muhur.rot (sha256, found_at) VALUES ('{name}', now()), (repeat('0', 64), now())")
    out = verify(ok=(1,))
    assert f"missing: {name}" in out and f"healed: {name}" not in out, out
    assert f"healed: {'0' * 64}" not in out, out	# the listing that is missing may have named it
    with open(store(name[:2], name), "wb") as f:
        f.write(good)
    out = verify()
    assert f"healed: {name}: it had rotted, and is good again" in out, out
    assert f"healed: {'0' * 64}: it had rotted, and is gone" in out, out
    assert market.sql("SELECT count(*) FROM muhur.rot WHERE healed_at IS NULL") == [["0"]]


def message_number(name):
    """Of a message's type, as src/msg/msg.h counts them."""
    with open(os.path.join(lib.TOP, "src", "msg", "msg.h")) as f:
        return re.findall(r"^\t(M_[A-Z_]+)", f.read(), re.M).index(name) + 1


class Archive:
    """An archive process started by hand on the market's folders."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        state = os.path.join(market.dir, "state")
        fds = [theirs.fileno(), os.open(market.conf, os.O_RDONLY), os.open(f"{state}/boxes", os.O_RDONLY),
               os.open(f"{state}/store", os.O_RDONLY), os.open(os.path.join(lib.TOP, "schemas", "xml"), os.O_RDONLY)]
        high = [os.dup2(fd, 100 + i, inheritable=True) for i, fd in enumerate(fds)]
        program = glob.glob(os.path.join(os.path.dirname(lib.BIN), "**", "muhur-archive"), recursive=True)[0]

        def places():
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)

        owner = os.stat(glob.glob(store("??", "*.zst"))[0])
        own = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.process = subprocess.Popen([program], pass_fds=[3, 4, 5, 6, 7] + high, preexec_fn=places,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **own)
        self.channel = ours
        theirs.close()
        for fd in fds[1:] + high:
            os.close(fd)
        assert self.receive()[0] == message_number("M_READY")

    def receive(self):
        self.channel.settimeout(lib.LIMIT)
        packet = self.channel.recv(65536)
        return struct.unpack("=HHI", packet[:8])[0], packet[8:]

    def order(self, sha256):
        self.channel.send(struct.pack("=HHIH", message_number("M_COMPRESS_FILE"), 0, 0, 64) + sha256.encode())

    def answer(self):
        while True:
            kind, payload = self.receive()
            if kind == message_number("M_COMPRESSED"):
                return payload[66]

    def end(self):
        self.channel.close()
        assert self.process.wait(lib.LIMIT) == 0


def two_at_once():
    """two archive processes on one store: one does it, the other waits its turn; neither harms"""
    doc = large(40000)
    restart(archive_compress_after=1000000)
    market.answer(market.send(doc))
    market.stop()
    assert kept(sha(doc)) == [""]
    both = [Archive(), Archive()]
    for a in both:
        a.order(sha(doc))
    answers = sorted(a.answer() for a in both)
    assert answers in ([0, 0], [0, 1]), answers
    assert kept(sha(doc)) == [".zst"] and leftovers() == []
    for a in both:
        a.order(sha(doc))
        assert a.answer() == 0
        a.end()
    market.set_conf("archive_compress_after", 1)
    market.start()
    compressed(sha(doc))
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


def disk_full():
    """no space to compress: said aloud, the document stays as it was, nothing half-written; later it goes on"""
    state, aside = os.path.join(market.dir, "state"), os.path.join(market.dir, "state.aside")
    market.stop()
    os.rename(state, aside)
    os.mkdir(state)
    p = lib.run("mount", "-t", "tmpfs", "-o", "size=48m,mode=0755", "tmpfs", state, ok=None)
    running = False
    try:
        lib.run("cp", "-a", aside + "/.", state)
        if p.returncode != 0:
            raise lib.Skip(p.stderr.strip().split("\n")[0])
        market.start()
        running = True
        doc = large()
        os.kill(market.child("muhur-archive"), signal.SIGSTOP)
        market.answer(market.send(doc))
        filler = os.path.join(state, "filler")
        vfs = os.statvfs(state)
        with open(filler, "wb") as f:
            os.posix_fallocate(f.fileno(), 0, vfs.f_bavail * vfs.f_bsize - 8192)
        since = market.log_size()
        os.kill(market.child("muhur-archive"), signal.SIGCONT)
        lib.wait_for("it is said", lambda: f"alarm: document {sha(doc)}: cannot be compressed: writing: No space left"
                     in market.log(since))
        lib.wait_for("nothing half-written is left", lambda: leftovers() == [])
        assert kept(sha(doc)) == [""]
        os.unlink(filler)
        compressed(sha(doc))
        market.sound(since)
    finally:
        if running:
            market.stop()
        if p.returncode == 0:
            shutil.rmtree(aside)
            os.mkdir(aside)
            lib.run("cp", "-a", state + "/.", aside)
            lib.run("umount", state)
        os.rmdir(state) if p.returncode == 0 else shutil.rmtree(state)
        os.rename(aside, state)
        market.start()


# --- purge ------------------------------------------------------------------------------

def unknown():
    """a file that nothing names is named, and is no fault"""
    data = b"nobody's"
    with contextlib.suppress(FileExistsError):
        os.mkdir(store(sha(data)[:2]))
    for name in (sha(data), "strange.txt"):
        with open(store(sha(data)[:2], name), "wb") as f:
            f.write(data)
    out = verify()
    for name in (sha(data), "strange.txt"):
        assert f"unknown: {sha(data)[:2]}/{name}" in out, out
        os.unlink(store(sha(data)[:2], name))


def opened(pid):
    """What a process has open."""
    found = []
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(fd))
    return found


def purge():
    """what is old is removed on command only, never what an outbox shows; its rows and an event stay"""
    tomorrow = str(datetime.datetime.now(datetime.timezone.utc).astimezone(lib.ISTANBUL).date() + datetime.timedelta(days=1))
    assert "is not yet" in market.muhur("archive", "purge", "--before", tomorrow, ok=(2,)).stderr
    restart(clock_offset=2 * 86400)
    there = set(files())
    p = market.muhur("archive", "purge", "--before", tomorrow, ok=(1,))
    assert "nothing was removed: add --yes" in p.stdout and "is still in the outbox of PLA" in p.stderr, (p.stdout, p.stderr)
    assert there <= set(files())	# a notice may have come meanwhile
    restart(clock_offset=9 * 86400)
    lib.wait_for("all is archived", lambda: market.sql(
        f"SELECT 1 FROM muhur.notice WHERE day < '{tomorrow}' AND archived_at IS NULL") == [])
    old = {r["sha256"] for r in market.json("archive", "list") if r["day"] < tomorrow}
    count = ("SELECT (SELECT count(*) FROM muhur.submission),"
             f" (SELECT count(*) FROM muhur.notice WHERE day < '{tomorrow}')")
    rows = market.sql(count)
    # what judged is not known while one of its listings cannot be read: nothing goes
    listing = market.sql("SELECT material FROM muhur.submission WHERE material IS NOT NULL ORDER BY no LIMIT 1")[0][0]
    os.rename(store(listing[:2], listing), store(".listing"))
    there = set(files())
    p = market.muhur("archive", "purge", "--before", tomorrow, "--yes", ok=(3,))
    assert f"material {listing}: its listing cannot be read" in p.stderr, p.stderr
    assert there <= set(files()) and market.sql("SELECT 1 FROM muhur.event WHERE kind = 'purged'") == []
    os.rename(store(".listing"), store(listing[:2], listing))
    # a verify that is at work meanwhile takes nothing for lost
    number, total = map(int, re.search(r"(\d+) documents read, (\d+) bytes", verify()).groups())
    slow = subprocess.Popen([os.path.join(market.bin, "muhur"), "-c", market.conf, "archive", "verify", "--rate", str(total // 20)],
                            stdout=subprocess.PIPE, text=True)
    lib.wait_for("it reads", lambda: any(f.startswith(store()) and len(os.path.basename(f)) >= 64 for f in opened(slow.pid)))
    os.kill(slow.pid, signal.SIGSTOP)	# while it removes, files of what is purged are there
    p = market.muhur("archive", "purge", "--before", tomorrow, "--yes")
    os.kill(slow.pid, signal.SIGCONT)
    out = slow.communicate(timeout=lib.LIMIT)[0]
    assert int(re.search(r"(\d+) documents read", out)[1]) < number, out
    assert out.splitlines()[-1].startswith(GOOD_SUM) and slow.returncode == 0, out
    # what judged is not removed because somebody once sent the same bytes
    assert f"{sha(market.schema)}: stays: documents were judged by it" in p.stderr, p.stderr
    assert kept(sha(market.schema)) == [".zst"]
    old.remove(sha(market.schema))
    assert not any(kept(s) for s in old), [s for s in old if kept(s)]
    assert market.sql(count) == rows
    events = market.sql("SELECT detail->>'sha256' FROM muhur.event WHERE kind = 'purged'")
    assert {e[0] for e in events} == old | {sha(market.schema)}, len(events)
    assert glob.glob(os.path.join(market.dir, "state", "boxes", "PLA", "archive", "*", "*")) == []
    assert "was purged" in market.muhur("archive", "get", market.sql(
        f"SELECT id FROM muhur.submission WHERE file_name = '{market.name}' LIMIT 1")[0][0], ok=(1,)).stderr
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


def purge_interrupted():
    """a purge that ended between its rows and its files is ended by the next"""
    name, day, file_name = market.sql("SELECT sha256, day, file_name FROM muhur.notice"
                                      " WHERE purged_at IS NOT NULL AND recipient = 'PLA' ORDER BY no LIMIT 1")[0]
    box = os.path.join(market.dir, "state", "boxes", "PLA", "archive", day, file_name)
    for path in (store(name[:2], name), box):
        with open(path, "wb") as f:
            f.write(b"left")
    events = market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'purged'")
    out = verify(ok=(1,))
    assert f"left: PLA/archive/{day}/{file_name}" in out, out
    after = str(datetime.date.fromisoformat(day) + datetime.timedelta(days=1))
    market.muhur("archive", "purge", "--before", after, "--yes")
    assert kept(name) == [] and not os.path.exists(box)
    assert market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'purged'") == events
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


def purge_and_again():
    """what the same bytes' new row needs goes back to its place, where a purge had it aside; the rest goes"""
    doc = large()
    market.answer(market.send(doc))
    compressed(sha(doc))
    gone = sha(b"left")
    aside = store(".purged")
    os.rename(store(sha(doc)[:2], sha(doc) + ".zst"), os.path.join(aside, sha(doc) + ".zst"))
    with open(os.path.join(aside, gone), "wb") as f:
        f.write(b"left")
    assert f"missing: {sha(doc)}" in verify(ok=(1,))
    p = market.muhur("archive", "purge", "--before", "2020-01-01", "--yes")
    assert f"{sha(doc)}.zst: stays: it was received again" in p.stderr, p.stderr
    assert kept(sha(doc)) == [".zst"] and os.listdir(aside) == []
    assert verify().splitlines()[-1].startswith(GOOD_SUM)


with lib.Market(conf="archive_compress_after = 1\n") as market:
    lib.main(compresses, again, notice_again, material, sent_material, killed_compressing, killed_reading, rot,
             rot_and_no_directory, unread, rot_of_material, two_at_once, disk_full, unknown, purge, purge_interrupted,
             purge_and_again)
