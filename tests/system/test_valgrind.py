#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A whole business day, and bad input of every kind, with all of the gateway's
programs under valgrind, in a build that lets it follow them
($MUHUR_PLAIN_BINDIR): no error and no leak in any process."""

import glob
import json
import os
import shutil
import sys

import lib

BIN = os.environ.get("MUHUR_PLAIN_BINDIR")
if not BIN or not shutil.which("valgrind"):
    print("1..0 # SKIP no build for valgrind, or no valgrind")
    sys.exit(77)

import forge		# noqa: E402
import hostile		# noqa: E402

LIMIT = 600
# Losses that nothing points at are errors; what a process still holds when it ends is not.
VALGRIND = ["valgrind", "-q", "--vgdb=no", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect"]
market = None
day = str(lib.last_closed_day())


def wrapper(logs):
    """A forked child is silent until it has executed its program: it is muhurd's copy."""
    return [*VALGRIND, "--trace-children=yes", "--child-silent-after-fork=yes", f"--log-file={logs}/%p.log"]


def errors():
    """What valgrind wrote, of all processes so far."""
    found = []
    for path in sorted(glob.glob(os.path.join(market.dir, "valgrind", "*.log"))):
        with open(path, errors="replace") as f:
            text = f.read()
        if text.strip():
            found.append(text)
    return found


def whole_day():
    """a sample day goes in, is reconciled, and its notices are fetched"""
    directory = os.path.join(market.dir, "day")
    market.muhur("sample", "--dir", directory, "--customers", "20", "--breaks", "5", "--seed", "3", "--date", day)
    with open(os.path.join(directory, "manifest.json")) as f:
        manifest = json.load(f)
    names = []
    for entry in sorted(manifest["files"], key=lambda e: e["order"]):
        with open(os.path.join(directory, entry["file"]), "rb") as f:
            names.append((market.send(market.sign(f.read(), entry["userCode"]), entry["userCode"]), entry["userCode"]))
    for name, user in names:
        assert market.answer(name, user, LIMIT)[1].name.endswith(".accepted.xml")
    market.muhur("reconcile", "run", "--date", day)
    lib.wait_for("the regulator's report", lambda: any(n.startswith("DiscrepancyReport") for n in market.outbox("SPK001")),
                 LIMIT)
    for user in ("PLA001", "CUA001", "SPK001"):
        with market.sftp(user) as s:
            for name in s.listdir("/outbox"):
                with s.open(f"/outbox/{name}", "rb") as f:
                    assert market.verify_xmlsec(f.read()).returncode == 0


def bad_input():
    """and so do documents that are refused, each for another reason, and a client that goes away"""
    pla = forge.Forge(market)
    with market.sftp("PLA001") as s:
        f = s.open("/inbox/unfinished.xml", "wb")
        f.write(b"<a>")
        f.flush()
    chosen = [c for c in hostile.doctypes(pla.text()) + hostile.broken(pla.text()) + hostile.encodings(
        pla.text(), pla.signed) if c[0] in ("billion laughs", "no XML", "undeclared prefix", "invalid UTF-8", "BOM")]
    assert len(chosen) == 5
    pla.judge([*chosen,
               ("unsigned", pla.text(), ["SIG_MISSING"]),
               ("changed", pla.signed().replace(b'"C1"', b'"C2"'), ["SIG_DIGEST"]),
               ("XPath", pla.forged(forge.transform("http://www.w3.org/TR/1999/REC-xpath-19991116")), ["SIG_COVERAGE"]),
               ("another's", market.sign(pla.text(), "PLB001"), ["NOT_AUTHORISED"]),
               ("schema", pla.signed(pla.text().replace('Cust="C1"', 'Cust=""')), ["SCHEMA_INVALID"]),
               ("totals", pla.signed(count=9), ["CONTROL_TOTAL"])], LIMIT)


def archived():
    """and notices that go to the archive after their seven days"""
    market.stop()
    market.set_conf("clock_offset", 8 * 24 * 3600)
    market.start()

    def moved():
        """Those of the day; at later cut-offs new ones came."""
        with market.sftp("PLA001") as s:
            return s.listdir("/archive") and not [n for n in s.listdir("/outbox") if n.endswith(".accepted.xml")]
    lib.wait_for("notices are in the archive", moved, LIMIT)


def clean():
    """no process has an error or a leak, also none that has ended"""
    market.stop()
    logs = glob.glob(os.path.join(market.dir, "valgrind", "*.log"))
    assert len(logs) > 20, "valgrind did not follow the children"
    found = errors()
    assert not found, f"{len(found)} of {len(logs)} processes\n" + "\n".join(found)[:20000]


def commands():
    """sign, verify and c14n of the command neither"""
    path = os.path.join(market.dir, "command.xml")
    with open(path, "w") as f:
        f.write(market.balance_report())
    quiet = [*VALGRIND, "--error-exitcode=99", os.path.join(BIN, "muhur")]
    lib.run(*quiet, "sign", "--key", f"{market.pki}/PLA001.key", "--cert", f"{market.pki}/PLA001.pem", path, path + ".signed")
    lib.run(*quiet, "verify", "--trust", f"{market.pki}/trust.pem", "--crl", f"{market.pki}/crl.pem",
            "--schema-dir", os.path.join(lib.TOP, "schemas", "xml"), path + ".signed")
    lib.run(*quiet, "verify", "--trust", f"{market.pki}/trust.pem", path, ok=(1,))
    lib.run(*quiet, "c14n", path + ".signed")


if __name__ == "__main__":
    with lib.Market(conf='login_grace = 120\nworkers = 2\ncutoff = "23:59"\n', bin=BIN,
                    wrapper=wrapper, limit=LIMIT) as market:
        lib.main(whole_day, bad_input, archived, clean, commands)
