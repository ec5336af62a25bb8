# SPDX-License-Identifier: ISC
"""muhur trail stamp: a time-stamp beside each checkpoint, of an authority that is
away, that comes back, and that lies.  Needs no gateway: checkpoints are files."""

import contextlib
import datetime
import os
import re
import shutil
import subprocess
import tempfile
import time

import lib
import pki
from tsa import Server, Tsa


class Folder:
    """A gateway's state without a gateway, and its authority."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="stamp.", dir=os.environ.get("MUHUR_TEST_DIR"))
        os.chmod(self.dir, 0o755)
        self.tsa = Tsa(self, "TSA")
        self.server = Server(self.tsa)
        self.conf = os.path.join(self.dir, "muhur.conf")
        self.lists = self.path("crl.pem")
        with open(self.lists, "wb") as f:
            f.write(pki.crl(self.tsa.ca, 1))
        self.set(tsa_url=self.server.url)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def set(self, tsa_url, anchors="TSACA.pem", more=""):
        with open(self.conf, "w") as f:
            f.write(f'state_dir = "state"\ncrl_file = "crl.pem"\ntsa_anchors = "{anchors}"\ntsa_url = "{tsa_url}"\n'
                    f"tsa_timeout = 2\n{more}\n")

    def checkpoint(self, day, size):
        """As the sequencer leaves one."""
        folder = self.path("state", "trail", "checkpoints", day)
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{size}", "w") as f:
            f.write(f"example.org/trail\n{size}\nAAAA\n\n— example.org/trail x{size}\n")

    def stamp(self, *argv, code=0):
        p = lib.run(os.path.join(lib.BIN, "muhur"), "-c", self.conf, "trail", "stamp", *argv, ok=None, timeout=lib.LIMIT)
        assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
        return p

    def stamps(self):
        """{size: path} of the stamps that are there; nothing else has been left."""
        found, top = {}, self.path("state", "trail", "checkpoints")
        for day in os.listdir(top):
            if re.fullmatch(r"\.20\d\d-\d\d-\d\d\.stamped", day):
                continue
            for name in os.listdir(f"{top}/{day}"):
                assert name.replace(".tsr", "").isdigit(), name
                if name.endswith(".tsr"):
                    found[int(name[:-4])] = f"{top}/{day}/{name}"
        return found

    def stock(self, path):
        """What `openssl ts' says of a stamp."""
        return lib.run("openssl", "ts", "-verify", "-in", path, "-data", path[:-4], "-CAfile", self.path("TSACA.pem"),
                       ok=None)


one = None


def catches_up():
    """each checkpoint gets a stamp that stock openssl verifies; what is stamped is not asked about again"""
    for day, size in (("2026-11-01", 7), ("2026-11-02", 99), ("2026-11-02", 100), ("2026-11-02", 1000)):
        one.checkpoint(day, size)
    os.mkdir(one.path("state", "trail", "checkpoints", ".new"))
    out = one.stamp().stdout
    os.rmdir(one.path("state", "trail", "checkpoints", ".new"))
    order = [int(line.split("/")[2].split(":")[0]) for line in out.splitlines() if line.startswith("checkpoints/")]
    assert order == [1000, 100, 99, 7], out
    assert sorted(one.stamps()) == [7, 99, 100, 1000]
    for path in one.stamps().values():
        assert "Verification: OK" in one.stock(path).stdout, path
        assert os.stat(path).st_mode & 0o777 == 0o644
    asked = one.server.asked
    assert "0 checkpoints stamped" in one.stamp().stdout
    assert one.server.asked == asked == 4


def old_days():
    """a day that is over and all stamped is left alone, until something comes into its folder"""
    mark = one.path("state", "trail", "checkpoints", ".2026-11-0{}.stamped")
    one.stamp()
    assert os.path.exists(mark.format(1)) and not os.path.exists(mark.format(2))
    first = one.path("state", "trail", "checkpoints", "2026-11-01")
    asked = one.server.asked
    one.stamp()
    one.checkpoint("2026-11-01", 8)
    one.stamp()
    assert 8 in one.stamps() and one.server.asked == asked + 1
    os.unlink(f"{first}/8.tsr")         # lost by a restored backup, say
    one.stamp()
    assert 8 in one.stamps()


def limit():
    """--limit bounds a run, the newest come first, and the next run goes on"""
    for size in (2001, 2002, 2003):
        one.checkpoint("2026-11-03", size)
    one.stamp("--limit", "2")
    assert 2003 in one.stamps() and 2002 in one.stamps() and 2001 not in one.stamps()
    one.stamp("--limit", "2")
    assert 2001 in one.stamps()
    for wrong in ("0", "-1", "x", "1x", ""):
        assert "number" in one.stamp("--limit", wrong, code=2).stderr, wrong
    one.stamp("here", code=2)


def away():
    """an authority that is away, errs, hangs or breaks off: 3, and said; then everything is caught up"""
    before = one.stamps()
    for size in range(3001, 3006):
        one.checkpoint("2026-11-04", size)

    def hangs(handler, query):
        one.server.done.wait(10)

    def breaks_off(handler, query):
        handler.send_response(200)
        handler.send_header("Content-Length", "4000")
        handler.end_headers()
        handler.wfile.write(b"0" * 100)

    def drips(handler, query):
        handler.send_response(200)
        handler.end_headers()
        end = time.monotonic() + 10
        with contextlib.suppress(OSError):
            while time.monotonic() < end and not one.server.done.wait(0.1):
                handler.wfile.write(b"0")
                handler.wfile.flush()

    for page, says in ((hangs, "timed out"), (drips, "timed out"), (breaks_off, ""),
                       (lambda h, q: h.send_error(503), "503"), (lambda h, q: h.send_error(404), "404")):
        one.server.page = page
        begun = time.monotonic()
        p = one.stamp(code=3)
        assert "tsa_url" in p.stderr and says in p.stderr and "next run" in p.stderr, p.stderr
        assert time.monotonic() - begun < 8
        assert one.stamps() == before
    one.server.page = None
    one.set(tsa_url="http://127.0.0.1:1/")
    assert "127.0.0.1" in one.stamp(code=3).stderr
    one.set(tsa_url=one.server.url)
    # it goes away in the middle: what was done stays
    left = [2]

    def twice(handler, query):
        left[0] -= 1
        if left[0] < 0:
            handler.send_error(503)
        else:
            one.server.say(handler, one.server.reply(query))

    one.server.page = twice
    one.stamp(code=3)
    assert set(one.stamps()) - set(before) == {3005, 3004}
    one.server.page = None
    one.stamp()
    assert set(one.stamps()) - set(before) == set(range(3001, 3006))


def unreadable():
    """a checkpoint that cannot be read is named, and holds up none of the others"""
    one.checkpoint("2026-11-04", 3010)
    one.checkpoint("2026-11-04", 3012)
    path = one.path("state", "trail", "checkpoints", "2026-11-04", "3011")
    with open(path, "w") as f:
        f.write("x" * (1 << 20))
    p = one.stamp(code=3)
    assert "checkpoints/2026-11-04/3011: it has no stamp yet" in p.stderr and "2 checkpoints stamped" in p.stdout, p
    assert {3010, 3012} < set(one.stamps()) and 3011 not in one.stamps()
    one.stamp(code=3)
    os.unlink(path)
    one.stamp()


def lies():
    """a wrong nonce, another's imprint, no grant, garbage, too much, a redirection: refused, and nothing is kept"""
    stranger = Tsa(one, "STRANGER")
    plain = pki.issue(one, "PLAIN", issuer=one.tsa.ca, key_usage=("digital_signature",))
    revoked = Tsa(one, "GONE", one.tsa.ca)

    def query(data, *more):
        """A query of our own about these bytes."""
        asked, path = one.path("q"), one.path("d")
        with open(path, "wb") as f:
            f.write(data)
        lib.run("openssl", "ts", "-query", "-data", path, "-sha256", "-cert", "-out", asked, *more)
        with open(asked, "rb") as f:
            return f.read()

    def note():
        with open(one.path("state", "trail", "checkpoints", "2026-11-05", "4001"), "rb") as f:
            return f.read()

    def status(text):
        """A PKIStatusInfo that rejects, with this text: no token."""
        body = text.encode()
        string = b"\x0c" + bytes([len(body)]) + body
        info = b"\x02\x01\x02" + b"\x30" + bytes([len(string)]) + string
        info = b"\x30" + bytes([len(info)]) + info
        return b"\x30" + bytes([len(info)]) + info

    def to(location):
        def page(handler, q):
            handler.send_response(307)
            handler.send_header("Location", location)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        return page

    def answers(make):
        return lambda handler, q: one.server.say(handler, make(q))

    def spoilt(q):
        reply = bytearray(one.tsa.reply(q))
        reply[-1] ^= 1
        return bytes(reply)

    def at(year):
        """It tells another year."""
        now = str(datetime.datetime.now(datetime.timezone.utc).year).encode()
        return lambda q: one.tsa.signed(one.tsa.reply(q), lambda info: info.replace(b"\x18\x0f" + now, b"\x18\x0f" + year))

    # what signed() makes is taken, so that what follows is refused for its fault alone
    one.server.page = answers(lambda q: one.tsa.signed(one.tsa.reply(q)))
    one.checkpoint("2026-11-05", 4000)
    one.stamp("--limit", "1")
    one.stamp("--limit", "1")
    before = one.stamps()
    assert 4000 in before
    one.checkpoint("2026-11-05", 4001)

    for what, page, says in (
            ("another nonce", answers(lambda q: one.tsa.reply(query(note()))), "nonce"),
            ("no nonce", answers(lambda q: one.tsa.reply(query(note(), "-no_nonce"))), "nonce"),
            ("another imprint", answers(lambda q: one.tsa.reply(q.replace(imprint(q), b"\0" * 32))), "other bytes"),
            ("a rejection", answers(lambda q: status("not \x1b[31mtoday")), "granted none: status 2, not "),
            ("garbage", answers(lambda q: b"garbage" * 100), "no TimeStampResp"),
            ("nothing", answers(lambda q: b""), "no TimeStampResp"),
            ("a page", answers(lambda q: b"<html>login</html>"), "no TimeStampResp"),
            ("a tail", answers(lambda q: one.tsa.reply(q) + b"\0"), "no TimeStampResp"),
            ("a spoilt signature", answers(spoilt), "does not verify"),
            ("the past", answers(at(b"2025")), "from this machine's clock"),
            ("the future", answers(at(b"2028")), "from this machine's clock"),
            ("a certificate that is not for time-stamps", answers(lambda q: one.tsa.signed(one.tsa.reply(q), None, *plain)),
             "does not verify"),
            ("a stranger's", answers(stranger.reply), "does not verify"),
            ("too much", answers(lambda q: b"0" * 200000), "larger than"),
            ("a redirection", to(one.server.url), "307")):
        one.server.page = page
        p = one.stamp(code=3)
        assert says in p.stderr and "\x1b" not in p.stderr, (what, p.stderr)
        assert one.stamps() == before, what
    one.server.page = answers(revoked.reply)
    with open(one.lists, "rb") as f:
        lists = f.read()
    with open(one.lists, "wb") as f:
        f.write(pki.crl(one.tsa.ca, 2, revoked=[serial(revoked.cert)]))
    assert "revoked" in one.stamp(code=3).stderr
    with open(one.lists, "wb") as f:
        f.write(lists)
    one.server.page = None
    one.stamp()
    assert 4001 in one.stamps()


def imprint(query):
    """The 32 bytes of a query's SHA-256."""
    at = query.index(b"\x04\x20") + 2
    return query[at:at + 32]


def serial(path):
    from cryptography import x509
    with open(path, "rb") as f:
        return x509.load_pem_x509_certificate(f.read()).serial_number


def rehearsal():
    """under another gateway's clock the authority's time is compared with the machine's"""
    one.checkpoint("2027-11-05", 5001)
    one.set(tsa_url=one.server.url, more="clock_offset = 31536000")
    one.stamp()
    assert 5001 in one.stamps()
    one.set(tsa_url=one.server.url)


def two_runs():
    """two runs at once: every checkpoint has one stamp that verifies, none is asked about twice"""
    for size in range(6001, 6013):
        one.checkpoint("2026-11-06", size)
    asked = one.server.asked
    argv = [os.path.join(lib.BIN, "muhur"), "-c", one.conf, "trail", "stamp"]
    runs = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    for run in runs:
        out = run.communicate(timeout=lib.LIMIT)[0]
        assert run.returncode == 0, out
    assert one.server.asked - asked == 12
    for size in range(6001, 6013):
        assert "Verification: OK" in one.stock(one.stamps()[size]).stdout


def owner():
    """run by root, stamps belong to whom the folder belongs; who may not write is told what to do"""
    if os.geteuid() != 0:
        raise lib.Skip("needs root")
    for root, folders, files in os.walk(one.path("state")):
        for path in [root] + [os.path.join(root, name) for name in files]:
            os.chown(path, 59900, 59900)
    os.chmod(one.path("state"), 0o750)
    one.checkpoint("2026-11-06", 7001)
    one.stamp()
    st = os.stat(one.stamps()[7001])
    assert (st.st_uid, st.st_gid) == (59900, 59900), st
    one.checkpoint("2026-11-06", 7002)
    os.chmod(one.path("state"), 0o755)
    p = subprocess.run(["setpriv", "--reuid=59901", "--regid=59901", "--clear-groups", os.path.join(lib.BIN, "muhur"),
                        "-c", one.conf, "trail", "stamp"], capture_output=True, text=True, timeout=lib.LIMIT)
    assert p.returncode == 3 and "run this as root" in p.stderr, p
    one.stamp()


def settings():
    """without tsa_url or tsa_anchors, or with ones of no use: 3, and what to set; without checkpoints nothing to do"""
    one.set(tsa_url="")
    assert "tsa_url: not set" in one.stamp(code=3).stderr
    one.set(tsa_url=one.server.url, anchors="")
    assert "tsa_anchors: not set" in one.stamp(code=3).stderr
    one.set(tsa_url=one.server.url, anchors="absent.pem")
    assert "absent.pem" in one.stamp(code=3).stderr
    one.set(tsa_url=f"file://{one.conf}")
    one.checkpoint("2026-11-07", 8001)
    one.stamp(code=3)
    one.set(tsa_url=one.server.url)
    shutil.rmtree(one.path("state"))
    assert "no checkpoints yet" in one.stamp().stderr


if __name__ == "__main__":
    one = Folder()
    try:
        lib.main(catches_up, old_days, limit, away, unreadable, lies, rehearsal, two_runs, owner, settings)
    finally:
        one.server.stop()
        if not os.environ.get("MUHUR_TEST_KEEP"):
            shutil.rmtree(one.dir, ignore_errors=True)
