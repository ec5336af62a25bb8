#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A user's certificates: assigned, replaced with an overlap, withdrawn, revoked
here, each while documents signed with them come in."""

import contextlib
import datetime
import hashlib

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import lib
import pki
from pki import DAY

market = None
HOUR = 3600

ACCEPTED = ("accepted", [])
NOT_ENROLLED, REVOKED = ("rejected", ["CERT_NOT_ENROLLED"]), ("rejected", ["CERT_REVOKED"])


class Certificate:
    """One issued by the market's sub-CA, with its key."""

    made = 0

    def __init__(self, user, **kw):
        Certificate.made += 1
        self.user = user
        self.key, self.path = pki.issue(market, f"{user}-{Certificate.made}", **kw)
        with open(self.path, "rb") as f:
            cert = x509.load_pem_x509_certificate(f.read())
        self.not_after = cert.not_valid_after.replace(tzinfo=datetime.timezone.utc)
        self.sha256 = hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).hexdigest()
        with open(self.key, "rb") as f:
            private = serialization.load_pem_private_key(f.read(), None)
        self.ssh = self.key + ".ssh"
        with open(self.ssh, "wb") as f:
            f.write(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                          serialization.NoEncryption()))

    def document(self):
        return market.sign(market.balance_report(user=self.user), key=self.key, cert=self.path)

    def judged(self):
        """A new report signed with it, sent by another user of the member."""
        return market.exchange(self.document(), "PLA900")

    def may_login(self):
        try:
            with market.sftp(self.user, self.ssh):
                return True
        except paramiko.SSHException:  # that of the last format which Paramiko tried the key in
            return False

    def state(self):
        return next(c for c in market.json("user", "cert", "list", self.user) if c["certificate"] == self.sha256)

    def __str__(self):
        return self.sha256[:8]


def cert(*argv, code=0):
    """muhur user cert; what it complains about."""
    return market.muhur("user", "cert", *map(str, argv), ok=(code,)).stderr


def new_user(user):
    first = Certificate(user)
    market.muhur("user", "add", user, "--cert", first.path)
    return first


def moment(seconds):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def clock_at(seconds):
    """The gateway runs that much later."""
    market.stop()
    market.set_conf("clock_offset", seconds)
    market.start()
    try:
        yield
    finally:
        market.stop()
        market.set_conf("clock_offset", 0)
        market.start()


@contextlib.contextmanager
def on_its_way(document):
    """It was taken while the database was away; what happens within happens before it is judged."""
    with market.sftp("PLA900") as s:
        market.seq += 1
        name = f"waiting-{market.seq}.xml"
        lib.run(lib.MARKET, "db-stop", market.dir)
        lib.put(s, document, name)
    market.stop()
    lib.run(lib.MARKET, "db-start", market.dir)
    result = []
    yield result
    market.start()  # where it was not
    _, decision = market.answer(name, "PLA900")
    result.append((decision.name.split(".")[1], decision.codes))


def assign():
    """a further certificate: both sign and log in; another user's, or a key of another's, is refused"""
    one, two = new_user("PLA002"), Certificate("PLA002")
    assert two.judged() == NOT_ENROLLED and not two.may_login()
    cert("assign", "PLA002", "--cert", two.path)
    cert("assign", "PLA002", "--cert", two.path)
    for c in (one, two):
        assert c.judged() == ACCEPTED and c.may_login(), c.path
        assert c.state()["state"] == "good" and c.state()["goodUntil"] is None
    new_user("PLA003")
    assert "user PLA002's" in cert("assign", "PLA003", "--cert", two.path, code=1)
    assert "user PLA002's" in cert("replace", "PLA003", "--cert", two.path, code=1)
    assert "no user" in cert("assign", "PLA099", "--cert", Certificate("PLA099").path, code=1)
    assert "CERT_USAGE" in cert("assign", "PLA002", "--cert", Certificate("PLA002", key_usage=["digital_signature"]).path, code=1)
    assert "CERT_EXPIRED" in cert("assign", "PLA002", "--cert", Certificate(
        "PLA002", not_before=pki.now() - 2 * DAY, not_after=pki.now() - DAY).path, code=1)
    assert "CERT_UNTRUSTED" in cert("assign", "PLA002", "--cert", Certificate("PLA002", issuer="self").path, code=1)
    assert "SIG_ALGORITHM" in cert("assign", "PLA002", "--cert", Certificate("PLA002", key="secp256k1").path, code=1)
    assert len(market.json("user", "cert", "list", "PLA002")) == 2, "nothing of the refused ones stayed"


def on_the_list():
    """a certificate that its issuer has revoked is not enrolled"""
    c = Certificate("PLA002")
    with open(f"{market.pki}/crl.pem", "rb") as f:
        before = f.read()
    named = pki.revoke(market, c.path)
    try:
        with open(f"{market.pki}/crl.pem", "ab") as f:
            f.write(named)
        assert "CERT_REVOKED" in cert("assign", "PLA002", "--cert", c.path, code=1)
    finally:
        with open(f"{market.pki}/crl.pem", "wb") as f:
            f.write(before)
    cert("assign", "PLA002", "--cert", c.path)


def replace():
    """both certificates are good until the overlap ends, then only the new one; what came before is judged as of then"""
    old, new = new_user("PLA004"), Certificate("PLA004")
    cert("replace", "PLA004", "--cert", new.path, "--until", moment(HOUR))
    for c in (old, new):
        assert c.judged() == ACCEPTED and c.may_login(), c.path
    assert old.state()["state"] == "good" and old.state()["goodUntil"] is not None
    with on_its_way(old.document()) as result:
        market.set_conf("clock_offset", HOUR + 60)
        market.start()
    assert result == [ACCEPTED], "received within the overlap, judged after it"
    try:
        assert old.judged() == NOT_ENROLLED and not old.may_login()
        assert "withdrawn" in market.log()
        assert new.judged() == ACCEPTED and new.may_login()
        assert old.state()["state"] == "withdrawn" and old.state()["stateSince"] == old.state()["goodUntil"]
        assert "replaced" in cert("assign", "PLA004", "--cert", old.path, code=1)
        assert "withdrawn" in cert("withdraw", "PLA004", old, code=1)
    finally:
        market.stop()
        market.set_conf("clock_offset", 0)
        market.start()
    # one of several, and the time where none is given
    third = Certificate("PLA004")
    cert("replace", "PLA004", "--cert", third.path, "--old", new)
    until = datetime.datetime.fromisoformat(new.state()["goodUntil"])
    assert abs(until - pki.now() - 7 * DAY) < datetime.timedelta(minutes=5), until
    assert third.state()["goodUntil"] is None
    for wrong in ("yesterday", moment(-60), "2026-02-30T00:00:00Z"):
        assert "to come" in cert("replace", "PLA004", "--cert", third.path, "--until", wrong, code=2)
    lone = new_user("PLA005")
    cert("withdraw", "PLA005", lone)
    assert "assign" in cert("replace", "PLA005", "--cert", Certificate("PLA005").path, code=1)
    assert len(market.json("user", "cert", "list", "PLA005")) == 1


def withdraw():
    """withdrawn now, or at a moment; it is not enrolled again"""
    one, two = new_user("PLA006"), Certificate("PLA006")
    cert("assign", "PLA006", "--cert", two.path)
    cert("withdraw", "PLA006", one)
    assert one.judged() == NOT_ENROLLED and not one.may_login()
    assert two.judged() == ACCEPTED and two.may_login()
    assert "is withdrawn" in cert("assign", "PLA006", "--cert", one.path, code=1)
    assert "is withdrawn" in cert("withdraw", "PLA006", one, code=1)
    cert("withdraw", "PLA006", two, "--at", moment(HOUR))
    assert two.judged() == ACCEPTED
    with clock_at(HOUR + 60):
        assert two.judged() == NOT_ENROLLED and not two.may_login()


def revoke():
    """revoked here: at once for documents, also for one that is on its way, and for logins; no CRL brings it back"""
    c, other = new_user("PLA007"), new_user("PLA008")
    assert c.judged() == ACCEPTED and c.may_login()
    cert("revoke", "PLA007", c)
    assert c.judged() == REVOKED and not c.may_login()
    assert c.state()["state"] == "revoked" and c.state()["revocation"] == "local"
    assert "revoked already" in cert("revoke", "PLA007", c, code=1)
    market.muhur("crl", "refresh")
    assert c.judged() == REVOKED, "a CRL that does not name it"
    assert "is revoked" in cert("assign", "PLA007", "--cert", c.path, code=1)
    with open(c.key, "rb") as f:
        public = serialization.load_pem_private_key(f.read(), None).public_key()
    _, renewed = pki.issue(market, "PLA007-renewed", public=public)
    assert "a new key is needed" in cert("assign", "PLA007", "--cert", renewed, code=1), "its key in a new certificate"
    with on_its_way(other.document()) as result:
        cert("revoke", "PLA008", other)
    assert result == [REVOKED], result
    late = new_user("PLA009")
    cert("withdraw", "PLA009", late)
    cert("revoke", "PLA009", late)
    assert late.judged() == REVOKED


def suspended():
    """the certificate of a suspended member signs nothing that takes effect"""
    c = new_user("PLA010")
    with on_its_way(c.document()) as result:
        market.muhur("member", "suspend", "PLA")
    try:
        assert result == [("rejected", ["MEMBER_SUSPENDED"])], result
        assert c.may_login(), "to fetch"
    finally:
        market.muhur("member", "resume", "PLA")
    assert c.judged() == ACCEPTED


def names():
    """a certificate is named by enough of its SHA-256, and only by its own user"""
    a, b = new_user("PLA011"), new_user("PLA012")
    for wrong, code in ((a.sha256[:7], 2), (a.sha256.upper(), 2), ("x" * 16, 2), ("", 2), (b.sha256, 1), ("0" * 64, 1)):
        for verb in ("withdraw", "revoke"):
            assert wrong[:8] in cert(verb, "PLA011", wrong, code=code)
    assert a.judged() == b.judged() == ACCEPTED
    cert("list", "PLA011", "PLA012", code=2)
    cert("revoke", "PLA011", code=2)
    cert("assign", "PLA011", code=2)
    cert("forget", "PLA011", code=2)
    market.sound()


if __name__ == "__main__":
    with lib.Market() as market:
        lib.main(assign, on_the_list, replace, withdraw, revoke, suspended, names)
