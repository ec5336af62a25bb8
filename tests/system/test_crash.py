#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""kill -9 in the middle of a day: after the restart the day ends as it would
have, each submission answered once, nothing lost, nothing twice."""

import contextlib
import os
import re
import signal
import time

import lib

market = None


def children(pid):
    out = lib.run("ps", "-o", "pid=,args=", "--ppid", pid, ok=None).stdout
    return [(int(line.split()[0]), line) for line in out.splitlines() if line.strip()]


def answered(names, limit=lib.LIMIT):
    listed = ",".join(f"'{n}'" for n in names)
    query = (f"SELECT s.file_name, count(*) FILTER (WHERE n.level = 'received'),"
             f" count(*) FILTER (WHERE n.level = 'accepted') FROM muhur.submission s"
             f" JOIN muhur.notice n ON n.submission = s.no AND n.published_at IS NOT NULL"
             f" WHERE s.file_name IN ({listed}) GROUP BY s.no, s.file_name")
    lib.wait_for("all answered", lambda: len([r for r in market.sql(query) if r[1:] == ["1", "1"]]) >= len(names), limit)
    rows = market.sql(query)
    assert sorted(r[0] for r in rows) == sorted(names), "a submission has two rows or none"
    assert all(r[1:] == ["1", "1"] for r in rows), rows
    assert market.sql("SELECT submission, count(*) FROM muhur.balance GROUP BY 1 HAVING count(*) <> 1") == []


def parent_killed():
    """muhurd is killed with submissions at every stage; all are answered once"""
    for round_ in range(3):
        names, docs = [], [market.sign(market.balance_report()) for _ in range(8)]
        with market.sftp("PLA001") as s:
            for n, doc in enumerate(docs):
                name = f"crash-{round_}-{n}.xml"
                lib.put(s, doc, name)
                names.append(name)
        time.sleep(0.03 * round_)	# not waiting for anything: another stage each round
        market.stop(signal.SIGKILL)
        market.start()
        answered(names)


def children_killed():
    """each kind of child is killed once; the gateway goes on and answers all"""
    for role in ("muhur-load", "muhur-signer", "muhur-reconcile", "muhur-archive", "muhur-verify",
                 "muhur-sequencer"):
        names = []
        docs = [market.sign(market.balance_report()) for _ in range(4)]
        with market.sftp("PLA001") as s:
            for n, doc in enumerate(docs):
                name = f"{role}-{n}.xml"
                lib.put(s, doc, name)
                names.append(name)
                if n == 1:
                    for pid, line in children(market.muhurd_pid):
                        if role in line:
                            # a verify ends by itself after its document
                            with contextlib.suppress(ProcessLookupError):
                                os.kill(pid, signal.SIGKILL)
        answered(names)
        assert market.alive()


def unfinished_survives():
    """an upload cut off by the crash can be resumed and is then taken"""
    doc = market.sign(market.balance_report())
    with market.sftp("PLA001") as s:
        f = s.open("/inbox/cut.xml", "wb")
        f.write(doc[:500])
        f.flush()
        market.stop(signal.SIGKILL)
    market.start()
    with market.sftp("PLA001") as s:
        size = s.stat("/inbox/cut.xml").st_size
        assert 0 < size <= 500, size
        f = s.open("/inbox/cut.xml", "r+b")
        f.seek(size)
        f.write(doc[size:])
        f.close()
    answered(["cut.xml"])


def database_away():
    """the database is stopped during the day: uploads are kept and answered later"""
    lib.run(lib.MARKET, "db-stop", market.dir)
    try:
        assert market.alive()
        told = market.muhur("status", ok=(3,)).stdout
        assert re.match("ATTENTION: the database of .* does not answer: .*\"The database is away\"", told), told
        for line in ("gateway +running, port", "database +not reached", "trail +published checkpoint of [1-9]",
                     "spool +0 files", "disk +[1-9]"):
            assert re.search("(?m)^" + line, told), (line, told)
        assert "submissions" not in told, told
        told = market.json("status", ok=(3,))[0]
        assert told["database"] is False and told["gateway"]["running"] and told["disk"]["freeBytes"] > 0, told
        assert told["trail"]["checkpoint"] > 0 and len(told["attention"]) == 1 and "notices" not in told, told
    finally:
        lib.run(lib.MARKET, "db-start", market.dir)
    name = None
    docs = [market.sign(market.balance_report()) for _ in range(3)]

    def login():
        try:
            with market.sftp("PLA001") as s:
                return s.listdir("/outbox") is not None
        except Exception:
            return False
    lib.wait_for("logins work again", login)
    with market.sftp("PLA001") as s:
        lib.run(lib.MARKET, "db-stop", market.dir)
        names = []
        for n, doc in enumerate(docs):
            name = f"nodb-{n}.xml"
            lib.put(s, doc, name)
            names.append(name)
    lib.run(lib.MARKET, "db-start", market.dir)
    answered(names)


with lib.Market() as market:
    lib.main(parent_killed, children_killed, unfinished_survives, database_away)
