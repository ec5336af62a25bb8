#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the gateway's code writes, read by a second implementation from the
specifications alone: every checkpoint, tile, leaf and opening; and the same log
written by that one is the same, byte for byte."""

import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/unit/trail"))
import trail  # noqa: E402

WRITE_LOG = os.environ.get("WRITE_LOG", "tests/unit/trail/write_log")
KINDS = ["received", "accepted", "rejected", "signed", "fetched", "archived", "user-added", "purged"]
STEPS = [1, 2, 256, 257, 300, 511, 700, 1024, 9000]
count = 0


def ok(condition, what):
    global count
    count += 1
    print(f"{'ok' if condition else 'not ok'} {count} - {what}")
    if not condition:
        sys.exit(1)


def value(r, depth=0):
    kind = r.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return r.randrange(-2**63, 2**63)
    if kind == 1:
        return r.choice([True, False, None])
    if kind == 5:
        return [value(r, depth + 1) for _ in range(r.randrange(4))]
    if kind == 6:
        return {text(r): value(r, depth + 1) for _ in range(r.randrange(4))}
    return text(r)


def text(r):
    """Everything that JSON can hold but U+0000, also from beyond the first plane"""
    alphabet = [*range(1, 0x80), 0x131, 0x15f, 0x7ff, 0x2028, 0xfffd, 0xe000, 0x1f600, 0x10ffff]
    return "".join(chr(r.choice(alphabet)) for _ in range(r.randrange(8)))


def some_event(r, n):
    kind = r.choice(KINDS)
    detail = {text(r): value(r) for _ in range(r.randrange(3))}
    if r.random() < 0.7:
        detail["sha256"] = r.randbytes(32).hex()
    uuid = f"01936f5c-{r.randrange(65536):04x}-7000-8000-{r.randrange(2**48):012x}"
    seconds = 21 * 3600 + n
    return {"event": n + 1, "kind": kind, "detail": detail, "salt": r.randbytes(16),
            "at": f"2026-11-{21 + seconds // 86400}T{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{r.randrange(10**6):06}Z",
            "actor": r.choice(["gateway", "operator", "PLA001"]),
            "submission": r.choice([None, uuid]), "notice": r.choice([None, uuid])}


def line(event):
    """As write_log reads it, the detail in another form than the canonical one"""
    detail = dict(reversed(event["detail"].items()))
    return " ".join([event["at"], event["kind"], event["actor"], event["submission"] or "-", event["notice"] or "-",
                     event["salt"].hex(), json.dumps(detail)]) + "\n"


def files(directory):
    return sorted(os.path.relpath(os.path.join(d, f), directory) for d, _, names in os.walk(directory) for f in names)


def read_all(directory, vkey, want):
    """Every checkpoint against the leaves, every tile against what is below it"""
    newest = trail.open_checkpoint(trail.read(directory, "checkpoint"), vkey)[0]
    leaves = trail.read_leaves(directory, newest)
    ok(leaves == want, "the leaves are what the second implementation makes of the events")
    hashes = [trail.leaf_hash(leaf) for leaf in leaves]
    sizes = trail.checkpoints(directory)
    ok([s for s, _ in sizes] == STEPS, "every checkpoint is there")
    for size, day in sizes:
        note = trail.read(directory, "checkpoints", day, str(size))
        ok(trail.open_checkpoint(note, vkey) == (size, trail.root(hashes[:size])), f"checkpoint of {size} leaves")
        ok(json.loads(leaves[size - 1])["at"][:10] == day, f"checkpoint of {size} leaves: its day")
    level = 0
    while hashes:
        for n in range(0, len(hashes), 256):
            part = hashes[n:n + 256]
            if trail.tile(directory, level, n // 256, len(part)) != b"".join(part):
                ok(False, f"tile {n // 256} of level {level}")
        hashes = [trail.root(hashes[n:n + 256]) for n in range(0, len(hashes) - 255, 256)]
        level += 1
    ok(level == 2, "tiles of two levels are right")


def manual(log, key):
    """The program in doc/trail.md: it passes this log, and not one with a leaf changed"""
    with open(os.path.join(os.environ.get("srcdir", "."), "doc/trail.md"), encoding="utf-8") as f:
        program = f.read().split("```python\n")[1].split("```")[0]
    run = [sys.executable, "-c", program, log, key]
    p = subprocess.run(run, text=True, capture_output=True, check=False)
    ok(p.returncode == 0 and p.stdout == f"{STEPS[-1]} leaves, {len(STEPS)} checkpoints: all hold\n",
       f"the manual's own program passes it {p.stderr}")
    path = os.path.join(log, "tile/entries/001")
    data = trail.read(path)
    trail.write(path, data.replace(b'"kind":"', b'"kind":"x', 1))
    ok(subprocess.run(run, capture_output=True, check=False).returncode != 0, "and finds a change")
    trail.write(path, data)


def main():
    r = random.Random(6)
    key = trail.Key("muhur.example/trail", r.randbytes(32))
    events = [some_event(r, n) for n in range(STEPS[-1])]
    made = [trail.make_leaf(**event) for event in events]
    with tempfile.TemporaryDirectory() as top:
        log, openings, pem = (os.path.join(top, x) for x in ("log", "openings", "key.pem"))
        os.mkdir(log)
        os.mkdir(openings)
        trail.write(pem, key.pem())
        at = 0
        for step in STEPS:
            lines = "".join(map(line, events[at:step])) + "flush\n"
            subprocess.run([WRITE_LOG, log, openings, pem, key.name, str(at)], input=lines, text=True, check=True)
            at = step
        ok(trail.read(log, "key").decode() == key.vkey() + "\n", "the verifier's key")
        read_all(log, key.vkey(), [leaf for leaf, _ in made])
        got = b"".join(trail.read(openings, f) for f in files(openings)).splitlines()
        ok(got == [o for _, o in made], "the openings are what the second implementation makes")
        twin = os.path.join(top, "twin")
        trail.write_log(twin, key, [leaf for leaf, _ in made], trail.checkpoints(log))
        ok(all(trail.read(log, f) == trail.read(twin, f) for f in files(twin)), "written again: the same bytes")
        more = set(files(log)) - set(files(twin))
        ok(all(".p/" in f and f.startswith("tile/") for f in more), "beyond that, partial tiles only")
        ok(not any(f.startswith("tile/0/000") for f in more), "none of a tile that is whole")
        ok(not any(f.endswith(".tmp") for f in files(top)), "nothing is left half written")
        manual(log, key.vkey())
        size = sum(len(trail.read(log, f)) for f in files(log) if f.startswith("tile/") and "entries" not in f)
        ok(size <= 1.1 * 32 * STEPS[-1], "tiles of hashes take at most 1.1 times the hashes")
    print(f"1..{count}")


if __name__ == "__main__":
    main()
