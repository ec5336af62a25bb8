#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The life of a notice in the outbox: what is fetched is recorded, it is archived
once, and a lost box is made again from the database and the store."""

import datetime
import os
import re
import shutil
import signal
import subprocess

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
            values = metrics()
            assert values["muhur_up"] == 1 and values["muhur_database_up"] == 0, values
            assert values["muhur_spool_files"] == 0 and values["muhur_trail_checkpoint_leaves"] > 0, values
            assert "muhur_trail_refused" not in values and not any("submissions" in k for k in values), values
        finally:
            lib.run(lib.MARKET, "db-start", market.dir)
    lib.wait_for("recorded", lambda: [r[4] for r in fetches(name) if r[0] == "PLA900"] == ["t"])


def directory_killed():
    """what the directory had not written when it was killed is told to the next one"""
    name = answered()[0]
    lib.wait_for("the answer's own download", lambda: fetches(name))
    p = subprocess.Popen([lib.MARKET, "psql", market.dir, "-Atq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with market.sftp("PLA900") as s:
            p.stdin.write("BEGIN; LOCK muhur.notice_fetch; SELECT 'locked';\n")
            p.stdin.flush()
            assert p.stdout.readline().strip() == "locked"
            with s.open("/outbox/" + name, "rb") as f:
                assert len(f.read()) > 0
            lib.wait_for("it waits for the lock", lambda: market.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'muhur_directory' AND wait_event_type = 'Lock'") == [["1"]])
            os.kill(market.child("muhur-load -D"), signal.SIGKILL)
    finally:
        p.stdin.write("ROLLBACK;\n")
        p.communicate()
    lib.wait_for("recorded", lambda: [r[1:] for r in fetches(name) if r[0] == "PLA900"] ==
                 [["1", f"{{[0,{size_of(name)})}}", str(size_of(name)), "t"]])


def move(seconds):
    market.stop()
    market.set_conf("clock_offset", int(seconds))
    market.start()


def metrics():
    """The values of `muhur status --metrics', each line well formed and each metric declared once before it."""
    values, types = {}, {}
    for line in market.muhur("status", "--metrics").stdout.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in types, name
            types[name] = kind
        elif not line.startswith("# HELP "):
            m = re.fullmatch(r'(muhur_[a-z_]+)((?:\{[a-z]+="[A-Za-z0-9_-]+"\})?) (-?\d+)', line)
            assert m and m[1] in types, line
            assert m[1] + m[2] not in values, line
            values[m[1] + m[2]] = int(m[3])
    return values


def named():
    """who has not fetched in time is named: by status, its metrics and the day's summary"""
    day = lib.last_closed_day()
    first = answered()
    bad = market.send(market.sign(market.balance_report(totals={"4H95J0R2X": "9"})))
    market.answer(bad)
    # CUA's answers are fetched by nobody, PLA's by its users, SPK's reports by another's user count for nothing
    name = market.send(market.sign(market.custody_report(), "CUA001"), "CUA001")
    lib.wait_for("CUA's answers", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
        f" WHERE s.file_name = '{name}' AND n.published_at IS NOT NULL AND n.level IN ('received', 'accepted')") == [["2"]])
    lib.wait_for("recorded", lambda: all(fetches(n) for n in first))
    before = market.json("status", ok=(0, 1))[0]
    assert before["unfetched"] == [], before["unfetched"]
    assert not any(k.startswith("muhur_outbox_unfetched") for k in metrics())
    market.set_conf("fetch_within", 1)
    market.muhur("member", "suspend", "CUA")
    try:
        def late():
            return {m["member"]: m for m in market.json("status", ok=(0, 1))[0]["unfetched"]}.get("CUA", {}).get("notices")
        lib.wait_for("CUA named", lambda: late() and late() >= 2)
        told = market.json("status", ok=(1,))[0]
        cua = [m for m in told["unfetched"] if m["member"] == "CUA"][0]
        assert cua["state"] == "suspended" and cua["oldestSeconds"] >= 1, cua
        assert cua["oldest"] in in_box("CUA001"), cua
        assert any("have not fetched" in a for a in told["attention"]), told["attention"]
        assert re.search(r"(?m)CUA, suspended: \d+ notices, the oldest ", market.muhur("status", ok=(1,)).stdout)
        values = metrics()
        assert values['muhur_outbox_unfetched{member="CUA"}'] == late(), values
        assert values['muhur_outbox_unfetched_oldest_seconds{member="CUA"}'] >= 1
        assert values["muhur_up"] == values["muhur_database_up"] == 1 and values["muhur_attention"] >= 1
        states = dict(market.sql("SELECT state, count(*) FROM muhur.submission GROUP BY 1"))
        assert values['muhur_submissions{state="accepted"}'] == int(states["accepted"])
        # the day: PLA's two, one of them rejected; CUA's one
        summary = market.json("status", "--day", str(day))[0]
        sent = {(s["member"], s["messageType"]): s for s in summary["submissions"]}
        pla, cua = sent["PLA", "BalanceReport"], sent["CUA", "CustodyReport"]
        assert pla["received"] == int(states["accepted"]) - 1 + int(states["rejected"]) and pla["rejected"] == 1, pla
        assert pla["reasons"] == {"CONTROL_TOTAL": 1}, pla
        assert (cua["received"], cua["accepted"], cua["rejected"], cua["reasons"]) == (1, 1, 0, {}), cua
        missing = {(m["member"], m["messageType"]) for m in summary["missing"]}
        assert ("PLB", "BalanceReport") in missing and ("CUA", "CustodyReport") not in missing, missing
        late_members = {m["member"]: m for m in summary["notFetchedInTime"]}
        assert late_members["CUA"]["memberState"] == "suspended" and late_members["CUA"]["fetchedLate"] == 0
        assert late_members["CUA"]["notices"] >= 2
        made = {(n["kind"], n["level"]): n for n in summary["notices"]}
        received = made["Acknowledgement", "received"]
        assert received["made"] == received["signed"] == pla["received"] + 1, received
        assert received["fetched"] == pla["received"], received
        text = market.muhur("status", "--day", str(day)).stdout
        assert "CONTROL_TOTAL 1" in text and "not fetched in time\n" in text, text
        # it fetches them: late is late, but no longer named
        for n in in_box("CUA001"):
            market.get("CUA001", "/outbox/" + n)
        lib.wait_for("CUA not named", lambda: late() is None)
        late_members = {m["member"]: m for m in market.json("status", "--day", str(day))[0]["notFetchedInTime"]}
        assert late_members["CUA"]["fetchedLate"] >= 2, late_members
    finally:
        market.muhur("member", "resume", "CUA")
        market.set_conf("fetch_within", 86400)
    assert market.json("status", "--day", "2020-01-02")[0]["submissions"] == []
    market.muhur("status", "--day", "tomorrow", ok=(2,))
    market.muhur("status", "--day", str(day), "--metrics", ok=(2,))


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
    since = market.log_size()
    shutil.rmtree(os.path.join(market.dir, "state", "boxes"))
    lib.wait_for("the folder again", lambda: "boxes: the folder was removed" in market.log(since))
    out = market.json("notice", "rebuild", "--archive")[0]
    assert out["notices"] >= len(archived), out
    lib.wait_for("the archive again", lambda: in_box("PLA001", f"archive/{day}") == archived)
    assert not set(before) & set(in_box("PLA001"))
    for n in names:
        assert market.get("PLA001", f"/archive/{day}/{n}").data == data[n]
    lib.wait_for("all published again", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE sha256 IS NOT NULL AND published_at IS NULL") == [["0"]])
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
    lib.main(recorded, pieces, cut_off, database_away, directory_killed, named, rebuilt, clock)
