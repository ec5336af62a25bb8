# SPDX-License-Identifier: ISC
"""Logins: which keys let a user in, what is refused and how, and that a
session lasts no longer than what let it in."""

import contextlib
import os
import signal
import subprocess
import time

import paramiko
from cryptography.hazmat.primitives import hashes, serialization

import forge
import lib
import pki

ENDS_WITHIN = 5		# seconds from the change to the end of the session


def openssh(user, key, *options):
    """What OpenSSH's sftp does with that key alone: (exit status, what it said)."""
    p = subprocess.run(["sftp", "-q", "-b", "-", "-F", "/dev/null", "-P", str(market.port), "-i", key,
                        "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no",
                        "-o", f"UserKnownHostsFile={market.dir}/kh", *options, f"{user}@127.0.0.1"],
                       input="ls /outbox\n", capture_output=True, text=True, timeout=lib.LIMIT)
    return p.returncode, p.stderr


def keys():
    """the key of the certificate (P-256, P-384, RSA) lets in, and an Ed25519 key enrolled beside it"""
    for user in ("PLA001", "CUA001", "PLB001"):
        for kind in ("key", "ssh"):
            code, said = openssh(user, f"{market.pki}/{user}.{kind}")
            assert code == 0, (user, kind, said)


def generate(*options):
    path = os.path.join(market.dir, f"key-{os.urandom(4).hex()}")
    lib.run("ssh-keygen", "-q", "-N", "", "-f", path, *options)
    return path


STATES = {		# what is not in order, how it is set right again, what the log says
    "suspended user": ("UPDATE muhur.member_user SET state = 'suspended' WHERE code = 'PLA001'",
                       "UPDATE muhur.member_user SET state = 'active' WHERE code = 'PLA001'", "the user is suspended"),
    "closed member": ("UPDATE muhur.member SET state = 'closed' WHERE code = 'PLA'",
                      "UPDATE muhur.member SET state = 'active' WHERE code = 'PLA'", "the member is closed"),
    "revoked": ("UPDATE muhur.certificate SET state = 'revoked' WHERE user_code = 'PLA001'",
                "UPDATE muhur.certificate SET state = 'good' WHERE user_code = 'PLA001'",
                "revoked, withdrawn or expired"),
    "withdrawn": ("UPDATE muhur.certificate SET state = 'withdrawn' WHERE user_code = 'PLA001'",
                  "UPDATE muhur.certificate SET state = 'good' WHERE user_code = 'PLA001'",
                  "revoked, withdrawn or expired"),
    "expired": ("UPDATE muhur.certificate SET not_after = now() WHERE user_code = 'PLA001'",
                "UPDATE muhur.certificate SET not_after = '2099-01-01' WHERE user_code = 'PLA001'",
                "revoked, withdrawn or expired"),
    "key withdrawn": ("UPDATE muhur.login_key SET user_code = 'PLA900' WHERE user_code = 'PLA001'"
                      " AND certificate IS NOT NULL",
                      "UPDATE muhur.login_key SET user_code = 'PLA001' WHERE user_code = 'PLA900'"
                      " AND certificate IN (SELECT sha256 FROM muhur.certificate WHERE user_code = 'PLA001')",
                      "the key is not enrolled for this user"),
}


@contextlib.contextmanager
def not_in_order(what):
    market.sql(STATES[what][0])
    try:
        yield STATES[what][2]
    finally:
        market.sql(STATES[what][1])


def refused():
    """what is not in order is refused: the reason is in the log, and the peer hears the same each time"""
    own, other = f"{market.pki}/PLA001.key", f"{market.pki}/PLB001.key"
    heard = set()

    def denied(user, key, reason):
        since = market.log_size()
        code, said = openssh(user, key)
        assert code != 0
        heard.add(said.replace(user, "USER"))
        lib.wait_for(f"\"{reason}\" in the log", lambda: reason in market.log(since), 5)

    for what in STATES:
        with not_in_order(what) as reason:
            denied("PLA001", own, reason)
    denied("PLA001", other, "the key is not enrolled for this user")
    denied("PLA001", generate("-t", "ed25519"), "the key is not enrolled for this user")
    denied("PLA077", own, "no such user")
    denied("root", own, "is no user code")
    denied("PLA001", generate("-t", "ecdsa", "-b", "521"), "a key of a kind not accepted")
    assert len(heard) == 1, heard
    assert openssh("PLA001", own)[0] == 0


# -- sessions --------------------------------------------------------------------

@contextlib.contextmanager
def session(user="PLA001", key=None):
    """By the certificate's key (or another EC one), in the form that Paramiko reads."""
    own = os.path.join(market.dir, f"session-{os.urandom(4).hex()}")
    with open(own, "wb") as f:
        f.write(forge.load_key(key or f"{market.pki}/{user}.key").private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    with market.sftp(user, own) as s:
        yield s


def lives(s):
    try:
        s.listdir("/outbox")
        return True
    except (OSError, EOFError, paramiko.SSHException):
        return False


def ended(s, since):
    """The session ends within the time from since on, whether its user asks for something or not."""
    lib.wait_for("the session has ended", lambda: not s.get_channel().get_transport().is_active(),
                 max(0.05, since + ENDS_WITHIN - time.monotonic()))


def sent_away():
    """a session ends within 5 s once its user, member, certificate or key is not in order, and no other one"""
    with session("CUA001") as other:
        for what in STATES:
            with session() as s:
                since = market.log_size()
                assert lives(s)
                with not_in_order(what) as reason:
                    ended(s, time.monotonic())
                    log = market.log(since)
                    assert "PLA001 is sent away: " in log and reason in log, (what, log)
        with session() as s:
            market.muhur("user", "suspend", "PLA001")
            ended(s, time.monotonic())
            market.muhur("user", "resume", "PLA001")
        assert lives(other)
    market.sound()


def right_withdrawn():
    """a session ends when the last right of its user is withdrawn"""
    with session() as s:
        market.muhur("user", "withdraw", "PLA001", "--type", "BalanceReport")
        ended(s, time.monotonic())
    market.muhur("user", "grant", "PLA001", "--type", "BalanceReport")


def expires():
    """a session ends when the certificate expires under it, which no change tells"""
    with session() as s:
        market.sql("UPDATE muhur.certificate SET not_after = now() + interval '2 seconds' WHERE user_code = 'PLA001'")
        until = time.monotonic() + 2
        try:
            assert lives(s)
            ended(s, until)
            assert time.monotonic() > until - 0.5, "it ended before the certificate did"
        finally:
            market.sql(STATES["expired"][1])


def key_beside():
    """another certificate of the user does not keep a session that came by the revoked one's key"""
    key, cert = pki.issue(market, "PLA001")
    market.muhur("user", "add", "PLA001", "--cert", cert)
    kept = forge.load_cert(cert).fingerprint(hashes.SHA256()).hex()
    with session() as old, session(key=key) as new, market.sftp("PLA001") as beside:
        market.sql("UPDATE muhur.certificate SET state = 'withdrawn' WHERE user_code = 'PLA001'"
                   f" AND sha256 <> '{kept}'")
        try:
            ended(old, time.monotonic())
            assert lives(new) and lives(beside)
        finally:
            market.sql(STATES["withdrawn"][1])


def upload_kept():
    """an upload that the end of its session interrupts is not taken, and can be gone on with"""
    doc = market.signed()
    with session() as s:
        f = s.open("/inbox/interrupted.xml", "wb")
        f.write(doc[:1000])
        f.flush()
        with not_in_order("suspended user"):
            ended(s, time.monotonic())
    assert market.sent("interrupted.xml") == 0
    with session() as s:
        assert s.stat("/inbox/interrupted.xml").st_size == 1000
        f = s.open("/inbox/interrupted.xml", "r+b")
        f.seek(1000)
        f.write(doc[1000:])
        lib.close(s, f)
    _, notice = market.answer("interrupted.xml")
    assert notice.codes == []


def member_suspended():
    """a member suspended while connected: its session may fetch, and send no more until it is resumed"""
    doc = market.signed()
    name = market.send(doc)
    market.answer(name)
    with session() as s:
        f = s.open("/inbox/late.xml", "wb")
        f.write(doc[:100])
        f.flush()
        since = market.log_size()
        market.muhur("member", "suspend", "PLA")
        try:
            lib.wait_for("it is told", lambda: "PLA001 may only fetch" in market.log(since), ENDS_WITHIN)
            for attempt in (lambda: (f.write(doc[100:]), f.flush()), lambda: lib.close(s, f),
                            lambda: s.open("/inbox/new.xml", "wb"), lambda: s.remove("/inbox/late.xml"),
                            lambda: s.rename("/inbox/late.xml", "/inbox/x.xml")):
                try:
                    attempt()
                except OSError as e:
                    assert "suspended" in str(e) or isinstance(e, PermissionError), e
                else:
                    raise AssertionError("a suspended member's session sends")
            first = s.listdir("/outbox")[0]
            with s.open(f"/outbox/{first}") as n:
                assert n.read().startswith(b"<?xml")
            assert market.sent("late.xml") == 0
        finally:
            market.muhur("member", "resume", "PLA")
        lib.wait_for("it is told", lambda: "PLA001 may send again" in market.log(since), ENDS_WITHIN)
        lib.put(s, market.signed(), "resumed.xml")
    market.answer("resumed.xml")
    market.sound()


def session_pids():
    """Sessions are muhurd's children with -s."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if parent == market.muhurd_pid and f.read().split(b"\0")[:2] == [b"muhur-sftp", b"-s"]:
                    pids.append(int(pid))
    return pids


def deaf():
    """a session process that does not hear that it is to end is ended by force"""
    lib.wait_for("no session is left", lambda: not session_pids())
    with session() as s:
        pid = lib.wait_for("the session's process", session_pids)[0]
        os.kill(pid, signal.SIGSTOP)
        with not_in_order("suspended user"):
            since = time.monotonic()
            lib.wait_for("its process has ended", lambda: not os.path.exists(f"/proc/{pid}"), ENDS_WITHIN)
            ended(s, since)
    market.sound()


def directory_ends():
    """a directory that ends is no reason to end a session, and does not make it last"""
    def directory():
        return next((int(p) for p in filter(str.isdigit, os.listdir("/proc"))
                     if cmdline(p)[:2] == [b"muhur-load", b"-D"] and parent(p) == market.muhurd_pid), 0)

    def cmdline(pid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().split(b"\0")
        return []

    def parent(pid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])

    with session() as s:
        old = directory()
        os.kill(old, signal.SIGKILL)
        lib.wait_for("another directory", lambda: directory() not in (0, old))
        lib.wait_for("it lets in again", lambda: openssh("CUA001", f"{market.pki}/CUA001.key")[0] == 0)
        assert lives(s)
        with not_in_order("suspended user"):
            ended(s, time.monotonic())


with lib.Market() as market:
    market.only_right("PLA001")
    lib.main(keys, refused, sent_away, right_withdrawn, expires, key_beside, upload_kept, member_suspended, deaf,
             directory_ends)
