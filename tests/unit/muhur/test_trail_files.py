#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""muhur trail verify and the files of a log that are more, fewer or other than
those that one tree is read from."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/unit/muhur"))
from test_trail import KEY, Log, main, muhur, only, trail  # noqa: E402


def older_tiles(top, made):
    """a narrower tile that was changed, of entries or hashes, of a whole tile or the last"""
    log = Log(top, "older", made)
    for size in (100, 200, 300, 600, 650):
        trail.write_tiles(log.dir, log.leaves[:size])
    assert log.verify(code=0) == []
    for path in ("tile/entries/000.p/100", "tile/0/000.p/200", "tile/entries/001.p/44", "tile/entries/002.p/88",
                 "tile/0/002.p/138", "tile/1/000.p/1"):
        good = trail.read(log.dir, path)
        for bad in (good[:40] + bytes([good[40] ^ 1]) + good[41:] if len(good) > 40 else bytes(32), good[:-1], good + good[-1:], b""):
            trail.write(log.path(path), bad)
            only(log.verify(everything=False), "tile-changed", path)
        trail.write(log.path(path), good)
    trail.write(log.path("tile/0/002.p/9999"), b"")		# nobody asks for it
    trail.write(log.path("tile/0/.002.tmp"), b"")
    assert log.verify(code=0) == []
    # what is left out is not looked at
    log.change("tile/entries/000.p/100", lambda d: d[:-1])
    assert log.verify("--from", "512", code=0) == []


def wider_tiles(top, made):
    """tiles of a tree that grew while it was copied: the part that is signed, and what is behind is counted"""
    log = Log(top, "wider", made[:300], [(300, "2026-11-21")])
    trail.write_tiles(log.dir, [leaf for leaf, _ in made])
    p = muhur("trail", "verify", "--dir", log.dir, code=0)
    assert "2 files of tiles are of leaves behind" in p.stdout, p.stdout
    assert "behind" not in muhur("trail", "verify", "--dir", Log(top, "parts", made).dir, "--to", "300", code=0).stdout
    log.change("tile/entries/001", lambda d: d[:100] + b"?" + d[101:])
    only(log.verify(everything=False), "tile-changed", "tile/entries/001")


def strange_level(top, made):
    """a level that no log of this size has; the next one may just have begun"""
    log = Log(top, "level", made[:200], [(200, "2026-11-20")])
    trail.write(log.path("tile/1/000.p/1"), bytes(32))
    assert log.verify(code=0, everything=False) == []
    trail.write(log.path("tile/2/000"), bytes(8192))
    only(log.verify(everything=False), "tile-changed", "tile/2/000")


def gaps(top, made):
    """tiles that are missing in a row are one finding, however many a checkpoint speaks of"""
    log = Log(top, "gaps", made)
    for name in ("000", "001"):
        os.unlink(log.path("tile/0", name))
        os.unlink(log.path("tile/entries", name))
    found = log.verify(everything=False)
    assert [f[:2] for f in found] == [("tile-missing", "tile/0/000")] and "leaves 0 to 511" in found[0][2], found
    size = 2 ** 44 + 1
    shutil.rmtree(log.path("tile"))
    shutil.rmtree(log.path("checkpoints"))
    trail.write_checkpoint(log.dir, KEY, size, bytes(32), "2026-11-27")
    trail.write(log.path("tile/0", trail.number_path(size // 256) + ".p/1"), bytes(32))
    trail.write(log.path("tile/entries/x001/000"), b"")
    p = muhur("trail", "verify", "--dir", log.dir, code=1, timeout=60)
    assert f"leaves 256256 to {size - 2}" in p.stdout and len(p.stderr) < 2000, p


def no_checkpoints(top, made):
    """a copy without checkpoints/ says so"""
    log = Log(top, "alone", made)
    assert "older checkpoints" not in muhur("trail", "verify", "--dir", log.dir, code=0).stdout
    shutil.rmtree(log.path("checkpoints"))
    assert "no older checkpoints are here" in muhur("trail", "verify", "--dir", log.dir, code=0).stdout


def no_key(top, made):
    """a log without its key: which file it would be, and what to give instead"""
    log = Log(top, "no-key", made)
    os.unlink(log.path("key"))
    p = muhur("trail", "verify", "--dir", log.dir, code=3)
    assert log.path("key") in p.stderr and "--key" in p.stderr, p.stderr
    assert log.verify(code=0) == []


TESTS = [older_tiles, wider_tiles, strange_level, gaps, no_checkpoints, no_key]

if __name__ == "__main__":
    sys.exit(main(TESTS))
