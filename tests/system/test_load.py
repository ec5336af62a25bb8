#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""1,000 small signed submissions by 20 connections at once: each gets exactly
one received and one accepted notice.  Throughput and longest wait are printed."""

import concurrent.futures
import os
import subprocess
import time

import lib

market = None
COUNT = int(os.environ.get("MUHUR_TEST_LOAD", "1000"))
CONNECTIONS = 20


def sign_all(directory):
    os.mkdir(directory)
    names = []
    for n in range(COUNT):
        user = ("PLA001", "PLB001")[n % 2]
        path = os.path.join(directory, f"{user}-{n}.xml")
        with open(path, "w") as f:
            f.write(market.balance_report(user=user, lines=[(f"{n:010d}", f"C{n}", "OWN", "4H95J0R2X", "1")]))
        names.append((user, path))

    def sign(item):
        user, path = item
        subprocess.run([os.path.join(lib.BIN, "muhur"), "sign", "--key", f"{market.pki}/{user}.key",
                        "--cert", f"{market.pki}/{user}.pem", path, path + ".signed"], check=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(sign, names))
    return [(user, path + ".signed") for user, path in names]


def connection(part):
    sent = {}
    by_user = {}
    for user, path in part:
        by_user.setdefault(user, []).append(path)
    for user, paths in by_user.items():
        with market.sftp(user) as s:
            for path in paths:
                name = os.path.basename(path)[:-len(".signed")]
                with open(path, "rb") as f:
                    lib.put(s, f.read(), name)
                sent[name] = time.time()
    return sent


def thousand():
    """each submission gets exactly one received and one accepted notice"""
    files = sign_all(os.path.join(market.dir, "load"))
    start = time.time()
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        sent = {}
        for part in pool.map(connection, [files[i::CONNECTIONS] for i in range(CONNECTIONS)]):
            sent.update(part)
    uploaded = time.time()
    assert len(sent) == COUNT
    query = ("SELECT count(*) FROM muhur.notice WHERE published_at IS NOT NULL AND level IN ('received', 'accepted')")
    lib.wait_for("all notices published", lambda: int(market.sql(query)[0][0]) >= 2 * COUNT, 4 * lib.LIMIT)
    done = time.time()
    rows = market.sql("SELECT s.file_name, extract(epoch FROM max(n.published_at)),"
                      " count(*) FILTER (WHERE level = 'received'), count(*) FILTER (WHERE level = 'accepted'),"
                      " count(*) FILTER (WHERE level = 'rejected')"
                      " FROM muhur.submission s JOIN muhur.notice n ON n.submission = s.no"
                      " WHERE n.level <> 'result' GROUP BY s.no, s.file_name")
    assert len(rows) == COUNT
    assert all(r[2:] == ["1", "1", "0"] for r in rows)
    outbox = [n for u in ("PLA001", "PLB001") for n in market.outbox(u)]
    assert sum(n.endswith(".received.xml") for n in outbox) == COUNT
    assert sum(n.endswith(".accepted.xml") for n in outbox) == COUNT
    wait = max(float(at) - sent[name] for name, at, *_ in rows)
    print(f"# {COUNT} submissions, {CONNECTIONS} connections: uploaded in {uploaded - start:.1f} s, answered in"
          f" {done - start:.1f} s ({COUNT / (done - start):.0f} a second), longest wait {wait:.1f} s")


with lib.Market() as market:
    lib.main(thousand)
