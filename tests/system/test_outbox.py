#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The life of a notice in the outbox: what is fetched is recorded, it is archived
once, and a lost box is made again from the database and the store."""

import datetime
import os
import shutil

import lib

market = None
DAY = 24 * 3600


def answered():
    """The file names of the two answers to a report sent now."""
    market.name = market.send(market.sign(market.balance_report()))
    return sorted(n.name for n in market.answer(market.name))


def in_box(user, folder="outbox"):
    member = user[:-3]
    path = os.path.join(market.dir, "state", "boxes", member, folder)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def fetches(name):
    """(user, fetches, ranges, bytes, whole) of a notice."""
    return market.sql("SELECT f.user_code, f.fetches, f.ranges, f.bytes, f.whole FROM muhur.notice_fetch f"
                      f" JOIN muhur.notice n ON n.no = f.notice WHERE n.file_name = '{name}' ORDER BY 1")


def events(kind, name):
    return market.sql("SELECT e.actor, e.detail ->> 'bytes', e.detail ->> 'whole', e.detail ->> 'sha256' = n.sha256"
                      " FROM muhur.event e JOIN muhur.notice n ON n.no = e.notice"
                      f" WHERE e.kind = '{kind}' AND n.file_name = '{name}' ORDER BY e.no")


def size_of(name):
    return int(market.sql(f"SELECT size FROM muhur.notice WHERE file_name = '{name}'")[0][0])


def recorded():
    """a download is recorded: who, how often, which bytes; the trail has the first and the one that makes it whole"""
    name = answered()[0]
    size = size_of(name)
    lib.wait_for("the answer's own download", lambda: len(fetches(name)) == 1)    # market.answer fetched both
    assert fetches(name) == [["PLA001", "1", f"{{[0,{size})}}", str(size), "t"]], fetches(name)
    assert events("fetched", name) == [["PLA001", str(size), "true", "t"]], events("fetched", name)
    for n in range(3):
        market.get("PLA001", "/outbox/" + name)
    lib.wait_for("all counted", lambda: fetches(name)[0][1] == "4")
    assert len(events("fetched", name)) == 1
    row = [r for r in market.json("notice", "list", "--member", "PLA") if r["fileName"] == name][0]
    assert row["fetchedBy"] == ["PLA001"] and row["fetchedAt"] >= row["publishedAt"], row


def pieces():
    """pieces add up: nothing for an open without bytes, one event for the first piece, one when it is whole"""
    name = answered()[0]
    size = size_of(name)
    lib.wait_for("the answer's own download", lambda: fetches(name))
    with market.sftp("PLA900") as s:
        s.open("/outbox/" + name, "rb").close()
        for at, n in ((10, 20), (40, 5)):
            with s.open("/outbox/" + name, "rb") as f:
                f.seek(at)
                assert len(f.read(n)) == n
        # a read past the end gives what there is
        with s.open("/outbox/" + name, "rb") as f:
            f.seek(size - 3)
            assert len(f.read(100)) == 3
    lib.wait_for("three pieces", lambda: [r[1] for r in fetches(name) if r[0] == "PLA900"] == ["3"])
    mine = [r for r in fetches(name) if r[0] == "PLA900"][0]
    assert mine[2:] == [f"{{[10,30),[40,45),[{size - 3},{size})}}", "28", "f"], mine
    assert [e[2] for e in events("fetched", name) if e[0] == "PLA900"] == ["false"]
    market.get("PLA900", "/outbox/" + name)
    lib.wait_for("whole", lambda: [r[4] for r in fetches(name) if r[0] == "PLA900"] == ["t"])
    mine = [e for e in events("fetched", name) if e[0] == "PLA900"]
    assert [e[2] for e in mine] == ["false", "true"] and mine[1][1] == str(size), mine


def cut_off():
    """what a connection had read when it was lost is recorded; so is what is open when the gateway stops"""
    name = answered()[0]
    lib.wait_for("the answer's own download", lambda: fetches(name))
    with market.sftp("CUA001") as _, market.sftp("PLA900") as s:
        f = s.open("/outbox/" + name, "rb")
        assert len(f.read(100)) == 100
        # the connection ends with the handle open
    lib.wait_for("a cut download", lambda: [r[2] for r in fetches(name) if r[0] == "PLA900"] == ["{[0,100)}"])
    with market.sftp("PLA900") as s:
        f = s.open("/outbox/" + name, "rb")
        f.seek(100)
        assert len(f.read(50)) == 50
        market.stop()
    market.start()
    assert [r[2] for r in fetches(name) if r[0] == "PLA900"] == ["{[0,150)}"], fetches(name)


def database_away():
    """while the database is away downloads go on, and are recorded when it is back"""
    name = answered()[0]
    lib.wait_for("the answer's own download", lambda: fetches(name))
    with market.sftp("PLA900") as s:
        lib.run(lib.MARKET, "db-stop", market.dir)
        try:
            with s.open("/outbox/" + name, "rb") as f:
                assert len(f.read()) > 0
        finally:
            lib.run(lib.MARKET, "db-start", market.dir)
    lib.wait_for("recorded", lambda: [r[4] for r in fetches(name) if r[0] == "PLA900"] == ["t"])


def move(seconds):
    market.stop()
    market.set_conf("clock_offset", int(seconds))
    market.start()


def rebuilt():
    """a lost outbox, and all boxes, are made again: for the time that was left, and the archive as well"""
    move(0)
    names = answered()
    until = market.sql("SELECT file_name, outbox_until FROM muhur.notice WHERE archived_at IS NULL ORDER BY 1")
    before = in_box("PLA001")
    assert set(names) <= set(before)
    data = {n: market.get("PLA001", "/outbox/" + n).data for n in names}
    shutil.rmtree(os.path.join(market.dir, "state", "boxes", "PLA", "outbox"))
    market.muhur("notice", "rebuild")
    lib.wait_for("the outbox again", lambda: in_box("PLA001") == before)
    lib.wait_for("all published", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE sha256 IS NOT NULL AND published_at IS NULL") == [["0"]])
    assert market.sql("SELECT file_name, outbox_until FROM muhur.notice WHERE archived_at IS NULL ORDER BY 1") == until
    for n in names:
        assert market.get("PLA001", "/outbox/" + n).data == data[n]
    # the archive
    move(7 * DAY + 60)
    lib.wait_for("an empty outbox", lambda: not set(before) & set(in_box("PLA001")))
    lib.wait_for("all recorded", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE archived_at IS NULL AND outbox_until < now() + interval '7 days'") == [["0"]])
    day, = market.sql(f"SELECT day FROM muhur.notice WHERE file_name = '{names[0]}'")[0]
    archived = in_box("PLA001", f"archive/{day}")
    assert set(before) <= set(archived)
    assert all(e[3] == "t" for e in events("archived", names[0])) and len(events("archived", names[0])) == 1
    count = market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'archived'")
    for entry in os.listdir(os.path.join(market.dir, "state", "boxes")):
        shutil.rmtree(os.path.join(market.dir, "state", "boxes", entry))
    out = market.json("notice", "rebuild", "--archive")[0]
    assert out["notices"] >= len(archived), out
    lib.wait_for("the archive again", lambda: in_box("PLA001", f"archive/{day}") == archived)
    assert not set(before) & set(in_box("PLA001"))
    for n in names:
        assert market.get("PLA001", f"/archive/{day}/{n}").data == data[n]
    assert market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'archived'") == count


def clock():
    """a clock that is days ahead at a start archives nothing before it has run a while; the log says so"""
    move(0)
    names = answered()
    market.set_conf("clock_settle", 3600)
    since = market.log_size()
    move(9 * DAY)
    lib.wait_for("an alarm", lambda: "clock: 8 days 23 h" in market.log(since) or "clock: 9 days" in market.log(since))
    # it looks every 3 seconds: when it has written this, it has looked
    name = answered()[0]
    assert set(names) <= set(in_box("PLA001")), "archived by a clock that jumped"
    # back where it was, and the notice of the time between does not stay for longer
    move(0)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=7, minutes=1)
    assert market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'clock-jumped'") != [["0"]]
    lib.wait_for("back", lambda: market.sql("SELECT count(*) FROM muhur.event WHERE kind = 'clock-settled'") == [["1"]])
    assert market.sql("SELECT count(*) FROM muhur.notice WHERE archived_at IS NULL AND published_at IS NOT NULL"
                      f" AND outbox_until > '{until.isoformat()}'") == [["0"]]
    assert set(names) | {name} <= set(in_box("PLA001"))
    # a clock that is believed archives them
    market.set_conf("clock_settle", 3)
    move(9 * DAY)
    lib.wait_for("archived", lambda: not set(names) & set(in_box("PLA001")))


with lib.Market() as market:
    lib.main(recorded, pieces, cut_off, database_away, rebuilt, clock)
