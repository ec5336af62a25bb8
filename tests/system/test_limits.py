#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Hostile XML costs little: each of these ends within half a second of processor
time and 32 MiB, in a build without sanitizers ($MUHUR_PLAIN_BINDIR).  The
same pass over a document stands in muhur-verify and in `muhur verify'."""

import json
import os
import subprocess
import sys
import tempfile

import hostile
import lib

BIN = os.environ.get("MUHUR_PLAIN_BINDIR")
if not BIN:
    print("1..0 # SKIP no build without sanitizers")
    sys.exit(77)

CPU, MEMORY = 0.5, 32 * 1024		# seconds, KiB
TRIES = 3				# the least of them: others use the machine too
PKI = os.path.join(lib.TOP, "tests", "corpus", "pki")
VERIFY = [os.path.join(BIN, "muhur"), "--json", "verify", "--trust", os.path.join(PKI, "trust.pem"),
          "--schema-dir", os.path.join(lib.TOP, "schemas", "xml")]

# A process that is small itself, since a child's peak counts its parent's pages at fork.
MEASURE = """
import os, sys
out = os.dup(1)
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(w, 1)
    os.execv(sys.argv[1], sys.argv[1:])
os.close(w)
said = b""
while block := os.read(r, 65536):
    said += block
_, status, used = os.wait4(pid, 0)
os.write(out, b"%f %d %d " % (used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status)) + said)
"""


def measure(path):
    """(seconds of processor time, KiB at the most, exit status, reason codes)"""
    p = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *VERIFY, path], stdout=subprocess.PIPE, check=True)
    cpu, memory, status, said = p.stdout.split(b" ", 3)
    return float(cpu), int(memory), int(status), sorted(set(json.loads(said)["reasons"]))


def judge(cases):
    wrong, most = [], (0, 0)
    with tempfile.NamedTemporaryFile(suffix=".xml") as f:
        for what, data, codes in cases:
            if not codes:
                continue
            f.seek(0)
            f.truncate()
            f.write(data.encode() if isinstance(data, str) else data)
            f.flush()
            for _ in range(TRIES):
                cpu, memory, status, got = measure(f.name)
                if cpu <= CPU:
                    break
            if status != 1 or got != codes or cpu > CPU or memory > MEMORY:
                wrong.append((what, codes, f"{cpu:.2f} s", f"{memory} KiB", status, got))
            most = max(most[0], cpu), max(most[1], memory)
    print(f"# at the most {most[0]:.2f} s of CPU, {most[1] // 1024} MiB")
    assert not wrong, "\n".join(map(str, wrong))


def good():
    return lib.Reports().balance_report()


def signed():
    with open(os.path.join(lib.TOP, "tests", "corpus", "good", "jdk-xades-exclusive-rsa2048-balance.xml"), "rb") as f:
        return f.read()


def doctypes():
    """document types and entities"""
    judge(hostile.doctypes(good()))


def large():
    """20 MB of one thing, 100,000 attributes, a million names"""
    judge(hostile.large())


def encodings():
    """bytes that are no text"""
    judge(hostile.encodings(good(), signed))


def broken():
    """what is not well-formed, and a document cut off"""
    judge([*hostile.broken(good()), *hostile.truncated(signed(), 20)])


if __name__ == "__main__":
    lib.main(doctypes, large, encodings, broken)
