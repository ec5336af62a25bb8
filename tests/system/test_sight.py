#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What each kind of member sees: /trail and others' archives are for users of
compliance and regulator members who hold the right, while they hold it."""

import contextlib
import os
import shutil
import stat
import time

import lib
import pki

market = None
ENDS_WITHIN = 5		# seconds from a change to its effect in sessions that are in
SEEING = ("SPK001", "UYM001")
OTHERS = ("PLA001", "CUA001", "MKK001")


def trail(*parts):
    return os.path.join(market.dir, "state", "trail", *parts)


def plant(path, data=b"x" * 32):
    """A file of the log, as whoever writes it makes it."""
    os.makedirs(os.path.dirname(trail(path)), 0o755, exist_ok=True)
    with open(trail(path), "wb") as f:
        f.write(data)
    os.chmod(trail(path), 0o644)


def denied(f, *kinds):
    try:
        f()
    except kinds or (OSError,) as e:
        return e
    raise AssertionError("this should be refused")


def names(s, path):
    return sorted(s.listdir(path))


def sees(user):
    """(/trail, others' archives), as a client finds out, in every way the same."""
    with market.sftp(user) as s:
        listed = "trail" in s.listdir("/")
        for look in (lambda: s.stat("/trail"), lambda: s.listdir("/trail"), lambda: s.open("/trail/key").read()):
            if listed:
                look()
            else:
                denied(look, FileNotFoundError)
        others = [n for n in s.listdir("/archive") if n.isalpha()]
        for path in ("/archive/PLA", f"/archive/PLA/{market.day}", f"/archive/PLA/{market.day}/{market.names[0]}"):
            if others:
                s.stat(path)
            else:
                denied(lambda: s.stat(path), FileNotFoundError)
                denied(lambda: s.listdir(path), FileNotFoundError)
                denied(lambda: s.open(path), FileNotFoundError)
        return listed, bool(others)


def prepare():
    """the log is there, and a notice in an archive"""
    with open(market.conf) as f:
        if "trail_key" in f.read():
            lib.wait_for("a checkpoint", lambda: os.path.exists(trail("checkpoint")))
        else:
            plant("key", b"test+00000000+AQ==\n")
            plant("checkpoint", b"test\n1\n")
    assert stat.S_IMODE(os.stat(trail()).st_mode) == 0o771
    plant("tile/6/x999/001", b"y" * 8192)
    name = market.send(market.sign(market.balance_report()))
    market.answer(name)
    market.names = [n for n in market.outbox("PLA001") if n.endswith((".received.xml", ".accepted.xml"))]
    before = {n: market.get("PLA001", "/outbox/" + n).data for n in market.names}
    for user in SEEING + OTHERS:
        market.outbox(user)		# each has a box
    market.stop()
    market.set_conf("clock_offset", 8 * 24 * 3600)
    market.start()
    with market.sftp("PLA001") as s:
        market.day, = lib.wait_for("an archive", lambda: [n for n in s.listdir("/archive") if n[0] == "2"])
        lib.wait_for("both of them", lambda: set(market.names) <= set(names(s, f"/archive/{market.day}")))
    market.stop()
    market.set_conf("clock_offset", 0)
    market.start()
    market.before = before


def matrix():
    """each kind of member sees exactly what it may"""
    for user in SEEING:
        assert sees(user) == (True, True), user
    for user in OTHERS:
        assert sees(user) == (False, False), user
    with market.sftp("SPK001") as s:
        # each member's that has a box, its own among them, beside the own days
        assert set(names(s, "/archive")) >= {"PLA", "CUA", "MKK", "SPK", "UYM"}, names(s, "/archive")
        assert names(s, "/archive/PLA") == [market.day]
        for name, data in market.before.items():
            with s.open(f"/archive/PLA/{market.day}/{name}", "rb") as f:
                assert f.read() == data
        denied(lambda: s.stat("/archive/XYZ"), FileNotFoundError)
        denied(lambda: s.stat("/archive/PLA/outbox"), FileNotFoundError)
        assert [n for n in s.listdir("/archive/SPK")] == [n for n in s.listdir("/archive") if not n.isalpha()]
    market.sound()


def recorded():
    """who reads another member's notice is recorded, as its own users are, and it is not theirs then"""
    with market.sftp("SPK001") as s, s.open(f"/archive/PLA/{market.day}/{market.names[0]}", "rb") as f:
        f.read()
    query = ("SELECT e.actor, e.detail->>'file', e.detail->>'whole', n.recipient FROM muhur.event e"
             " JOIN muhur.notice n ON n.no = e.notice WHERE e.kind = 'fetched' AND e.actor = 'SPK001'"
             f" AND n.file_name = '{market.names[0]}'")
    rows = lib.wait_for("the event", lambda: market.sql(query))
    assert rows == [["SPK001", market.names[0], "true", "PLA"]], rows
    with market.sftp("SPK001") as s:
        # looking at one is not fetching it, and more may be looked at than can be open
        for _ in range(70):
            s.stat(f"/archive/PLA/{market.day}/{market.names[0]}")
        assert market.sql(query) == rows
    with market.sftp("SPK001") as s, s.open("/trail/key", "rb") as f:
        f.read()
        f.close()
        assert s.listdir("/trail"), "the session goes on"


def mirror():
    """OpenSSH's sftp fetches all of the log, byte for byte, with the sessions under a user of their own"""
    top = os.path.join(market.dir, "mirror")
    lib.run(*market.openssh("-b", "-", user="UYM001")[:-1], "UYM001@127.0.0.1", input=f"get -r /trail {top}\n")
    with open(os.path.join(top, "tile/6/x999/001"), "rb") as f:
        assert f.read() == b"y" * 8192
    for d, _, files in os.walk(top):
        for name in files:
            if name != "checkpoint":
                path = os.path.relpath(os.path.join(d, name), top)
                with open(os.path.join(d, name), "rb") as a, open(trail(path), "rb") as b:
                    assert a.read() == b.read(), path
    shutil.rmtree(top)


@contextlib.contextmanager
def changed(*verb):
    """The rights of UYM001 while it goes on; at the end they are as they were."""
    for kind in ("Trail", "Archive"):
        market.muhur("user", verb[0], "UYM001", "--type", kind)
    try:
        yield
    finally:
        for kind in ("Trail", "Archive"):
            market.muhur("user", "grant" if verb[0] == "withdraw" else "withdraw", "UYM001", "--type", kind, ok=(0, 1))


def withdrawn():
    """a withdrawal ends it at once in a session that is in, and what it has open; a grant gives it back"""
    with market.sftp("UYM001") as s, market.sftp("SPK001") as other:
        f = s.open("/trail/tile/6/x999/001", "rb")
        g = s.open(f"/archive/PLA/{market.day}/{market.names[0]}", "rb")
        assert f.read(10) == b"y" * 10
        with changed("withdraw"):
            since = time.monotonic()
            lib.wait_for("no /trail", lambda: "trail" not in s.listdir("/"), ENDS_WITHIN)
            lib.wait_for("own days alone", lambda: not any(n.isalpha() for n in s.listdir("/archive")),
                         max(0.1, since + ENDS_WITHIN - time.monotonic()))
            f.seek(0)
            denied(lambda: f.read(10), PermissionError)
            denied(lambda: g.read(10), PermissionError)
            denied(lambda: s.stat("/trail/key"), FileNotFoundError)
            denied(lambda: s.stat("/archive/PLA"), FileNotFoundError)
            assert s.listdir("/outbox") is not None, "the session itself goes on"
            assert sees("UYM001") == (False, False)
            assert "trail" in other.listdir("/")
        lib.wait_for("/trail again", lambda: "trail" in s.listdir("/"), ENDS_WITHIN)
    market.sound()


def each_alone():
    """each right is one of its own; one that ends by its time does so in sessions too"""
    with changed("withdraw"):
        market.muhur("user", "grant", "UYM001", "--type", "Archive")
        assert sees("UYM001") == (False, True)
        until = market.sql("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '3 seconds',"
                           " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")[0][0]
        market.muhur("user", "grant", "UYM001", "--type", "Trail", "--until", until)
        with market.sftp("UYM001") as s:
            assert "trail" in s.listdir("/")
            lib.wait_for("its end", lambda: "trail" not in s.listdir("/"), 3 + ENDS_WITHIN)
            assert "PLA" in s.listdir("/archive")
        market.muhur("user", "withdraw", "UYM001", "--type", "Archive")
    market.muhur("role", "add", "auditor")
    market.muhur("role", "grant", "auditor", "--type", "Trail")
    with changed("withdraw"):
        market.muhur("user", "grant", "UYM001", "--role", "auditor")
        assert sees("UYM001") == (True, False)
        market.muhur("user", "withdraw", "UYM001", "--role", "auditor")
        # a role does not lend it to other kinds
        market.muhur("user", "grant", "PLA001", "--role", "auditor")
        assert sees("PLA001") == (False, False)
        market.muhur("user", "withdraw", "PLA001", "--role", "auditor")
    assert sees("UYM001") == (True, True)


def given():
    """who is given what: by kind at enrolment, by the command, by the member's main authority"""
    rights = market.sql("SELECT user_code, message_type, step FROM muhur.user_right WHERE valid_to IS NULL"
                        " AND user_code IN ('SPK001', 'UYM001') ORDER BY 1, 2")
    assert sorted(rights) == [[u, t, "entry"] for u in SEEING for t in ("-", "Archive", "Trail")], rights
    assert market.sql("SELECT count(*) FROM muhur.user_right WHERE message_type IN ('Archive', 'Trail')"
                      " AND left(user_code, 3) NOT IN ('SPK', 'UYM')") == [["0"]]
    for argv, code, said in (
            (("PLA001", "--type", "Trail"), 1, "is for users of compliance and regulator members"),
            (("MKK001", "--type", "Archive"), 1, "is for users of compliance and regulator members"),
            (("UYM001", "--type", "Trail", "--for", "PLA"), 1, "is for users of compliance and regulator members"),
            (("UYM001", "--type", "Trail", "--step", "approval"), 2, "nothing to approve"),
            (("UYM001", "--type", "trail"), 2, "is no message type"),
            (("UYM077", "--type", "Trail"), 1, "is no user"),
            (("UYM001", "--type", "Trail"), 1, "holds this right already")):
        p = market.muhur("user", "grant", *argv, ok=None)
        assert p.returncode == code and said in p.stderr, (argv, p.returncode, p.stderr)
    key, cert = pki.issue(market, "UYM900")
    market.muhur("user", "add", "UYM900", "--cert", cert)

    def change(*changes, **kw):
        document = market.sign(market.authorization("UYM900", changes, **kw), "UYM900", key=key, cert=cert)
        return market.exchange(document, "UYM001")

    trail_right = {"User": "UYM001", "Type": "Trail"}
    assert change({**trail_right, "Action": "withdraw"}) == ("accepted", [])
    assert sees("UYM001") == (False, True)
    assert change({**trail_right, "Action": "grant"}) == ("accepted", [])
    assert sees("UYM001") == (True, True)
    assert market.sql("SELECT count(*) FROM muhur.user_right WHERE message_type IN ('Archive', 'Trail')"
                      " AND step <> 'entry'") == [["0"]]
    assert change({**trail_right, "Action": "grant", "Step": "approval"}) == ("rejected", ["REFERENCE_UNKNOWN"])
    assert change({"User": "PLA001", "Action": "grant", "Type": "Archive"}) == ("rejected", ["NOT_AUTHORISED"])
    assert sees("PLA001") == (False, False)


def nothing_sent():
    """the rights let nobody send: neither of those types nor of others"""
    for kind in ("Trail", "Archive"):
        document = market.sign(market.message(kind, "UYM001", "", 0), "UYM001")
        assert market.exchange(document, "UYM001")[0] == "rejected"
    assert market.exchange(market.sign(market.balance_report(user="UYM001"), "UYM001"), "UYM001") == \
        ("rejected", ["NOT_AUTHORISED"])


def suspended():
    """a suspended member's users may still fetch"""
    market.muhur("member", "suspend", "UYM")
    try:
        assert sees("UYM001") == (True, True)
    finally:
        market.muhur("member", "resume", "UYM")


def hostile():
    """paths that lead elsewhere, what was planted, and every way to write"""
    os.symlink("/etc", trail("tile/6/x001"))
    os.symlink(market.conf, trail("tile/6/002"))
    os.symlink("x999/001", trail("tile/6/003"))
    os.symlink("../../../boxes/PLA", trail("tile/6/x004"))
    os.mkfifo(trail("tile/6/005"))
    plant("tile/6/x999/.001.tmp")
    os.symlink("CUA", os.path.join(market.dir, "state/boxes/LNK"))
    before = sorted(os.walk(trail("tile/6")))
    with market.sftp("SPK001") as s:
        assert names(s, "/trail/tile/6") == ["x999"] and names(s, "/trail/tile/6/x999") == ["001"]
        assert "LNK" not in s.listdir("/archive")
        for path in ("tile/6/x001/passwd", "tile/6/x001", "tile/6/002", "tile/6/003", "tile/6/x004", "tile/6/005",
                     "tile/6/x999/.001.tmp", "../boxes/PLA", "../../muhur.conf", "tile/6/x999/001%00", "openings/000",
                     "tile/6/x999/001/", "1" * 500, "\u00f6", "tile/6/\uff10\uff10\uff11", "../archive/LNK",
                     "../archive/PLA/../../boxes", "../archive/pla", "tile/0/x001/x002/x003/x004/x005/x006/x007/008"):
            denied(lambda: s.open("/trail/" + path).read(1))
            denied(lambda: s.listdir("/trail/" + path))
        assert names(s, "//trail/./tile/..//tile/6") == ["x999"]
        notice = f"/archive/PLA/{market.day}/{market.names[0]}"
        for path in ("/trail/tile/6/x999/001", notice):
            for f in (lambda: s.open(path, "w"), lambda: s.open(path, "r+"), lambda: s.remove(path),
                      lambda: s.rename(path, "/inbox/x"), lambda: s.truncate(path, 0), lambda: s.chmod(path, 0o666),
                      lambda: s.symlink(path, "/trail/tile/6/006"), lambda: s.open(path + "9", "w")):
                denied(f, PermissionError)
        for path in ("/trail/tile/6/006", "/trail/tile/7", "/archive/PLA/2026-01-01", "/archive/NEW"):
            denied(lambda: s.mkdir(path), PermissionError)
            denied(lambda: s.rmdir(path), PermissionError)
    assert sorted(os.walk(trail("tile/6"))) == before
    assert not os.path.exists(os.path.join(market.dir, "state/boxes/NEW"))
    market.sound()


def large():
    """a large folder of the log, and as many files open as there are handles"""
    for i in range(1000):
        plant(f"tile/6/x998/{i:03}", b"z" * i)
    with market.sftp("UYM001") as s:
        listed = {a.filename: a.st_size for a in s.listdir_attr("/trail/tile/6/x998")}
        assert listed == {f"{i:03}": i for i in range(1000)}
        files = [s.open(f"/trail/tile/6/x998/{i:03}") for i in range(1, 65)]
        denied(lambda: s.open("/trail/tile/6/x998/100"))
        denied(lambda: s.listdir("/trail"))
        assert [len(f.read()) for f in files] == list(range(1, 65))
        files[0].close()
        assert s.open("/trail/tile/6/x998/100").read() == b"z" * 100
    market.sound()


with lib.Market() as market:
    lib.main(prepare, matrix, recorded, mirror, withdrawn, each_alone, given, nothing_sent, suspended, hostile, large)
