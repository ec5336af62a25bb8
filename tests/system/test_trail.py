#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The trail of a running gateway: what members do and an operator commands becomes a
signed log, which verifies from the published files alone, here in Python by the
public formats; sequencers die, stand by, and refuse a database of yesterday, one for the other too."""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import lib

market = None
sent = {}


# --- the log by its published files: C2SP tlog-tiles, tlog-checkpoint, signed-note; RFC 9162 2.1 ------

def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree(hashes):
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node(tree(hashes[:k]), tree(hashes[k:]))


def number(n):
    text = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03d}/{text}"
    return text


def read(state, *path):
    with open(os.path.join(state, "trail", *path), "rb") as f:
        return f.read()


def open_note(state):
    """The published checkpoint, its signature verified with the published key: origin, size, root."""
    name, key_id, key = read(state, "key").decode().strip().split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1 and key_id == hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    text, signatures = read(state, "checkpoint").split(b"\n\n")
    lines = (text + b"\n").decode().split("\n")
    line, = signatures.decode().splitlines()
    dash, signer, blob = line.split(" ")
    blob = base64.b64decode(blob)
    assert dash == "\u2014" and signer == name == lines[0] and blob[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[4:], text + b"\n")
    return lines[0], int(lines[1]), base64.b64decode(lines[2])


def leaves(state):
    """Every leaf's bytes; the tree over them is what was signed, and so are its tiles."""
    origin, size, root = open_note(state)
    assert origin == "muhur.test/trail", origin
    found = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        data = read(state, "tile", "entries", number(n) + (f".p/{width}" if width < 256 else ""))
        tile = read(state, "tile", "0", number(n) + (f".p/{width}" if width < 256 else ""))
        at = 0
        for i in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            found.append(data[at + 2:at + 2 + length])
            at += 2 + length
            assert tile[32 * i:32 * i + 32] == hashlib.sha256(b"\0" + found[-1]).digest()
        assert at == len(data) and len(tile) == 32 * width
    assert tree([hashlib.sha256(b"\0" + leaf).digest() for leaf in found]) == root
    return found


# --- the gateway ------------------------------------------------------------------------------------

def state():
    return os.path.join(market.dir, "state")


def events():
    return int(market.sql("SELECT count(*) FROM muhur.event")[0][0])


def all_published():
    lib.wait_for("every event is in a checkpoint", lambda: os.path.exists(f"{state()}/trail/checkpoint")
                 and int(read(state(), "checkpoint").split(b"\n")[1]) == events())


def sequencer():
    """Its process id, once there is one that has its program's name."""
    def find():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    text = f.read()
                with open(f"/proc/{pid}/cmdline") as f:
                    line = f.read()
            except OSError:
                continue
            if line.startswith("muhur-sequencer") and int(text.rsplit(")", 1)[1].split()[1]) == market.muhurd_pid:
                return int(pid)
    return lib.wait_for("a sequencer", find)


def a_day():
    """a market's day and an operator's commands are leaves; the log verifies by its published files alone"""
    for member, user in (("PLA", "PLA001"), ("PLB", "PLB001")):
        data = market.sign(market.balance_report(user), user)
        name = f"secret name {member}.xml"
        assert market.exchange(data, user, name) == ("accepted", [])
        sent[hashlib.sha256(data).hexdigest()] = user
    assert market.exchange(b"<x/>", "PLA001")[0] == "rejected"
    market.muhur("user", "suspend", "PLB001")
    market.muhur("user", "resume", "PLB001")
    all_published()
    found = [json.loads(leaf) for leaf in leaves(state())]
    assert len(found) == events() and len({e["event"] for e in found}) == len(found)
    accepted = {e["sha256"]: e["actor"] for e in found if e["kind"] == "accepted"}
    assert accepted == sent, (accepted, sent)
    rejected, = [e for e in found if e["kind"] == "rejected"]
    assert "sha256" not in rejected and "submission" in rejected
    kinds = {e["kind"] for e in found}
    assert {"received", "signed", "login", "user-suspended", "user-resumed", "member-added", "user-added",
            "contract-added", "database-migrated"} <= kinds, kinds
    assert all("sha256" in e and "notice" in e for e in found if e["kind"] == "signed")
    for text in (b"secret", b".xml", b"XML_"):		# names and reasons are in the salted detail alone
        assert not any(text in leaf for leaf in leaves(state()))
    market.muhur("trail", "verify")
    assert "trail" in market.muhur("status", ok=(0, 1)).stdout


def openings():
    """what opens a leaf is the event's salt and detail: signer, signing time, reasons; no subject of a certificate"""
    lines = {}
    for path, _, files in os.walk(f"{state()}/openings"):
        for name in files:
            with open(os.path.join(path, name)) as f:
                lines.update({hashlib.sha256(bytes.fromhex(o["salt"]) + json.dumps(
                    o["detail"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest(): o["detail"]
                    for o in map(json.loads, f)})
    for leaf in map(json.loads, leaves(state())):
        detail = lines[leaf["detail"]]
        if leaf["kind"] == "accepted":
            assert detail["sha256"] == leaf["sha256"] and len(detail["certificate"]) == 64
            assert detail["messageType"] == "BalanceReport" and detail["signingTime"].endswith("Z"), detail
        if leaf["kind"] == "rejected":
            assert detail["reasons"] == ["SIG_MISSING"] and detail["sha256"], detail
        if leaf["actor"] == "operator":
            assert detail["uid"] == os.getuid() and "subject" not in detail, detail


def killed():
    """a sequencer that is killed is started again and goes on; the log stays the one it was"""
    before = leaves(state())
    for _ in range(3):
        os.kill(sequencer(), signal.SIGKILL)
        market.muhur("user", "suspend", "PLB001")
        market.muhur("user", "resume", "PLB001")
        all_published()
    after = leaves(state())
    assert after[:len(before)] == before and len(after) == events()


@contextlib.contextmanager
def second_gateway():
    """Another one on the same database, with a state directory of its own: its folder and its log's name."""
    second = os.path.join(market.dir, "second")
    os.mkdir(second)
    conf = os.path.join(second, "muhur.conf")
    with open(market.conf) as f:
        text = f.read()
    for name in ("pki/", "secrets"):
        text = text.replace(f'"{name}', f'"{market.dir}/{name}')
    with open(conf, "w") as f:
        f.write(text)
    with open(os.path.join(second, "log"), "w") as log:
        muhurd = subprocess.Popen([os.path.join(market.bin, "muhurd"), "-f", "-c", conf], stderr=log, stdout=log,
                                  stdin=subprocess.DEVNULL)
        try:
            yield second, log.name
        finally:
            muhurd.terminate()
            assert muhurd.wait(30) == 0
    shutil.rmtree(second)


def standby():
    """of two gateways on one database one numbers; the other goes on when it has ended, with the same leaves"""
    with second_gateway() as (second, log):
        lib.wait_for("the other stands by", lambda: "this one stands by" in open(log).read())
        market.muhur("user", "suspend", "PLB001")
        all_published()
        before = leaves(state())
        assert not os.path.exists(f"{second}/state/trail/checkpoint")
        market.stop()
        market.muhur("user", "resume", "PLB001")
        lib.wait_for("the other goes on", lambda: os.path.exists(f"{second}/state/trail/checkpoint")
                     and len(leaves(f"{second}/state")) == events())
        after = leaves(f"{second}/state")
        assert after[:len(before)] == before
    market.start()
    all_published()
    assert leaves(state())[:len(after)] == after


def database(*statements):
    lib.run(lib.MARKET, "psql", market.dir, "-d", "postgres", "-v", "ON_ERROR_STOP=1", *(x for s in statements for x in ("-c", s)))


def restored():
    """a database of an earlier copy: nothing is numbered or signed, an alarm says so, and files are still taken"""
    market.stop()
    database("CREATE DATABASE earlier TEMPLATE muhur")
    market.start()
    assert market.exchange(market.signed()) == ("accepted", [])
    all_published()
    note, size, since = read(state(), "checkpoint"), len(leaves(state())), market.log_size()
    market.stop()
    database("ALTER DATABASE muhur RENAME TO later", "ALTER DATABASE earlier RENAME TO muhur")
    market.start()
    lib.wait_for("an alarm", lambda: "restored from an earlier copy" in market.log(since))
    numbered = market.sql("SELECT count(*) FROM muhur.trail_leaf")
    assert int(numbered[0][0]) < size
    assert market.exchange(market.signed()) == ("accepted", [])
    status = market.json("status", ok=(1,))[0]
    assert status["trail"]["refusedSince"] and status["trail"]["waiting"] > 0, status["trail"]
    assert any("refuses to go on" in a for a in status["attention"]), status["attention"]
    assert market.sql("SELECT count(*) FROM muhur.trail_leaf") == numbered
    assert read(state(), "checkpoint") == note
    # the right one after all
    market.stop()
    database("DROP DATABASE muhur", "ALTER DATABASE later RENAME TO muhur")
    market.start()
    market.muhur("user", "suspend", "PLB001")
    all_published()
    assert len(leaves(state())) > size
    assert market.json("status", ok=(0, 1))[0]["trail"]["refusedSince"] is None


def contradicted():
    """one that works on a database of an earlier copy, with an empty folder, signs no more once one stands by that knows better"""
    market.stop()
    database("CREATE DATABASE earlier TEMPLATE muhur")
    market.start()
    market.muhur("user", "resume", "PLB001")
    market.muhur("user", "suspend", "PLB001")
    all_published()
    size = len(leaves(state()))
    market.stop()
    database("ALTER DATABASE muhur RENAME TO later", "ALTER DATABASE earlier RENAME TO muhur")
    with second_gateway() as (second, log):
        lib.wait_for("the other works", lambda: os.path.exists(f"{second}/state/trail/checkpoint"))
        since = market.log_size()
        market.start()
        lib.wait_for("the one that knows says so", lambda: "this one would not" in market.log(since))
        lib.wait_for("the other refuses", lambda: "nothing is numbered or signed" in open(log).read())
        note = read(f"{second}/state", "checkpoint")
        numbered = market.sql("SELECT count(*) FROM muhur.trail_leaf")
        market.muhur("user", "resume", "PLB001")
        lib.wait_for("status tells", lambda: market.json("status", ok=(1,))[0]["trail"]["refusedSince"])
        assert market.sql("SELECT count(*) FROM muhur.trail_leaf") == numbered and int(numbered[0][0]) < size
        assert read(f"{second}/state", "checkpoint") == note
        market.stop()
    database("DROP DATABASE muhur", "ALTER DATABASE later RENAME TO muhur")
    market.start()
    market.muhur("user", "resume", "PLB001")
    market.muhur("user", "suspend", "PLB001")
    all_published()
    assert len(leaves(state())) > size


def no_key():
    """without a key the gateway works, says that no trail is kept, and events wait for one"""
    market.stop()
    market.set_conf("trail_key", '""')
    since, size = market.log_size(), len(leaves(state()))
    market.start()
    assert "alarm: trail_key is not set" in market.log(since)
    market.muhur("user", "resume", "PLB001")
    assert any("set trail_key" in a for a in market.json("status", ok=(1,))[0]["attention"])
    assert len(leaves(state())) == size
    market.stop()
    market.set_conf("trail_key", '"pki/trail.key"')
    market.start()
    all_published()
    assert len(leaves(state())) > size
    market.sound()


def spoilt():
    """the verification above can fail: one byte of a leaf, of the root, another key"""
    copy = os.path.join(market.dir, "copy")
    for path, at, error in (("trail/tile/entries", 40, AssertionError), ("trail/checkpoint", 30, (InvalidSignature, ValueError))):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(state() + "/trail", copy + "/trail")
        if os.path.isdir(f"{copy}/{path}"):
            path = max((os.path.join(p, f) for p, _, fs in os.walk(f"{copy}/{path}") for f in fs),
                       key=lambda f: int(os.path.basename(f)))[len(copy) + 1:]
        with open(f"{copy}/{path}", "r+b") as f:
            f.seek(at)
            old = f.read(1)
            f.seek(at)
            f.write(bytes([old[0] ^ 1]))
        try:
            leaves(copy)
        except error:
            continue
        raise AssertionError(f"{path}: was not found out")


with lib.Market() as market:
    lib.main(a_day, openings, spoilt, killed, standby, restored, contradicted, no_key)
