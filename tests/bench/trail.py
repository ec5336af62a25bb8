#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""bench-trail: events from the queue to a signed checkpoint, through PostgreSQL by
the gateway's own sequencer, against src/trail alone (tests/bench/trail_alone.c) and
against hashing the same leaves and nothing else.

	LEAVES	in all (10,000,000; BENCH_SCALE=small: 200,000)
	ROUNDS	that they come in (5): the last must be as fast as the first

The market is a running gateway.  Events are put in by SQL while its sequencer
stands still; what is measured begins when it goes on."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), HERE]
import lib  # noqa: E402
from bench import SMALL, Memory, Table, median  # noqa: E402

LEAVES = int(os.environ.get("LEAVES", 200_000 if SMALL else 10_000_000))
ROUNDS = int(os.environ.get("ROUNDS", 2 if SMALL else 5))
ALONE = os.environ["TRAIL_ALONE"]
CHUNK = 500_000		# events inserted by one statement
LIMIT = 3600
MS = 1000


class Bench(lib.Market):
    def prepare(self):
        """Submissions and notices that events are about."""
        self.sql("INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at) "
                 "SELECT gen_random_uuid(), 'PLA001', 'PLA', 'B-' || i || '.xml', 1, now() FROM generate_series(1, 20000) i")
        self.sql("INSERT INTO muhur.notice (id, kind, level, recipient, submission, file_name, issued_at, day, sha256,"
                 " signed_at, published_at, archived_at) SELECT gen_random_uuid(), 'Acknowledgement', 'received', 'PLA', no,"
                 " id || '.received.xml', now(), '2026-01-01', encode(sha256(id::text::bytea), 'hex'), now(), now(), now()"
                 " FROM muhur.submission")
        self.first = int(self.sql("SELECT min(no) FROM muhur.submission")[0][0])
        self.notice = int(self.sql("SELECT min(no) FROM muhur.notice")[0][0])

    def sequencer(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    text = f.read()
            except OSError:
                continue
            if "(muhur-sequencer" in text and text.rsplit(")", 1)[1].split()[1] == str(self.muhurd_pid):
                return int(pid)
        raise SystemExit("the gateway has no sequencer")

    def insert(self, n):
        """Four events a submission, the last about a notice, as a market has them."""
        for at in range(0, n, CHUNK):
            k = min(CHUNK, n - at)
            self.sql(
                "INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) SELECT now(),"
                " (ARRAY['received', 'accepted', 'received', 'signed'])[1 + i % 4],"
                " CASE WHEN i % 4 = 3 THEN 'gateway' ELSE 'PLA001' END,"
                f" {self.first} + (i / 4) % 20000, CASE WHEN i % 4 = 3 THEN {self.notice} + (i / 4) % 20000 END,"
                " jsonb_build_object('file', 'BalanceReport-' || i || '.xml', 'sha256', encode(sha256(i::text::bytea), 'hex'))"
                f" FROM generate_series(0, {k} - 1) i")

    def checkpoint(self):
        return int(self.sql("SELECT coalesce(max(size), 0) FROM muhur.trail_checkpoint")[0][0])

    def events(self):
        return int(self.sql("SELECT count(*) FROM muhur.event")[0][0])

    def published(self):
        with open(os.path.join(self.dir, "state/trail/checkpoint")) as f:
            return int(f.read().splitlines()[1])

    def processes(self):
        return [str(self.pid)]

    def cpu(self):
        """Processor seconds so far: of the sequencer, of the server of its connection."""
        backend = self.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'muhur_sequencer'")[0][0]
        return [cpu_seconds(self.pid), cpu_seconds(backend)]

    def round(self, n):
        """Seconds from going on to the checkpoint that has them all."""
        lib.wait_for("nothing waits", lambda: self.published() == self.events())
        os.kill(self.pid, signal.SIGSTOP)
        self.insert(n)
        self.sql("VACUUM ANALYZE muhur.event")
        self.sql("CHECKPOINT")
        size = self.events()
        start = time.monotonic()
        os.kill(self.pid, signal.SIGCONT)
        while self.published() < size:
            if time.monotonic() - start > LIMIT:
                raise SystemExit(f"not done within {LIMIT} s; see {self.dir}/muhurd.log")
            time.sleep(0.02)
        return time.monotonic() - start


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def disk(folder):
    """Bytes on disk and leaves' bytes: of the hashes' tiles, of the entries."""
    hashes = entries = 0
    for path, _, files in os.walk(folder):
        size = sum(os.lstat(os.path.join(path, f)).st_blocks * 512 for f in files)
        if "/entries" in path[len(folder):]:
            entries += size
        else:
            hashes += size
    return hashes, entries


def through_database(table):
    rounds = []
    n = LEAVES // ROUNDS
    with Bench(conf="trail_checkpoint_interval = 1\n", limit=120) as b:
        b.sql("ALTER SYSTEM SET max_wal_size = '8GB'")
        b.sql("SELECT pg_reload_conf()")
        b.prepare()
        b.pid = b.sequencer()
        lib.wait_for("the sequencer's connection", lambda: b.sql(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'muhur_sequencer'"))
        before = b.cpu()
        with Memory(b.processes) as memory:
            for i in range(ROUNDS):
                rounds.append(b.round(n))
                print(f"# round {i + 1}: {n:,} leaves, {rounds[-1]:.2f} s, {n / rounds[-1]:,.0f} a second", flush=True)
        used = [now - then for now, then in zip(b.cpu(), before)]
        table.note(f"processor time a leaf: sequencer {used[0] / (n * ROUNDS) * 1e6:.1f} us, its database server "
                   f"{used[1] / (n * ROUNDS) * 1e6:.1f} us")
        hashes, entries = disk(os.path.join(b.dir, "state/trail/tile"))
        size = b.published()
        table.note(f"through PostgreSQL {n / median(rounds):,.0f} leaves a second (the first round {n / rounds[0]:,.0f}, "
                   f"the last {n / rounds[-1]:,.0f}); target 50,000")
        table.note(f"disk: tiles of hashes {hashes / (32 * size):.3f} of the {size:,} leaves' hashes (target 1.1); "
                   f"leaves themselves {entries / size:.0f} bytes each")
    return rounds, memory.peak


def alone(folder, leaves):
    os.mkdir(folder)
    p = lib.run(ALONE, folder, leaves, os.path.join(os.path.dirname(folder), "trail.key"), timeout=LIMIT)
    return json.loads(p.stdout)


def main():
    table = Table("bench-trail", "hashing the leaves alone")
    n = LEAVES // ROUNDS
    with tempfile.TemporaryDirectory(prefix="trail.", dir=os.environ.get("MUHUR_TEST_DIR")) as folder:
        lib.run("openssl", "genpkey", "-algorithm", "ed25519", "-out", os.path.join(folder, "trail.key"))
        few = []
        for i in range(ROUNDS):
            few.append(alone(os.path.join(folder, f"r{i}"), n))
            shutil.rmtree(os.path.join(folder, f"r{i}"))
        a = alone(os.path.join(folder, "all"), LEAVES)
        hashes, _ = disk(os.path.join(folder, "all", "tile"))
    rounds, memory = through_database(table)
    hashing = [f["hash"] for f in few]
    table.row(f"hashing {n:,} leaves, nothing written", hashing)
    table.row(f"src/trail alone, {n:,} leaves to a checkpoint", [f["append"] for f in few], hashing, few[0]["memory"])
    table.row(f"through PostgreSQL, {n:,} leaves to a checkpoint", rounds, hashing, memory)
    table.row(f"src/trail alone, all {a['leaves']:,}", [a["append"]], [a["hash"]], a["memory"])
    table.note(f"src/trail alone {a['leaves'] / a['append']:,.0f} leaves a second; disk {hashes / (32 * a['leaves']):.3f} of the hashes")
    for key, what in (("inclusionCold", "an inclusion proof, the tiles neither in the process nor in the page cache"),
                      ("inclusionWarm", "an inclusion proof, warm"), ("consistency", "a consistency proof from any size, page cache warm"),
                      ("checkpoint", "a checkpoint after 10 leaves, durable")):
        t = a[key]
        table.note(f"{what}: median {t['p50'] * MS:.3f} ms, 99 % {t['p99'] * MS:.3f} ms, most {t['max'] * MS:.3f} ms"
                   + ("; target 1 ms" if key.startswith("inclusion") else ""))
    table.show()


if __name__ == "__main__":
    main()
