# SPDX-License-Identifier: ISC
"""What tests of evidence share: a gateway whose checkpoints an authority on loopback
stamps, what was sent to it, and containers."""

import contextlib
import hashlib
import json
import os
import zipfile

import lib
import pki
from tsa import Server, Tsa

MANIFEST, STAMP, SIGNATURE = "META-INF/ASiCManifest.xml", "META-INF/timestamp.tst", "META-INF/signature.p7s"
market = None
ids = {}            # what was sent: name -> submission's id


@contextlib.contextmanager
def gateway():
    """(the market, the authority's server)"""
    global market
    with lib.Market("trail_checkpoint_interval = 1\n") as market:
        market.stop()
        authority = Tsa(market, "TSA")
        server = Server(authority)
        with open(f"{market.pki}/crl.pem", "ab") as f:
            f.write(pki.crl(authority.ca, 1))
        market.set_conf("tsa_anchors", '"TSACA.pem"')
        market.set_conf("tsa_url", f'"{server.url}"')
        market.start()
        try:
            yield market, server
        finally:
            server.stop()


def path(*names):
    return os.path.join(market.dir, *names)


def container(name):
    return path("out", f"{name}.asice")


def verify(file, *argv, code=0):
    """(VALID or INVALID, the checks that failed)"""
    p = lib.run(os.path.join(lib.BIN, "muhur"), "-c", market.conf, "--json", "evidence", "verify", *argv, file, ok=None)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    o = json.loads(p.stdout)
    assert o["result"] == ("VALID" if code == 0 else "INVALID"), o
    return o


def failed(o):
    return [c for c in o["checks"] if not c["ok"]]


def read(file):
    with open(file, "rb") as f:
        return f.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def outside():
    """Anchors and key from elsewhere than the container."""
    return ["--trust", f"{market.pki}/trust.pem", "--tsa", path("TSACA.pem"), "--key", path("state", "trail", "key")]


def export(ident, out, *argv, code=0):
    return market.muhur("evidence", "export", ident, "-o", out, *argv, ok=(code,))


def sent(name):
    return market.sql(f"SELECT id FROM muhur.submission WHERE file_name = '{name}' ORDER BY no DESC LIMIT 1")[0][0]


def in_checkpoint():
    """Everything that happened so far is in a checkpoint."""
    last = int(market.sql("SELECT max(no) FROM muhur.event")[0][0])

    def covered():
        row = market.sql(f"SELECT leaf_index FROM muhur.trail_leaf WHERE event = {last}")
        if not row:
            return False
        with open(path("state", "trail", "checkpoint"), encoding="utf-8") as f:
            return int(f.read().split("\n")[1]) > int(row[0][0])
    lib.wait_for("a checkpoint with everything in it", covered)


def set_up():
    """a day: a report that is accepted, one whose certificate is revoked, one whose totals are wrong, and garbage"""
    os.mkdir(path("out"))
    market.muhur("crl", "refresh")
    with open(path("report.xml"), "wb") as f:
        f.write(market.signed())
    with open(path("report.xml"), "rb") as f:
        good = f.read()
    for name, data, want in (("good", good, "accepted"),
                             ("wrong-total", market.signed(totals={"4H95J0R2X": "2"}), "rejected"),
                             ("changed", good.replace(b'Qty="1.5"', b'Qty="9.5"', 1), "rejected"),
                             ("Ömer's <b>&amp; 'x'.xml", b"<garbage", "rejected")):
        market.send(data, name=name)
        market.answer(name.replace("'", "''"))
        ids[name] = sent(name.replace("'", "''"))
        assert market.json("submission", "show", ids[name])[0]["state"] == want, name
    in_checkpoint()
    market.muhur("trail", "stamp")


def unpacked(i):
    with zipfile.ZipFile(container(i)) as z:
        return {n: z.read(n) for n in z.namelist()}


def repacked(files, out, **kw):
    """A container of these files, in their order."""
    with zipfile.ZipFile(out, "w", **kw) as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo(name), data)
    return out


def spoilt(data):
    """Its last bit is another one."""
    return data[:-1] + bytes([data[-1] ^ 1])
