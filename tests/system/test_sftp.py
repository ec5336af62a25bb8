#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What comes over the line from somebody who means harm, or whose line is bad:
everything has its status, nothing is taken that is not whole, nobody crashes."""

import contextlib
import hashlib
import os
import signal
import socket
import struct
import subprocess
import threading
import unicodedata

import lib
from wire import (APPEND, ATTRS, CLOSE, CREAT, DENIED, EOF, EXCL, EXTENDED, FAILURE, FSETSTAT, FSTAT, MKDIR, NO_SUCH_FILE,
                  OK, OPEN, OPENDIR, R, READ, READDIR, REMOVE, RENAME, RMDIR, SETSTAT, SIZE, STAT, SYMLINK, TRUNC, W,
                  WRITE, Wire)

market = None

MB = 1024 * 1024
QUOTA = 8 * MB
FILES = 80		# unfinished uploads of one user
HANDLES = 64		# of one session (limits.h)
SESSIONS = 60		# of the gateway
FROM_ONE = 50		# of one address


def good():
    """The member's next good submission is accepted."""
    assert market.exchange(market.signed()) == ("accepted", [])


def accepted(name, data=None):
    """What came last under this name (and is this) is accepted."""
    _, notice = market.answer(name)
    assert notice.name.endswith(".accepted.xml"), notice.codes
    digests = [e.text for e in notice.all("FileSHA256")]
    assert data is None or digests == [hashlib.sha256(data).hexdigest()], digests


# --- names ------------------------------------------------------------------------

def names():
    """odd names: text is taken, everything else is refused with its status, the session lives"""
    text = ["\u202e.xml", "\u015e\u0130\u011e\u0131.xml", "-rf", "%s%n%n", "$(id)", "';--", "\\N", "y" * 200, "\u00e9" * 100]
    bad = [b"\xff\xfe", b".x", b"\t.xml", b"y" * 201, b"y" * 300, "\u00e9".encode() * 101, b"\xed\xa0\x80", b"\xc0\xaf",
           b"\xf4\x90\x80\x80", b"\x1b[31m", b"a\nb", b"a\r", b"\n", "\x85".encode(), "\ufffe".encode(), b"\x7f"]
    since = market.log_size()
    with Wire(market) as w:
        for name in text:
            handle = w.open("/inbox/" + name)
            assert handle is not None, name
            assert w.status(CLOSE, 1, handle) == OK and w.status(REMOVE, 1, "/inbox/" + name) == OK
        for name in bad:
            assert w.refused(b"/inbox/" + name) == DENIED and "name may not be used" in w.text, (name, w.text)
            assert w.status(STAT, 1, b"/inbox/" + name) == NO_SUCH_FILE, name
        for path in (b"/inbox/a\0b", b"/inbox/a.xml\0", b"\0", "/inbox/" + "y" * 1100):
            assert w.refused(path) == NO_SUCH_FILE and "not text" in w.text, (path, w.text)
        assert w.refused("/" * 100000) == FAILURE and "folder" in w.text
        kept = w.open("/inbox/kept.part")
        assert w.write(kept, b"x") == [OK] and w.status(CLOSE, 1, kept) == OK
        for name in bad:		# a bad name is none by renaming either
            assert w.status(RENAME, 1, "/inbox/kept.part", b"/inbox/" + name) == DENIED, name
        assert w.size("/inbox/kept.part") == 1 and w.status(REMOVE, 1, "/inbox/kept.part") == OK
    market.sound(since)
    good()


def turkish():
    """Turkish letters composed and decomposed are two names; notices carry the name as it was sent, in valid XML"""
    nfc = unicodedata.normalize("NFC", "\u0130stanbul-m\u00fc\u015fteri-\u011f\u0131.xml")
    nfd = unicodedata.normalize("NFD", nfc)
    assert nfc != nfd
    with Wire(market) as w:
        for name in (nfc, nfd):
            assert w.upload("/inbox/" + name + ".part", b"x") == OK
    with market.sftp("PLA001") as s:
        assert {nfc + ".part", nfd + ".part"} <= set(s.listdir("/inbox"))
        for name in (nfc, nfd):
            s.remove("/inbox/" + name + ".part")
    for name in (nfc, nfd, "<&>\"]]>&amp;.xml", "a \u2028\u202e\U0001f4a9.xml"):
        market.send(market.signed(), name=name)
        for notice in market.answer(name):
            assert [e.text for e in notice.all("FileName")] == [name], (name, notice.data)
            p = market.verify_xmlsec(notice.data)
            assert p.returncode == 0, p.stderr
            with open(os.path.join(market.dir, "notice.xml"), "wb") as f:
                f.write(notice.data)
            market.muhur("verify", "--trust", f"{market.pki}/trust.pem", f.name)	# valid under its schema as well
        assert notice.name.endswith(".accepted.xml") and market.sent(name) == 1, (name, notice.codes)


def places():
    """a path leads into /inbox or nowhere, whatever dots and slashes it is made of"""
    with Wire(market) as w:
        for path in ("/inbox/../inbox/w.part", "/inbox/./w.part", "//inbox//w.part", "inbox/w.part", "../../inbox/w.part",
                     "/inbox/x/../w.part", "/outbox/../inbox/w.part"):
            handle = w.open(path)
            assert handle is not None, (path, w.text)
            assert w.status(CLOSE, 1, handle) == OK
            assert w.size("/inbox/w.part") == 0 and w.status(REMOVE, 1, "/inbox/w.part") == OK, path
        notice = "/outbox/" + market.outbox("PLA001")[0]
        for path, code in (
                ("/inbox/../outbox/x.xml", DENIED), ("/inbox/../../outbox/x.xml", DENIED), ("../outbox/x.xml", DENIED),
                ("/outbox/x.xml", DENIED), (notice, DENIED), ("/inbox/.." + notice, DENIED), ("/archive/x.xml", DENIED),
                ("/archive/2026-01-01/x.xml", DENIED), ("/x.xml", DENIED), ("/trail/x.xml", DENIED),
                ("/etc/passwd", DENIED), ("/inbox/../../../../etc/passwd", DENIED), ("/inbox/a/b.xml", DENIED),
                ("/inbox/w.part/", DENIED), ("/inbox/w.part/.", DENIED), ("/inbox/w.part//", DENIED),
                ("/inbox", FAILURE), ("/inbox/", FAILURE), ("/inbox/.", FAILURE), ("/inbox/..", FAILURE), ("/", FAILURE),
                ("", FAILURE), ("/outbox", FAILURE)):
            for flags in (W, W | CREAT, W | CREAT | TRUNC, W | CREAT | EXCL, W | APPEND, R | W | CREAT):
                if flags & CREAT or not path.startswith("/inbox/w"):	# else it need not exist
                    assert w.refused(path, flags) == code, (path, flags, code, w.text)
        size = w.size(notice)
        for kind, fields in ((REMOVE, ()), (RENAME, ("/inbox/mine.xml",)), (RENAME, ("/outbox/y.xml",)), (SETSTAT, (0,)),
                             (SETSTAT, (SIZE, (0,))), (RMDIR, ()), (SYMLINK, ("/inbox/l",)), (MKDIR, (0,))):
            assert w.status(kind, 1, notice, *fields) == DENIED, (kind, w.text)
        for kind, fields in ((REMOVE, ()), (RMDIR, ()), (RENAME, ("/inbox/x",)), (SETSTAT, (0,))):
            for path in ("/", "/inbox", "/outbox", "/archive"):
                assert w.status(kind, 1, path, *fields) == DENIED, (kind, path, w.text)
        assert w.status(MKDIR, 1, "/inbox/dir", 0) == DENIED and w.status(MKDIR, 1, "/inbox", 0) == FAILURE
        assert w.status(EXTENDED, 1, "hardlink@openssh.com", notice, "/inbox/l") == DENIED
        assert w.status(EXTENDED, 1, "posix-rename@openssh.com", notice, "/inbox/l") == DENIED
        for path in ("/outbox/y.xml", "/archive/y.xml", "/y.xml", "/etc/y.xml", "/inbox/a/y.xml"):	# out of the box
            assert w.upload("/inbox/w.part", b"x") == OK
            assert w.status(RENAME, 1, "/inbox/w.part", path) == DENIED, path
            assert w.status(EXTENDED, 1, "posix-rename@openssh.com", "/inbox/w.part", path) == DENIED, path
        assert w.size("/inbox/w.part") == 1 and w.status(REMOVE, 1, "/inbox/w.part") == OK
        assert w.size(notice) == size and w.status(READDIR, 1, w.open("/inbox", kind=OPENDIR)) == -1
    good()


def over_taken():
    """writing over a taken upload: TRUNC and CREAT with EXCL begin a new one, all else fails or changes nothing"""
    first = market.signed()
    with Wire(market) as w:
        assert w.upload("/inbox/over.xml", first) == OK
        accepted("over.xml")
        assert w.size("/inbox/over.xml") == len(first)
        for flags in (W, W | CREAT, W | APPEND, W | APPEND | CREAT, W | EXCL, R | W, R, R | W | CREAT):
            assert w.refused("/inbox/over.xml", flags) == DENIED, (flags, w.text)
        for fields in ((0,), (4, 0o777), (8, 1, 1), (2, 0, 0), (SIZE, (len(first),))):	# mode, times, owner, its size
            assert w.status(SETSTAT, 1, "/inbox/over.xml", *fields) == OK, (fields, w.text)
        for size in (0, len(first) - 1, len(first) + 1):
            assert w.status(SETSTAT, 1, "/inbox/over.xml", SIZE, (size,)) == DENIED, size
        assert w.status(REMOVE, 1, "/inbox/over.xml") == DENIED
        assert w.status(RENAME, 1, "/inbox/over.xml", "/inbox/other.xml") == DENIED
        assert w.status(EXTENDED, 1, "posix-rename@openssh.com", "/inbox/over.xml", "/inbox/other.xml") == DENIED
        assert w.size("/inbox/over.xml") == len(first) and w.size("/inbox/other.xml") is None
        # an unfinished one beside it, which hides it while it is there; and an empty one takes no place
        for flags in (W | CREAT | EXCL, W | TRUNC, W | CREAT | TRUNC, W | APPEND | CREAT | TRUNC):
            assert w.upload("/inbox/over.xml", b"", flags) == OK, flags
            assert w.size("/inbox/over.xml") == 0 and w.refused("/inbox/over.xml", W | CREAT | EXCL) == FAILURE
            assert w.status(REMOVE, 1, "/inbox/over.xml") == OK and w.size("/inbox/over.xml") == len(first)
        assert market.sent("over.xml") == 1
        for n, begin in enumerate((
                lambda doc: w.upload("/inbox/over.xml", doc, W | CREAT | EXCL),
                lambda doc: w.upload("/inbox/over.xml", doc, W | TRUNC),
                lambda doc: w.upload("/inbox/over.xml", doc, W | CREAT | TRUNC | APPEND),
                lambda doc: (w.upload("/inbox/over.part", doc), w.status(RENAME, 1, "/inbox/over.part", "/inbox/over.xml"))[1],
                lambda doc: (w.upload("/inbox/over.part", doc), w.status(EXTENDED, 1, "posix-rename@openssh.com",
                                                                         "/inbox/over.part", "/inbox/over.xml"))[1])):
            doc = market.signed() + b"\n" * n		# another size each
            assert begin(doc) == OK, (n, w.text)
            assert w.size("/inbox/over.xml") == len(doc)
            accepted("over.xml")
            assert market.sent("over.xml") == n + 2
    rows = market.sql("SELECT state, count(*) FROM muhur.submission WHERE file_name = 'over.xml' GROUP BY 1")
    assert rows == [["accepted", "6"]], rows


# --- handles ----------------------------------------------------------------------

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
        assert market.exchange(market.signed()) == ("accepted", [])
        name = market.outbox("PLA001")[0]
        h = w.open("/outbox/" + name, 1)
        for offset in (2**63 - 1, 2**63, 2**64 - 1):
            assert w.status(READ, 1, h, (offset,), 2**32 - 1) == 1		# the end of the file
        assert w.status(WRITE, 1, h, (0,), "x") == 3
    with Wire(market, "PLB001") as w:
        assert w.open("/outbox/" + name, 1) is None and w.status(STAT, 1, "/outbox/" + name) == 2


def hundreds():
    """hundreds of handles: the limit holds and is said, refused ones leave nothing, closing gives them back"""
    since = market.log_size()
    with Wire(market) as w:
        assert w.upload("/inbox/begun.part", b"begun") == OK
        got = {name: w.open(name) for name in (f"/inbox/many{n}.part" for n in range(300))}
        files = {name: h for name, h in got.items() if h is not None}
        assert list(files) == list(got)[:HANDLES] and len(set(files.values())) == HANDLES, len(files)
        for name in list(got)[HANDLES:]:
            assert w.size(name) is None, "a refused one is there"
        for flags in (W | CREAT | TRUNC, W | CREAT, W):
            assert w.refused("/inbox/begun.part", flags) == FAILURE and "too many files are open" in w.text, w.text
        assert w.size("/inbox/begun.part") == 5, "it was begun anew, and then refused"
        for folder in ("/", "/inbox", "/outbox", "/archive"):
            assert w.status(OPENDIR, 1, folder) == FAILURE and "too many files are open" in w.text, w.text
        name, handle = files.popitem()
        assert w.status(CLOSE, 1, handle) == OK and w.status(CLOSE, 1, handle) == FAILURE
        handle = w.open("/inbox/begun.part", W)
        assert w.write(handle, b"!", 5) == [OK] and w.status(CLOSE, 1, handle) == OK
        for name, handle in files.items():
            assert w.write(handle, name.encode()) == [OK] and w.status(CLOSE, 1, handle) == OK
        for name in files:
            assert w.size(name) == len(name) and w.status(REMOVE, 1, name) == OK
        assert w.status(REMOVE, 1, f"/inbox/many{HANDLES - 1}.part") == OK and w.status(REMOVE, 1, "/inbox/begun.part") == OK
        folders = [w.open(f, kind=OPENDIR) for f in ("/", "/inbox", "/outbox", "/archive") * 75]
        assert [h is not None for h in folders] == [True] * HANDLES + [False] * (300 - HANDLES)
        assert w.refused("/inbox/one.part") == FAILURE and w.size("/inbox/one.part") is None
        for h in folders[:HANDLES]:
            while w.status(READDIR, 1, h) == -1:
                pass
            assert w.status(READDIR, 1, h) == EOF and w.status(CLOSE, 1, h) == OK
        assert w.upload("/inbox/hundreds.xml", market.signed()) == OK
    accepted("hundreds.xml")
    market.sound(since)


def quota():
    """more than the box may hold: refused on every way in, the beginning is kept, and what leaves makes room"""
    def full(code):
        return code == FAILURE and "fill the box" in w.text

    def gone(*names):
        return all(w.status(REMOVE, 1, "/inbox/" + n) == OK for n in names)
    since = market.log_size()
    with Wire(market) as w, Wire(market) as other:
        h = w.open("/inbox/big.xml")
        codes = w.write(h, bytes(QUOTA + MB), size=128 * 1024)
        assert codes == [OK] * 64 + [FAILURE] * 8, codes
        assert w.status(WRITE, 1, h, (0,), "x") == FAILURE and "begin again" in w.text
        assert w.status(CLOSE, 1, h) == FAILURE and "not taken" in w.text, w.text
        assert w.size("/inbox/big.xml") == QUOTA
        assert full(w.refused("/inbox/more.xml")) and w.size("/inbox/more.xml") is None
        assert full(w.refused("/inbox/big.xml", W)) and other.refused("/inbox/more.xml") == FAILURE
        assert market.sent("big.xml") == 0
        assert w.upload("/inbox/big.xml", market.signed()) == OK, w.text	# begun anew it gives its room back
        accepted("big.xml")
        # sizes that are set count as bytes that are written do
        a, b = w.open("/inbox/a.part"), w.open("/inbox/b.part")
        assert w.status(FSETSTAT, 1, a, SIZE, (5 * MB,)) == OK
        assert full(w.status(FSETSTAT, 1, b, SIZE, (5 * MB,))), w.text
        assert full(w.write(b, b"x", 4 * MB)[0]), w.text
        assert w.status(CLOSE, 1, b) == FAILURE and gone("b.part")
        # what was cut or has left makes room for what is open already
        b = w.open("/inbox/b.part")
        assert w.status(FSETSTAT, 1, a, SIZE, (0,)) == OK
        assert set(w.write(b, bytes(5 * MB), size=128 * 1024)) == {OK}, w.text
        assert w.status(CLOSE, 1, b) == OK and gone("b.part")
        assert set(w.write(a, bytes(5 * MB), size=128 * 1024)) == {OK}, w.text
        assert w.status(CLOSE, 1, a) == OK
        # one that another connection has begun anew takes room without a name, and not more of it
        a = w.open("/inbox/a.part", W)
        assert other.upload("/inbox/a.part", b"new") == OK
        assert w.write(a, b"x", 5 * MB) == [FAILURE] and "another connection" in w.text, w.text
        assert w.status(CLOSE, 1, a) == FAILURE and w.upload("/inbox/c.part", bytes(5 * MB)) == OK, w.text
        assert w.size("/inbox/a.part") == 3 and gone("a.part", "c.part")
        for n in range(FILES):
            assert w.upload(f"/inbox/f{n}", b"") == OK, (n, w.text)
        for flags in (W | CREAT, W | CREAT | TRUNC, W | CREAT | EXCL):
            assert w.refused("/inbox/f-more", flags) == FAILURE and "too many unfinished" in w.text, w.text
        assert w.upload("/inbox/f0", market.signed(), W) == OK	# what is there can be finished
        assert w.upload("/inbox/f-more", b"") == OK
        assert gone("f-more", *(f"f{n}" for n in range(1, FILES)))
    accepted("f0")
    assert market.sent("a.part") == market.sent("b.part") == 0
    market.sound(since)


def gaps():
    """an upload with a gap is not taken; filled, cut, or gone on with later it is; sizes that are set hold"""
    docs = [market.signed() for _ in range(6)]
    end = [len(d) for d in docs]

    def halves(n, w, path, size=None):
        h = w.open(path)
        if size is not None:
            assert w.status(FSETSTAT, 1, h, SIZE, (size,)) == OK, w.text
        assert w.write(h, docs[n][1000:], 1000) == [OK]
        return h
    with Wire(market) as w:
        h = halves(0, w, "/inbox/gap0.xml")
        assert w.status(CLOSE, 1, h) == FAILURE and "gap" in w.text
        assert w.size("/inbox/gap0.xml") == 0			# what comes before the gap
        assert w.upload("/inbox/gap0.xml", docs[0], W) == OK
        h = halves(1, w, "/inbox/gap1.xml")
        assert w.write(h, docs[1][:1000]) == [OK] and w.status(CLOSE, 1, h) == OK	# filled before the close
        h = halves(2, w, "/inbox/gap2.xml", end[2])			# its size first, as some clients do
        assert w.write(h, docs[2][:1000]) == [OK] and w.status(CLOSE, 1, h) == OK
        h = w.open("/inbox/gap3.xml")				# too much, then cut
        assert w.write(h, docs[3] + bytes(70000)) and w.status(FSETSTAT, 1, h, SIZE, (end[3],)) == OK
        assert w.status(SETSTAT, 1, "/inbox/gap3.xml", SIZE, (end[3],)) == OK and w.status(CLOSE, 1, h) == OK
        h = w.open("/inbox/gap4.xml")				# made longer than what was written
        assert set(w.write(h, docs[4])) == {OK} and w.status(FSETSTAT, 1, h, SIZE, (end[4] + 70000,)) == OK
        assert w.status(CLOSE, 1, h) == FAILURE and "gap" in w.text
        assert w.size("/inbox/gap4.xml") == end[4]
        h = w.open("/inbox/gap4.xml", W)			# the last of it again, and it is whole
        assert w.write(h, docs[4][-1:], end[4] - 1) == [OK] and w.status(CLOSE, 1, h) == OK
        h = w.open("/inbox/gap5.part")				# by name: only shorter
        assert set(w.write(h, docs[5] + b"and more")) == {OK} and w.status(CLOSE, 1, h) == OK
        assert w.status(SETSTAT, 1, "/inbox/gap5.part", SIZE, (end[5] + 100,)) == FAILURE
        assert w.status(SETSTAT, 1, "/inbox/gap5.part", SIZE, (end[5],)) == OK
        assert w.status(SETSTAT, 1, "/inbox/none.xml", SIZE, (0,)) == NO_SUCH_FILE
        assert w.status(RENAME, 1, "/inbox/gap5.part", "/inbox/gap5.xml") == OK
        # more gaps than anybody has who writes in order: refused, not kept count of
        h = w.open("/inbox/comb.part")
        codes = [w.write(h, b"x", 10 * n)[0] for n in range(1, 300)]
        assert codes[:256] == [OK] * 256 and set(codes[256:]) == {FAILURE} and w.status(CLOSE, 1, h) == FAILURE
        assert w.size("/inbox/comb.part") == 0, "what was kept of it has gaps"
        assert w.status(REMOVE, 1, "/inbox/comb.part") == OK
    for n, doc in enumerate(docs):
        accepted(f"gap{n}.xml", doc)
        assert market.sent(f"gap{n}.xml") == 1, n


# --- packets and connections --------------------------------------------------------

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


def sessions():
    """hundreds of connections: what the limits allow works, the others are closed at once, and a place is given again"""
    since = market.log_size()

    def refused(source):
        """Is a connection from there closed without a word?"""
        with socket.create_connection(("127.0.0.1", market.port), 30, (source, 0)) as c:
            try:
                return c.recv(1) == b""
            except ConnectionResetError:
                return True
    lib.wait_for("nobody is in", lambda: lib.run(
        "ps", "-o", "comm=", "--ppid", market.muhurd_pid).stdout.split().count("muhur-sftp") == 1)	# the listener
    with contextlib.ExitStack() as stack:
        first = [stack.enter_context(Wire(market)) for _ in range(FROM_ONE)]
        assert all(refused("127.0.0.1") for _ in range(150))
        more = [stack.enter_context(Wire(market, source="127.0.0.2")) for _ in range(SESSIONS - FROM_ONE)]
        assert all(refused(f"127.0.1.{n}") for n in range(1, 151))
        for n, w in enumerate(first + more):
            assert w.upload(f"/inbox/s{n}.part", b"x") == OK, (n, w.text)
        for n, w in enumerate(first + more):
            assert w.status(REMOVE, 1, f"/inbox/s{n}.part") == OK, (n, w.text)
        first.pop().client.close()
        lib.wait_for("a place is free", lambda: not refused("127.0.0.1"))
        warned = market.log(since).count("refused: there are max_sessions")
        assert 2 <= warned <= 60, warned		# a flood does not fill the log
    lib.wait_for("all places are free", lambda: not refused("127.0.0.1"))
    good()
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
    docs = [market.signed() for _ in range(8)]
    with Wire(market) as a, Wire(market) as b:
        # begun anew by the other
        f = a.open("/inbox/both0.xml")
        assert set(a.write(f, docs[0])) == {OK}
        g = b.open("/inbox/both0.xml")
        assert b.write(g, docs[1][:100]) == [OK]
        assert a.status(CLOSE, 1, f) == FAILURE and "another connection" in a.text
        assert b.write(g, docs[1][100:], 100) == [OK] and b.status(CLOSE, 1, g) == OK
        # gone on with by the other: who closes last has the whole of it
        f = a.open("/inbox/both1.xml")
        assert a.write(f, docs[2][:1000]) == [OK]
        g = b.open("/inbox/both1.xml", W)
        assert b.write(g, docs[2][1000:], 1000) == [OK]
        assert a.status(CLOSE, 1, f) == FAILURE and b.status(CLOSE, 1, g) == OK, (a.text, b.text)
        # the other takes it, while we still write: not so
        f = a.open("/inbox/both2.part")
        assert a.write(f, docs[3][:1000]) == [OK]
        assert b.status(RENAME, 1, "/inbox/both2.part", "/inbox/both2.xml") == FAILURE and "another" in b.text
        assert a.write(f, docs[3][1000:], 1000) == [OK] and a.status(CLOSE, 1, f) == OK
        assert b.status(RENAME, 1, "/inbox/both2.part", "/inbox/both2.xml") == OK
        assert a.status(RENAME, 1, "/inbox/both2.part", "/inbox/both2.xml") == NO_SUCH_FILE
        # both rename to one final name: two submissions
        assert a.upload("/inbox/a.part", docs[4]) == OK and b.upload("/inbox/b.part", docs[5]) == OK
        a.channel.sendall(a.packet(RENAME, 1, "/inbox/a.part", "/inbox/both3.xml"))
        b.channel.sendall(b.packet(RENAME, 1, "/inbox/b.part", "/inbox/both3.xml"))
        assert (a.code(a.receive()), b.code(b.receive())) == (OK, OK)
        # removed by the other, or taken by it under another name
        f = a.open("/inbox/both4.xml")
        assert set(a.write(f, docs[6])) == {OK} and b.status(REMOVE, 1, "/inbox/both4.xml") == OK
        assert a.status(CLOSE, 1, f) == FAILURE and a.size("/inbox/both4.xml") is None
        # two users of a member have a name each
        with Wire(market, "PLA900") as c:
            assert c.upload("/inbox/both5.part", b"x") == OK and a.upload("/inbox/both5.part", b"yy") == OK
            assert (c.size("/inbox/both5.part"), a.size("/inbox/both5.part")) == (1, 2)
            for w in (a, c):
                assert w.status(REMOVE, 1, "/inbox/both5.part") == OK
    for n, doc in enumerate((docs[1], docs[2], docs[3])):
        accepted(f"both{n}.xml", doc)
        assert market.sent(f"both{n}.xml") == 1, n
    lib.wait_for("both are answered", lambda: market.sql(
        "SELECT count(*) FROM muhur.submission WHERE file_name = 'both3.xml' AND state = 'accepted'") == [["2"]])
    assert market.sent("both4.xml") == 0
    good()


def size(name):
    with Wire(market) as w:
        return w.size("/inbox/" + name) or 0


def cut_off():
    """a reset, or a client that is killed: what came stays, is never taken, and can be gone on with"""
    doc = market.signed(lines=[("1000000001", f"C{n}", "CUA", "4H95J0R2X", "1") for n in range(20000)])
    with open(os.path.join(market.dir, "cut.xml"), "wb") as f:
        f.write(doc)
    for way in ("reset", "reset in a packet", "killed"):
        with Wire(market) as w:
            w.status(REMOVE, 1, "/inbox/cut.xml")
        since = market.log_size()
        if way == "killed":
            p = client("put cut.xml /inbox/cut.xml", "-l", "1000")
            lib.wait_for("the upload is on its way", lambda: size("cut.xml") > 100000)
            p.kill()
            p.wait(20)
        else:
            w = Wire(market)
            h = w.open("/inbox/cut.xml")
            assert set(w.write(h, doc[:300000])) == {OK}
            if way != "reset":
                w.channel.sendall(w.packet(WRITE, 1, h, (300000,), doc[300000:400000])[:50000])
                lib.wait_for("half a packet is there", lambda: size("cut.xml") > 300000)
            w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            w.client.close()
        lib.wait_for("the session has ended", lambda: "left cut.xml unfinished" in market.log(since))
        left = size("cut.xml")
        assert 100000 < left < len(doc) and market.sent("cut.xml") == 0, (way, left)
        with market.sftp("PLA001") as s, open(f"{market.dir}/state/boxes/PLA/users/PLA001/inbox/cut.xml", "rb") as f:
            assert s.stat("/inbox/cut.xml").st_size == left and f.read() == doc[:left], way
    with Wire(market) as w:			# all came but the close: who resumes has nothing to write
        whole = market.signed()
        h = w.open("/inbox/whole.xml")
        assert w.write(h, whole) == [OK]
    with Wire(market) as w:
        lib.wait_for("it is left", lambda: "left whole.xml unfinished" in market.log(since))
        assert w.upload("/inbox/whole.xml", b"", W) == OK, w.text
    accepted("whole.xml", whole)
    p = client("reput cut.xml /inbox/cut.xml")
    p.stdin.close()
    assert p.wait(60) == 0
    accepted("cut.xml", doc)
    assert market.sent("cut.xml") == 1
    market.sound(since)


def client(command, *options):
    """OpenSSH's sftp in the market's folder, at work on a command; slow with -l, so that one can come between."""
    p = subprocess.Popen(market.openssh(*options), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, cwd=market.dir)
    p.stdin.write(command.encode() + b"\n")
    p.stdin.flush()
    return p


def interrupted():
    """Ctrl-C of OpenSSH's sftp: the truncated document is XML_MALFORMED and reserves nothing"""
    doc = market.signed(message_id=f"INT-{os.getpid()}", lines=[
        ("1000000001", f"C{n}", "CUA", "4H95J0R2X", "1") for n in range(20000)])
    with open(os.path.join(market.dir, "interrupted.xml"), "wb") as f:
        f.write(doc)
    p = client("put interrupted.xml /inbox/interrupted.xml", "-l", "1000")
    lib.wait_for("the upload is on its way", lambda: size("interrupted.xml") > 100000)
    p.send_signal(signal.SIGINT)
    p.stdin.close()
    p.wait(20)
    _, notice = market.answer("interrupted.xml")
    assert notice.codes == ["XML_MALFORMED"], notice.codes
    market.send(doc, name="again.xml")		# under the same MessageId
    accepted("again.xml")


with lib.Market(conf=f"login_grace = 5\ninbox_quota = {QUOTA}\ninbox_max_files = {FILES}\n"
                f"max_sessions = {SESSIONS}\nmax_sessions_per_address = {FROM_ONE}\n") as market:
    lib.main(names, turkish, places, over_taken, handles, hundreds, quota, gaps, packets, half_open, sessions, concurrent,
             one_name, cut_off, interrupted)
