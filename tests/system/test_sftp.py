#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What comes over the line from somebody who means harm, or whose line is bad:
everything has its status, nothing is taken that is not whole, nobody crashes."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading

import lib
from wire import CLOSE, FSETSTAT, FSTAT, OPEN, READ, READDIR, REMOVE, STAT, WRITE, Wire

market = None


def names():
    """odd names: text is taken, everything else refused, the session lives"""
    good = ["\u202e.xml", "\u015e\u0130\u011e\u0131.xml", "-rf", "%s%n%n", "$(id)", "';--", "\\N", "y" * 200]
    bad = [b"\xff\xfe", b"a\0b", b"..", b".", b".x", b"\t.xml", b"y" * 201, b"\xed\xa0\x80", b"\x1b[31m", b"a\nb", b"",
           b"a/b", b"../outbox/x", b"../../../../etc/passwd"]
    since = market.log_size()
    with Wire(market) as w:
        for name in good:
            handle = w.open("/inbox/" + name)
            assert handle is not None, name
            assert w.status(CLOSE, 1, handle) == 0 and w.status(REMOVE, 1, "/inbox/" + name) == 0
        for name in bad:
            assert w.open(b"/inbox/" + name) is None, name
        assert w.open("/" * 100000) is None
    market.sound(since)


def handles():
    """handles, offsets near 2^63 and writing after the close"""
    with Wire(market) as w:
        for h in (b"", b"\0" * 4, b"\0\0\0\1", b"\xff" * 4, b"\xff" * 300):
            for kind, rest in ((CLOSE, ()), (READ, ((0,), 1)), (WRITE, ((0,), "x")), (FSTAT, ()), (READDIR, ()),
                               (FSETSTAT, (1, (0,)))):
                assert w.status(kind, 1, h, *rest) == 4, (kind, h)
        for offset in (2**63 - 1, 2**63, 2**64 - 1, 2**62):
            h = w.open("/inbox/far.xml")
            assert w.status(WRITE, 1, h, (offset,), "xx") == 4 and w.status(CLOSE, 1, h) == 4
        h = w.open("/inbox/far.xml")
        assert w.status(FSETSTAT, 1, h, 1, (2**63 - 1,)) == 4 and w.status(CLOSE, 1, h) == 0
        assert w.status(REMOVE, 1, "/inbox/far.xml") == 0
        h = w.open("/inbox/late.part")
        assert w.status(WRITE, 1, h, (0,), "x") == 0
        w.channel.sendall(w.packet(CLOSE, 1, h) + w.packet(WRITE, 2, h, (1,), "y") + w.packet(CLOSE, 3, h))
        assert [struct.unpack(">I", w.receive()[1][4:8])[0] for _ in range(3)] == [0, 4, 4]
        assert w.status(REMOVE, 1, "/inbox/late.part") == 0
        many = [w.open(f"/inbox/many{n}.part") for n in range(70)]
        assert 0 < len([h for h in many if h is None]) < 70, "no end of handles"
        for n, h in enumerate(many):
            assert h is None or w.status(CLOSE, 1, h) == 0
            w.ask(REMOVE, 1, f"/inbox/many{n}.part")
        assert market.exchange(market.signed()) == ("accepted", [])
        name = market.outbox("PLA001")[0]
        h = w.open("/outbox/" + name, 1)
        for offset in (2**63 - 1, 2**63, 2**64 - 1):
            assert w.status(READ, 1, h, (offset,), 2**32 - 1) == 1		# the end of the file
        assert w.status(WRITE, 1, h, (0,), "x") == 3
    with Wire(market, "PLB001") as w:
        assert w.open("/outbox/" + name, 1) is None and w.status(STAT, 1, "/outbox/" + name) == 2


def packets():
    """packets of wrong length end the session, unknown ones are answered"""
    since = market.log_size()
    endings = [b"\0\0\0\0", b"\0\0\0\1\x03", b"\xff\xff\xff\xff\x03", struct.pack(">I", 300000) + b"\x03" * 300000,
               Wire.packet(1, 3), Wire.packet(OPEN, 1) + b"", struct.pack(">IBII", 13, 3, 1, 1000) + b"/xyz",
               Wire.packet(9, 1, "/inbox/x", 0x80000000, 0xffffffff)]
    for data in endings:
        with Wire(market) as w:
            with contextlib.suppress(OSError, EOFError):	# it may end before all is sent
                w.channel.sendall(data)
            assert w.receive() is None, data[:20]
    with Wire(market, init=False) as w:
        w.channel.sendall(w.packet(STAT, 1, "/"))
        assert w.receive() is None, "a request before INIT"
    with Wire(market) as w:
        assert w.status(77, 9, "zz") == 8 and w.status(200, 1, "x" * 70000) == 8
        for byte in w.packet(STAT, 1, "/inbox"):
            w.channel.sendall(bytes([byte]))
        assert w.receive()[0] == 105
        w.channel.sendall(b"".join(w.packet(STAT, n, "/inbox") for n in range(5000)))
        for n in range(5000):
            assert struct.unpack(">I", w.receive()[1][:4])[0] == n
    market.sound(since)


def half_open():
    """silent and dripping connections: others come in meanwhile, and all are cut when their grace is over"""
    since = market.log_size()
    silent = []
    for n in range(45):
        c = socket.create_connection(("127.0.0.1", market.port))
        c.sendall([b"", b"SSH-2.0-x", b"SSH-2.0-x\r\n\0\0\x10\0"][n % 3])
        silent.append(c)
    assert market.exchange(market.signed()) == ("accepted", [])

    def cut():
        for c in list(silent):
            c.setblocking(False)
            try:
                c.sendall(b"a")
                while c.recv(4096):
                    pass
            except BlockingIOError:
                continue
            except OSError:
                pass
            c.close()
            silent.remove(c)
        return not silent
    lib.wait_for("all are cut", cut, 20)
    market.sound(since)


# --- timing -----------------------------------------------------------------------

def at_once(jobs):
    """Close all uploads at the same moment; returns the names that were confirmed."""
    barrier, taken = threading.Barrier(len(jobs)), []

    def one(data, name, user):
        try:
            with market.sftp(user) as s:
                f = s.open(f"/inbox/{name}", "wb")
                f.write(data)
                f.flush()
                barrier.wait(30)
                lib.close(s, f)
                taken.append(name)
        except (OSError, threading.BrokenBarrierError):
            barrier.abort()
    threads = [threading.Thread(target=one, args=j) for j in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return taken


def states(stem, count):
    """(state, codes, records) of count decided submissions, sorted."""
    query = ("SELECT s.state, coalesce((SELECT string_agg(code, ',') FROM muhur.submission_reason WHERE submission = s.no),"
             " ''), (SELECT count(*) FROM muhur.balance b WHERE b.submission = s.no) FROM muhur.submission s"
             f" WHERE s.file_name LIKE '{stem}-%'")

    def decided():
        rows = market.sql(query)
        return sorted(map(tuple, rows)) if len(rows) == count and all(r[0] != "received" for r in rows) else None
    return lib.wait_for(f"{count} decisions", decided)


def concurrent():
    """the same bytes, the same MessageId, two corrections of one: at once"""
    pid = os.getpid()
    same = market.signed()
    assert len(at_once([(same, f"same{pid}-{n}.xml", "PLA001") for n in range(6)])) == 6
    assert states(f"same{pid}", 6) == [("accepted", "", "1")] + 5 * [("repeated", "", "0")]
    docs = [market.signed(message_id=f"ONE-{pid}") for _ in range(6)]
    assert len(at_once([(d, f"one{pid}-{n}.xml", "PLA001") for n, d in enumerate(docs)])) == 6
    assert states(f"one{pid}", 6) == [("accepted", "", "1")] + 5 * [("rejected", "DUPLICATE", "0")]
    assert market.exchange(market.signed(message_id=f"BASE-{pid}"))[0] == "accepted"
    docs = [market.signed(message_id=f"COR-{pid}-{n}", replaces=f"BASE-{pid}") for n in range(4)]
    assert len(at_once([(d, f"cor{pid}-{n}.xml", "PLA001") for n, d in enumerate(docs)])) == 4
    assert states(f"cor{pid}", 4) == [("accepted", "", "1")] + 3 * [("rejected", "REFERENCE_UNKNOWN", "0")]


def one_name():
    """two sessions write one name: no success without a submission of those bytes"""
    one, other = market.signed(), market.signed()
    with market.sftp("PLA001") as a, market.sftp("PLA001") as b:
        f = a.open("/inbox/both.xml", "wb")
        f.write(one)
        f.flush()
        g = b.open("/inbox/both.xml", "wb")
        g.write(other[:100])
        g.flush()
        try:
            lib.close(a, f)
            raise AssertionError("closed, but another session had begun it anew")
        except OSError:
            pass
        g.write(other[100:])
        lib.close(b, g)
    _, notice = market.answer("both.xml")
    assert notice.name.endswith(".accepted.xml"), notice.codes


def interrupted():
    """Ctrl-C of OpenSSH's sftp: the truncated document is XML_MALFORMED and reserves nothing"""
    doc = market.signed(message_id=f"INT-{os.getpid()}", lines=[
        ("1000000001", f"C{n}", "CUA", "4H95J0R2X", "1") for n in range(20000)])
    path = os.path.join(market.dir, "interrupted.xml")
    with open(path, "wb") as f:
        f.write(doc)
    p = subprocess.Popen(["sftp", "-q", "-l", "4000", "-P", str(market.port), "-i", f"{market.pki}/PLA001.ssh",
                          "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={market.dir}/kh",
                          "-o", "IdentitiesOnly=yes", "PLA001@127.0.0.1"], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    p.stdin.write(f"put {path} /inbox/interrupted.xml\n".encode())
    p.stdin.flush()

    def some():
        with market.sftp("PLA001") as s:
            try:
                return s.stat("/inbox/interrupted.xml").st_size > 100000
            except OSError:
                return False
    lib.wait_for("the upload is on its way", some)
    p.send_signal(signal.SIGINT)
    p.stdin.close()
    p.wait(20)
    _, notice = market.answer("interrupted.xml")
    assert notice.codes == ["XML_MALFORMED"], notice.codes
    market.send(doc, name="whole.xml")
    _, notice = market.answer("whole.xml")
    assert notice.name.endswith(".accepted.xml"), notice.codes


with lib.Market(conf="login_grace = 5\n") as market:
    lib.main(names, handles, packets, half_open, concurrent, one_name, interrupted)
