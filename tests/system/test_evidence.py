# SPDX-License-Identifier: ISC
"""Evidence: a day over SFTP, checkpoints stamped by an authority on loopback, and
containers of what was sent.  Stock programs verify what is in them, `muhur
evidence verify' finds every change."""

import base64
import csv
import datetime
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile

from lxml import etree

import lib
import pki
from tsa import Server, Tsa

market = authority = server = None
ids = {}            # what was sent: name -> submission's id
XHTML = "{http://www.w3.org/1999/xhtml}"
MANIFEST, STAMP, SIGNATURE = "META-INF/ASiCManifest.xml", "META-INF/timestamp.tst", "META-INF/signature.p7s"


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


def whole():
    """each container is valid, by its own anchors and by those of elsewhere, and says which"""
    for i, ident in enumerate(ids.values()):
        export(ident, container(i))
        o = verify(container(i))
        assert any("--trust" in n for n in o["notes"]) and any("--key" in n for n in o["notes"]) and \
            any("--tsa" in n for n in o["notes"]), o
        o = verify(container(i), *outside())
        assert not any("container itself" in n for n in o["notes"]), o
    events = market.sql("SELECT detail ->> 'sha256' FROM muhur.event WHERE kind = 'evidence-exported' ORDER BY no")
    want = [hashlib.sha256(open(container(i), "rb").read()).hexdigest() for i in range(len(ids))]
    assert [e[0] for e in events] == want


if __name__ == "__main__":
    with lib.Market("trail_checkpoint_interval = 1\n") as market:
        authority = Tsa(market, "TSA")
        server = Server(authority)
        with open(f"{market.pki}/crl.pem", "ab") as f:
            f.write(pki.crl(authority.ca, 1))
        market.set_conf("tsa_anchors", '"TSACA.pem"')
        market.set_conf("tsa_url", f'"{server.url}"')
        try:
            lib.main(set_up, whole)
        finally:
            server.stop()
