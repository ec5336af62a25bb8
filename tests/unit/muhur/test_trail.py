#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""muhur trail verify, prove, checkpoint: a whole log passes, and each way to
spoil one is found, named, and ends with status 1.  The logs are made by the
second implementation (tests/unit/trail/trail.py)."""

import copy
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/unit/trail"))
import trail  # noqa: E402

MUHUR = os.environ.get("MUHUR", "src/muhur/muhur")
SIZES = [(1, "2026-11-20"), (255, "2026-11-20"), (256, "2026-11-20"), (300, "2026-11-21"), (512, "2026-11-21"),
         (700, "2026-11-22")]
SUBMISSION = "01936f5c-0000-7000-8000-000000000001"
KEY = trail.Key("muhur.example/trail", b"k" * 32)
OTHER = trail.Key("muhur.example/trail", b"o" * 32)
count = failed = 0


def muhur(*argv, code=None, **kw):
    p = subprocess.run([MUHUR, *argv], text=True, capture_output=True, check=False, **kw)
    if code is not None and p.returncode != code:
        raise AssertionError(f"{argv}: status {p.returncode}, not {code}\n{p.stdout}{p.stderr}")
    return p


def document(n):
    return f"document {n}".encode()


def make_leaves(n, seed=1):
    r = random.Random(seed)
    made = []
    for i in range(n):
        kind = ("received", "accepted", "signed", "fetched", "rejected")[i % 5]
        detail = {"file": "\u0131.xml", "sha256": hashlib.sha256(document(i // 5)).hexdigest()}
        made.append(trail.make_leaf(i + 1, f"2026-11-{20 + i // 350 % 10}T21:{i % 350 // 60:02}:{i % 60:02}.000000Z", kind, detail,
                                    r.randbytes(16), submission=SUBMISSION if i in (7, 8) else None))
    return made


class Log:
    """A log in a folder, with its store and openings, in whole or about to be spoilt."""

    def __init__(self, top, name, made, sizes=None, key=KEY):
        self.top = os.path.join(top, name)
        self.dir, self.store, self.openings = (os.path.join(self.top, x) for x in ("trail", "store", "openings"))
        self.leaves = [leaf for leaf, _ in made]
        trail.write_log(self.dir, key, self.leaves, SIZES if sizes is None else sizes)
        trail.write_openings(self.openings, [o for _, o in made])
        for i in range((len(made) + 4) // 5):
            data = document(i)
            h = hashlib.sha256(data).hexdigest()
            trail.write(os.path.join(self.store, h[:2], h), data)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def stored(self, n):
        h = hashlib.sha256(document(n)).hexdigest()
        return os.path.join(self.store, h[:2], h)

    def verify(self, *more, code=1, key=KEY, everything=True):
        """The findings [(what, where, why)]"""
        rest = ["--store", self.store, "--openings", self.openings] if everything else []
        p = muhur("--json", "trail", "verify", "--dir", self.dir, "--key", key.vkey(), *rest, *more, code=code)
        o = json.loads(p.stdout)
        assert o["result"] == ("INVALID" if code else "VALID"), o
        assert len(o["findings"]) == min(o["findingCount"], 1000) and (o["findingCount"] > 0) == (code == 1), o
        return [(f["what"], f["where"], f["why"]) for f in o["findings"]]

    def change(self, path, fn):
        data = trail.read(self.dir, path)
        changed = fn(data)
        assert changed != data
        trail.write(self.path(path), changed)

    def rewrite(self, leaves):
        """Other leaves in all tiles, under the old checkpoints"""
        shutil.rmtree(self.path("tile"))
        trail.write_tiles(self.dir, leaves)


def whats(findings):
    return sorted({f[0] for f in findings})


def only(findings, what, where=None):
    assert whats(findings) == [what], findings
    assert where is None or [f[1] for f in findings] == [where], findings


def entry(leaf):
    return len(leaf).to_bytes(2, "big") + leaf


# --- a whole log ----------------------------------------------------------------------

def whole(top, made):
    """a whole log is valid, with its documents and openings; text and JSON say so"""
    log = Log(top, "whole", made)
    assert log.verify(code=0) == []
    p = muhur("trail", "verify", "--dir", log.dir, "--store", log.store, code=0)
    assert p.stdout.endswith("VALID\n") and "700 leaves" in p.stdout and "140 documents" in p.stdout, p.stdout
    assert "the log's own" in p.stdout and p.stderr == ""
    key = os.path.join(top, "vkey")
    trail.write(key, KEY.vkey().encode() + b"\r\n")
    p = muhur("trail", "verify", "--dir", log.dir, "--key", key, code=0)
    assert "the log's own" not in p.stdout and "not read" in p.stdout


def sizes(top, made):
    """logs of every shape: one leaf, whole tiles, three levels"""
    for n in (1, 255, 256, 257, 512, 513):
        log = Log(top, f"sizes{n}", made[:n], [(n, "2026-11-20")])
        assert log.verify(code=0) == []
    many = make_leaves(65536 + 300)
    log = Log(top, "large", many[:0], [])
    trail.write_log(log.dir, KEY, [leaf for leaf, _ in many], [(s, "2026-11-20") for s in (65536, 65537, 65836)])
    assert log.verify(code=0, everything=False) == []
    log.change("tile/2/000.p/1", lambda d: bytes(32))
    assert whats(log.verify(everything=False)) == ["tile-changed"]


def parts(top, made):
    """from one checkpoint to another; what is outside is not looked at"""
    log = Log(top, "parts", made)
    for first, last in ((1, 255), (256, 300), (300, 512), (256, 700), (700, 700), (300, 300)):
        assert log.verify("--from", str(first), "--to", str(last), code=0) == []
    log.change("tile/entries/000", lambda d: d.replace(b"gateway", b"getaway", 1))
    assert log.verify("--from", "256", code=0) == []
    only(log.verify("--to", "255"), "leaf-changed", "leaf 0")
    kept = log.path("checkpoints/2026-11-20/255")
    note = trail.read(kept)
    for bad in (b"", OTHER.checkpoint(255, bytes(32))):
        trail.write(kept, bad)
        assert log.verify("--from", "256", code=0) == []
        only(log.verify("--from", "255"), "checkpoint-bad")
    trail.write(kept, note)
    only(log.verify("--from", "299"), "checkpoint-bad")
    assert muhur("trail", "verify", "--dir", log.dir, "--from", "300", "--to", "256").returncode == 2


def beside(top, made):
    """what is given beside the log is checked, or it is said that it cannot be"""
    log = Log(top, "beside", made)
    large = Log(top, "beside-large", make_leaves(1000), [(1000, "2026-11-22")])
    kept, proof = os.path.join(top, "kept"), os.path.join(top, "proof300")
    shutil.copy(log.path("checkpoints/2026-11-21/300"), kept)
    muhur("trail", "prove", "--index", "5", "--size", "300", "--dir", log.dir, "-o", proof, code=0)
    for given in (("--checkpoint", kept), ("--proof", proof)):
        for part in (("--to", "256"), ("--from", "512")):
            p = muhur("trail", "verify", "--dir", log.dir, *given, *part, code=2)
            assert "is of 300 leaves" in p.stderr, p.stderr
        for part in (("--to", "300"), ("--from", "300"), ("--from", "256", "--to", "512")):
            assert log.verify(*given, *part, code=0) == []
    # a log that has not as many leaves as are to be left out
    only(log.verify("--checkpoint", large.path("checkpoint"), "--from", "1000"), "truncated", large.path("checkpoint"))
    p = muhur("trail", "verify", "--dir", log.dir, "--checkpoint", large.path("checkpoint"), "--from", "1000", code=1)
    assert "0 leaves from 700 on" in p.stdout, p.stdout


def old_tiles(top, made):
    """partial tiles of older trees beside the newest, and a log that is still being copied"""
    log = Log(top, "old", made[:500], [(300, "2026-11-20"), (500, "2026-11-20")])
    trail.write_tiles(log.dir, log.leaves[:300])
    assert log.verify(code=0) == []
    more = Log(top, "older", made, [])
    trail.write_log(more.dir, KEY, log.leaves[:300], [(300, "2026-11-20")])
    shutil.rmtree(more.path("tile"))
    trail.write_tiles(more.dir, [leaf for leaf, _ in made])
    assert more.verify(code=0, everything=False) == []


# --- leaves ---------------------------------------------------------------------------

def leaf_changed(top, made):
    """one leaf changed, in its own file alone"""
    log = Log(top, "changed", made)
    log.change("tile/entries/001", lambda d: d.replace(b'"event":300,', b'"event":301,'))
    only(log.verify(), "leaf-changed", "leaf 299")


def leaf_changed_all(top, made):
    """one leaf changed, and every tile with it: the signed root tells, and between which checkpoints"""
    log = Log(top, "changed2", made)
    leaves = list(log.leaves)
    leaves[310] = leaves[310].replace(b'"kind":"received"', b'"kind":"rejected"')
    assert leaves[310] != log.leaves[310]
    log.rewrite(leaves)
    only(log.verify(everything=False), "rewritten", "checkpoints/2026-11-21/512")
    assert "leaves 300 to 511" in log.verify(everything=False)[0][2]


def leaf_removed(top, made):
    """one leaf removed"""
    log = Log(top, "removed", made)
    gone = entry(log.leaves[400])
    log.change("tile/entries/001", lambda d: d.replace(gone, b""))
    assert whats(log.verify(everything=False)) == ["tile-changed"]
    log.rewrite(log.leaves[:400] + log.leaves[401:])
    assert set(whats(log.verify(everything=False))) == {"truncated", "rewritten"}, log.verify(everything=False)
    log.rewrite(log.leaves[:400] + log.leaves[401:] + [made[0][0]])
    only(log.verify(everything=False), "rewritten", "checkpoints/2026-11-21/512")


def leaf_inserted(top, made):
    """one leaf inserted"""
    log = Log(top, "inserted", made)
    one = entry(log.leaves[3])
    log.change("tile/entries/001", lambda d: one + d)
    assert whats(log.verify(everything=False)) == ["tile-changed"]
    log.rewrite(log.leaves[:400] + [log.leaves[3]] + log.leaves[400:])
    only(log.verify(everything=False), "rewritten", "checkpoints/2026-11-21/512")
    log.rewrite(log.leaves)
    log.change("tile/entries/002.p/188", lambda d: d + one)
    assert whats(log.verify(everything=False)) == ["tile-changed"]


def leaves_swapped(top, made):
    """two leaves swapped"""
    log = Log(top, "swapped", made)
    a, b = entry(log.leaves[270]), entry(log.leaves[290])
    log.change("tile/entries/001", lambda d: d.replace(a, b"?").replace(b, a).replace(b"?", b))
    found = log.verify(everything=False)
    only(found, "leaf-changed")
    assert [f[1] for f in found] == ["leaf 270", "leaf 290"]
    leaves = list(log.leaves)
    leaves[270], leaves[290] = leaves[290], leaves[270]
    log.rewrite(leaves)
    only(log.verify(everything=False), "rewritten", "checkpoints/2026-11-21/300")


def leaf_malformed(top, made):
    """a leaf that was signed so, but is not in the one form"""
    leaves = list(made)
    leaves[9] = (leaves[9][0].replace(b",", b", ", 1), leaves[9][1])
    only(Log(top, "malformed", leaves).verify(), "leaf-malformed", "leaf 9")


def event_twice(top, made):
    """one event with two leaves, signed so"""
    leaves = list(made)
    leaves[600] = leaves[9]
    only(Log(top, "twice", leaves).verify(everything=False), "event-twice", "event 10")
    leaves[601] = leaves[9]
    only(Log(top, "thrice", leaves).verify(everything=False), "event-twice", "event 10")


def tiles(top, made):
    """a tile changed or gone, at every level"""
    log = Log(top, "tiles", made)
    log.change("tile/0/001", lambda d: d[:64] + bytes(32) + d[96:])
    found = log.verify(everything=False)
    assert [f[:2] for f in found] == [("leaf-changed", "leaf 258"), ("tile-changed", "tile/1/000.p/2")], found
    log.rewrite(log.leaves)
    log.change("tile/1/000.p/2", lambda d: bytes(32) + d[32:])
    only(log.verify(everything=False), "tile-changed", "tile/1/000.p/2")
    for path in ("tile/1/000.p/2", "tile/0/000", "tile/entries/000", "tile/entries/002.p/188", "tile/0/002.p/188"):
        log.rewrite(log.leaves)
        os.unlink(log.path(path))
        only(log.verify(everything=False), "tile-missing", path)
        trail.write(log.path(path), b"short")
        only(log.verify(everything=False), "tile-changed", path)
        os.unlink(log.path(path))
        os.mkfifo(log.path(path))		# nobody writes to it: it is not waited for
        only(log.verify(everything=False), "tile-changed", path)
    log.rewrite(log.leaves)
    os.unlink(log.path("tile/0/000"))
    os.unlink(log.path("tile/entries/000"))
    assert whats(log.verify(everything=False)) == ["tile-missing"]


# --- truncated, forked ------------------------------------------------------------------

def truncated(top, made):
    """a log that ends before what was signed"""
    log = Log(top, "truncated", made)
    log.rewrite(log.leaves[:600])
    assert whats(log.verify(everything=False)) == ["truncated"]
    log.rewrite(log.leaves[:512])
    assert whats(log.verify(everything=False)) == ["truncated"]
    # set back as a whole, but for the list of what was signed
    shutil.copy(log.path("checkpoints/2026-11-21/512"), log.path("checkpoint"))
    assert whats(log.verify(everything=False)) == ["truncated"]
    # and that too: only who kept the checkpoint can tell
    kept = os.path.join(top, "kept")
    shutil.copy(log.path("checkpoints/2026-11-22/700"), kept)
    shutil.rmtree(log.path("checkpoints/2026-11-22"))
    assert log.verify(code=0, everything=False) == []
    only(log.verify("--checkpoint", kept, everything=False), "truncated", kept)
    # the newest alone is set back, all else is there
    log = Log(top, "setback", made)
    shutil.copy(log.path("checkpoints/2026-11-21/512"), log.path("checkpoint"))
    only(log.verify(), "truncated", "checkpoint")


def forked(top, made):
    """two signed checkpoints of one size, in the log or in an auditor's hands"""
    other = list(made)
    other[520] = make_leaves(700, seed=2)[520]
    twin = Log(top, "fork-b", other, [*SIZES[:-1], (650, "2026-11-22"), SIZES[-1]])
    log = Log(top, "fork-a", made)
    assert twin.verify(code=0, everything=False) == [] == log.verify(code=0)
    theirs = twin.path("checkpoints/2026-11-22/700")
    only(log.verify("--checkpoint", theirs), "forked", theirs)
    # of a size that this log never signed
    only(log.verify("--checkpoint", twin.path("checkpoints/2026-11-22/650")), "forked", twin.path("checkpoints/2026-11-22/650"))
    # from before they parted
    assert log.verify("--checkpoint", twin.path("checkpoints/2026-11-21/512"), code=0) == []
    trail.write(log.path("checkpoints/2026-11-23/700"), trail.read(theirs))
    assert "forked" in whats(log.verify())
    # a proof from the other branch
    proof = os.path.join(top, "fork-proof")
    muhur("trail", "prove", "601", "--dir", twin.dir, "-o", proof, code=0)
    os.unlink(log.path("checkpoints/2026-11-23/700"))
    only(log.verify("--proof", proof), "forked", proof)


def checkpoints(top, made):
    """checkpoints that are not what they should be"""
    log = Log(top, "checkpoints", made)
    only(log.verify(key=OTHER, everything=False), "checkpoint-bad")
    note = trail.read(log.dir, "checkpoint")
    for bad in (note[:-1], note.replace(b"700", b"701"), b"", b"x" * 10000, note.replace(b"\n700\n", b"\n0700\n")):
        trail.write(log.path("checkpoint"), bad)
        only(log.verify(), "checkpoint-bad", "checkpoint")
    os.unlink(log.path("checkpoint"))
    only(log.verify(), "checkpoint-bad", "checkpoint")
    trail.write(log.path("checkpoint"), note)
    trail.write(log.path("checkpoints/2026-11-20/299"), note)
    only(log.verify(), "checkpoint-bad", "checkpoints/2026-11-20/299")
    os.unlink(log.path("checkpoints/2026-11-20/299"))
    trail.write(log.path("checkpoints/2026-11-20/255"), OTHER.checkpoint(255, bytes(32)))
    only(log.verify(), "checkpoint-bad", "checkpoints/2026-11-20/255")
    trail.write_checkpoint(log.dir, KEY, 255, bytes(32), "2026-11-20", newest=False)
    only(log.verify(), "rewritten", "checkpoints/2026-11-20/255")
    os.unlink(log.path("checkpoints/2026-11-20/255"))
    assert log.verify(code=0) == []


# --- documents and openings ----------------------------------------------------------------

def documents(top, made):
    """a document changed, gone, purged"""
    log = Log(top, "documents", made)
    with open(log.stored(33), "ab") as f:
        f.write(b" ")
    only(log.verify(), "payload-changed", "leaf 166")	# accepted
    os.unlink(log.stored(33))
    found = log.verify()
    only(found, "payload-missing", "leaf 168")		# fetched: the last that speaks of it
    assert "in the next checkpoint" in found[0][2], found
    purged = trail.make_leaf(701, "2026-11-22T00:00:00.000000Z", "purged",
                             {"sha256": hashlib.sha256(document(33)).hexdigest()}, b"s" * 16)
    log = Log(top, "purged", [*made, purged], [*SIZES, (701, "2026-11-22")])
    os.unlink(log.stored(33))
    assert log.verify(code=0) == []
    # by a leaf that came after those that are read, signed or not
    assert log.verify("--to", "700", code=0) == []
    log.change("tile/entries/002.p/189", lambda d: d.replace(b'"event":701', b'"event":702'))
    only(log.verify("--to", "700"), "payload-missing", "leaf 168")
    # purged first, then it came again: it must be there
    again = trail.make_leaf(702, "2026-11-22T00:00:00.000000Z", "accepted",
                            {"sha256": hashlib.sha256(document(33)).hexdigest()}, b"s" * 16)
    log = Log(top, "again", [*made, purged, again], [(702, "2026-11-22")])
    os.unlink(log.stored(33))
    only(log.verify(), "payload-missing", "leaf 701")
    # nothing has a hash of zeros
    nothing = trail.make_leaf(701, "2026-11-22T00:00:00.000000Z", "accepted", {"sha256": "0" * 64}, b"s" * 16)
    only(Log(top, "zeros", [*made, nothing], [(701, "2026-11-22")]).verify(), "payload-missing", "leaf 700")
    # what was refused is not looked for: its leaf shows no hash
    log = Log(top, "refused", made)
    os.rename(log.stored(139), log.stored(139) + ".x")
    only(log.verify(), "payload-missing")


def openings(top, made):
    """an opening changed or gone"""
    log = Log(top, "openings", made)
    path = os.path.join(log.openings, "001")
    data = trail.read(path)
    trail.write(path, data.replace(b".xml", b".xmI", 1))
    only(log.verify(), "opening-changed", "leaf 256")
    trail.write(path, b"".join(data.splitlines(keepends=True)[:100]))
    only(log.verify(), "opening-missing", "leaf 356")
    os.unlink(path)
    only(log.verify(), "opening-missing", "openings/001")


# --- time-stamps ------------------------------------------------------------------------------

class Tsa:
    def __init__(self, top, name):
        self.dir = os.path.join(top, name)
        os.mkdir(self.dir)
        trail.write(os.path.join(self.dir, "ca.ext"), b"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                    b"subjectKeyIdentifier=hash\n")
        trail.write(os.path.join(self.dir, "tsa.ext"), b"extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
                    b"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        trail.write(os.path.join(self.dir, "cnf"), b"[t]\nserial=serial\ndefault_policy=1.2.3.4\ndigests=sha256\nsigner_digest=sha256\n")
        for who in ("ca", "tsa"):
            self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{who}.key",
                         "-out", f"{who}.csr", "-subj", f"/CN={name} {who}")
        self.openssl("x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "3", "-extfile", "ca.ext", "-out", "ca.pem")
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3",
                     "-extfile", "tsa.ext", "-out", "tsa.pem")
        self.pem = os.path.join(self.dir, "ca.pem")

    def openssl(self, *argv):
        subprocess.run(["openssl", *argv], cwd=self.dir, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stamp(self, path):
        self.openssl("ts", "-query", "-data", path, "-sha256", "-cert", "-out", "query")
        self.openssl("ts", "-reply", "-config", "cnf", "-section", "t", "-queryfile", "query", "-signer", "tsa.pem",
                     "-inkey", "tsa.key", "-out", path + ".tsr")


def stamps(top, made):
    """a checkpoint without its time-stamp, and time-stamps that do not fit"""
    log, tsa, stranger = Log(top, "stamps", made), Tsa(top, "tsa"), Tsa(top, "stranger")
    paths = [log.path("checkpoints", day, str(size)) for size, day in SIZES]
    late = ("--stamp-late", str(2 * 10**9))		# these leaves are of no day of ours
    required = ("--require-stamps", "--stamp-grace", "0", "--tsa", tsa.pem, *late)
    assert log.verify(code=0) == []		# it is asked for, or it is none
    assert len(log.verify(*required)) == len(SIZES)
    for path in paths:
        tsa.stamp(path)
    assert log.verify(*required, code=0) == [] == log.verify("--require-stamps", *late, code=0)
    p = json.loads(muhur("--json", "trail", "verify", "--dir", log.dir, "--tsa", tsa.pem, code=0).stdout)
    assert p["timestamps"] == {"present": len(SIZES), "good": len(SIZES), "excused": 0, "judged": True,
                               "withinSeconds": p["timestamps"]["withinSeconds"]}, p
    p = json.loads(muhur("--json", "trail", "checkpoint", "--dir", log.dir, "--tsa", tsa.pem, "300", code=0).stdout)
    assert p["size"] == 300 and p["timestamp"]["state"] == "good" and "tsa" in p["timestamp"]["authority"], p
    os.rename(paths[3] + ".tsr", paths[3] + ".x")
    only(log.verify(*required), "stamp-missing", "checkpoints/2026-11-21/300")
    # it may still come: so long after the last event before it (2026-11-20)
    assert log.verify(*required[:2], str(2 * 10**9), *required[3:], code=0) == []
    p = muhur("trail", "verify", "--dir", log.dir, *required[:2], str(2 * 10**9), *required[3:], code=0)
    assert f"{len(SIZES) - 1} time-stamps\n1 checkpoints are without one" in p.stdout, p.stdout
    # an event of a time to come excuses nothing
    late = trail.make_leaf(701, "2999-01-01T00:00:00.000000Z", "rejected", {}, b"s" * 16)
    only(Log(top, "late", [*made, late], [(701, "2026-11-22")]).verify("--require-stamps", everything=False), "stamp-missing",
         "checkpoints/2026-11-22/701")
    shutil.copy(paths[2] + ".tsr", paths[3] + ".tsr")
    only(log.verify(code=1), "stamp-bad", "checkpoints/2026-11-21/300")	# also without anchors
    stranger.stamp(paths[3])
    assert log.verify(code=0) == []
    only(log.verify(*required), "stamp-bad", "checkpoints/2026-11-21/300")
    muhur("trail", "checkpoint", "--dir", log.dir, "--tsa", tsa.pem, "300", code=1)
    trail.write(paths[3] + ".tsr", b"no stamp")
    only(log.verify(), "stamp-bad", "checkpoints/2026-11-21/300")


def stamp_times(top, made):
    """leaves that say they are much older than their time-stamps, and such that are younger"""
    now, tsa = time.time(), Tsa(top, "tsa")

    def log_of(name, *ages):
        """A leaf of each age, its checkpoint"""
        leaves = [trail.make_leaf(i + 1, time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now - age)), "rejected", {}, b"s" * 16)
                  for i, age in enumerate(ages)]
        log = Log(top, name, leaves, [(i + 1, "2026-11-20") for i in range(len(leaves))])
        return log, [log.path("checkpoints/2026-11-20", str(i + 1)) for i in range(len(leaves))]

    def within(log, *more):
        p = muhur("--json", "trail", "verify", "--dir", log.dir, "--tsa", tsa.pem, *more, code=0)
        return json.loads(p.stdout)["timestamps"]["withinSeconds"]

    day, required = 86400, ("--require-stamps", "--tsa", tsa.pem)
    # made up today: each leaf is stamped, all today
    log, paths = log_of("made-up", 300 * day, 200 * day, 100 * day, 0)
    assert within(log) is None
    for path in paths:
        tsa.stamp(path)
    assert 0 <= within(log) - 300 * day < 600
    assert "were 2592" in muhur("trail", "verify", "--dir", log.dir, "--tsa", tsa.pem, code=0).stdout
    found = log.verify(*required, everything=False)
    only(found, "stamp-late", "checkpoints/2026-11-20/1")
    assert "3 checkpoints" in found[0][2], found
    only(log.verify("--tsa", tsa.pem, "--stamp-late", str(250 * day), everything=False), "stamp-late")
    assert log.verify(*required, "--stamp-late", str(301 * day), code=0, everything=False) == []
    assert log.verify(*required, "--from", "3", code=0, everything=False) == []
    muhur("trail", "verify", "--dir", log.dir, "--stamp-late", "x", code=2)
    # the last leaf before a checkpoint may be of now: that does not hide what is before it
    log, paths = log_of("hidden", 300 * day, 0)
    os.unlink(paths[0])
    tsa.stamp(paths[1])
    only(log.verify(*required, everything=False), "stamp-late", "checkpoints/2026-11-20/2")
    # after an outage the newest was stamped first, which is proof of those before it
    log, paths = log_of("outage", 8 * day, 8 * day - 60, 6 * day)
    tsa.stamp(paths[2])
    only(log.verify("--tsa", tsa.pem, "--stamp-late", str(7 * day), everything=False), "stamp-late", "checkpoints/2026-11-20/1")
    assert log.verify("--tsa", tsa.pem, "--stamp-late", str(9 * day), code=0, everything=False) == []
    # a stamp that is older than a leaf under it; the authority's clock may be a little behind
    log, paths = log_of("younger", 10, -200, -400, 0)
    for path in paths[1:]:
        tsa.stamp(path)
    only(log.verify(everything=False), "stamp-bad", "checkpoints/2026-11-20/3")
    # a rehearsal's clock is another
    conf = os.path.join(top, "muhur.conf")
    trail.write(conf, f'state_dir = "{log.top}"\nclock_offset = 400\n'.encode())
    p = muhur("-c", conf, "trail", "verify", code=0)
    assert "were not compared" in p.stdout, p.stdout


# --- proofs -------------------------------------------------------------------------------------

def proofs(top, made):
    """a leaf's proof holds without its log, and no other does"""
    log = Log(top, "proofs", made)
    where = ("--dir", log.dir, "--openings", log.openings)
    one = json.loads(muhur("trail", "prove", "301", *where, code=0).stdout)
    assert one["index"] == 300 and one["size"] == 700 and one["leaf"].encode() == made[300][0] and one["v"] == 1
    assert trail.canonical(one["opening"]).encode() == made[300][1]
    assert one["checkpoint"].encode() == trail.read(log.dir, "checkpoint")
    both = muhur("trail", "prove", "--submission", SUBMISSION, *where, code=0).stdout.splitlines()
    assert [json.loads(p)["index"] for p in both] == [7, 8]
    older = json.loads(muhur("trail", "prove", "--index", "5", "--size", "300", *where, code=0).stdout)
    assert older["size"] == 300
    for nothing in (["702"], ["--index", "700"], ["--submission", SUBMISSION[:-1] + "2"], ["1", "--size", "299"]):
        muhur("trail", "prove", *nothing, *where, code=1)
    for wrong in ([], ["x"], ["0"], ["1", "2"], ["1", "--index", "1"], ["--submission", "x"]):
        muhur("trail", "prove", *wrong, *where, code=2)
    path = os.path.join(top, "proof")
    trail.write(path, "\n".join(both + [json.dumps(one, indent=None), json.dumps(older)]).encode())
    assert log.verify("--proof", path, code=0) == []
    for empty in (b"", b"\n\n"):
        trail.write(path, empty)
        only(log.verify("--proof", path, everything=False), "proof-bad", path)

    def bad(change):
        p = copy.deepcopy(one)
        change(p)
        trail.write(path, json.dumps(p).encode())
        only(log.verify("--proof", path, everything=False), "proof-bad", path)
    bad(lambda p: p.update(v=2))
    bad(lambda p: p.update(index=299))
    bad(lambda p: p.update(index=-1))
    bad(lambda p: p.update(size=701))
    bad(lambda p: p.update(leaf=p["leaf"].replace("301", "302")))
    bad(lambda p: p["hashes"].pop())
    bad(lambda p: p["hashes"].reverse())
    bad(lambda p: p["hashes"].append(p["hashes"][0]))
    bad(lambda p: p.update(checkpoint=older["checkpoint"]))
    bad(lambda p: p.update(checkpoint=OTHER.checkpoint(700, bytes(32)).decode()))
    bad(lambda p: p["opening"]["detail"].update(file="x"))
    bad(lambda p: p["opening"].pop("salt"))
    bad(lambda p: p.update(opening=None))
    bad(lambda p: p.pop("hashes"))
    trail.write(path, b"{")
    only(log.verify("--proof", path, everything=False), "proof-bad", path)


# --- the command ------------------------------------------------------------------------------

def command(top, made):
    """without options the configuration's folders; exit codes; no checkpoint at all"""
    log = Log(top, "state", made)
    conf = os.path.join(top, "muhur.conf")
    trail.write(conf, f'state_dir = "{log.top}"\n'.encode())
    p = muhur("-c", conf, "trail", "verify", code=0)
    assert "140 documents" in p.stdout and p.stdout.endswith("VALID\n"), p.stdout
    os.unlink(log.stored(3))
    muhur("-c", conf, "trail", "verify", code=1)
    p = muhur("-c", conf, "trail", "checkpoint", code=0)
    assert p.stdout.encode() == trail.read(log.dir, "checkpoint")
    muhur("-c", conf, "trail", "checkpoint", "299", code=1)
    muhur("trail", "verify", "--dir", os.path.join(top, "nowhere"), code=3)
    muhur("trail", "verify", "--dir", log.dir, "--store", os.path.join(top, "nowhere"), code=3)
    muhur("trail", "verify", "--dir", log.dir, "--checkpoint", os.path.join(top, "nowhere"), code=3)
    muhur("trail", "verify", "--dir", log.dir, "--key", "no+key+", code=3)
    muhur("trail", "verify", "--dir", log.dir, "more", code=2)
    muhur("trail", "verify", "--dir", log.dir, "--stamp-grace", "x", code=2)
    empty = os.path.join(top, "empty")
    trail.write(os.path.join(empty, "key"), KEY.vkey().encode())
    p = muhur("trail", "verify", "--dir", empty, code=1)
    assert p.stdout.endswith("INVALID\n")


TESTS = [whole, sizes, parts, beside, old_tiles, leaf_changed, leaf_changed_all, leaf_removed, leaf_inserted, leaves_swapped,
         leaf_malformed, event_twice, tiles, truncated, forked, checkpoints, documents, openings, stamps, stamp_times, proofs, command]


def main(tests):
    global count, failed
    made = make_leaves(700)
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        count += 1
        with tempfile.TemporaryDirectory() as top:
            try:
                test(top, made)
                print(f"ok {count} - {test.__doc__}", flush=True)
            except (AssertionError, subprocess.CalledProcessError, OSError, ValueError) as e:
                failed += 1
                print(f"not ok {count} - {test.__name__}: {test.__doc__}")
                print("# line", e.__traceback__.tb_next.tb_lineno, str(e)[:3000].replace("\n", "\n# "), flush=True)
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(TESTS))
