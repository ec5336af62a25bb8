#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Trust anchors and certificate policies for one kind of member: whose
certificates count for whom."""

import os
import signal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ObjectIdentifier

import lib
import pki

market = None
other = None

ACCEPTED, UNTRUSTED = ("accepted", []), ("rejected", ["CERT_UNTRUSTED"])


def write(path, *parts):
    with open(path + ".new", "wb") as f:
        f.write(b"".join(parts))
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def add_user(user, code=0, **kw):
    key, cert = pki.issue(market, user, **kw)
    complaint = market.muhur("user", "add", user, "--cert", cert, ok=(code,)).stderr
    return key, cert, complaint


def judged(user, key, cert, sender=None):
    """The decision about a new report of that user, sent by another user of its member."""
    report = market.balance_report if user.startswith("PL") else market.custody_report
    return market.exchange(market.sign(report(user=user), user, key=key, cert=cert), sender or user[:3] + "001")


def with_section(text):
    """The gateway with that section in its configuration, instead of any other."""
    market.stop()
    with open(market.conf) as f:
        conf = f.read().split("trust ")[0]
    with open(market.conf, "w") as f:
        f.write(conf + text)
    market.start()


def anchors():
    """custodians' certificates come from another CA, and only theirs"""
    key, cert, _ = add_user("CUA002")
    assert judged("CUA002", key, cert) == ACCEPTED
    _, foreign_cert, complaint = add_user("CUA003", code=1, issuer=other)
    assert "CERT_UNTRUSTED" in complaint
    with_section(f'trust custodian {{ anchors = "{market.dir}/custodians.pem" }}\n')
    assert judged("CUA002", key, cert) == UNTRUSTED
    new = add_user("CUA003", issuer=other)[:2]
    assert judged("CUA003", *new) == ACCEPTED
    assert "CERT_UNTRUSTED" in add_user("CUA004", code=1)[2]
    # others stay with trust_anchors, and cannot use the custodians'
    assert market.exchange(market.signed()) == ACCEPTED
    assert "CERT_UNTRUSTED" in add_user("PLA002", code=1, issuer=other)[2]
    assert judged("PLA001", *pki.issue(market, "PLA001", issuer=other)) == UNTRUSTED
    # the refresh judges each by the anchors of its member, and takes the CRLs of all
    issuers = {c["issuer"] for c in market.json("crl", "list")}
    assert other[1].subject.rfc4514_string() in issuers, issuers
    rows = market.sql("SELECT DISTINCT issuer FROM muhur.crl")
    before = len(rows)
    market.muhur("crl", "refresh", ok=(0, 1))
    assert len(market.sql("SELECT DISTINCT issuer FROM muhur.crl")) == before + 1


def after_a_crash():
    """what waited through a restart is judged by its own kind's anchors"""
    key, cert = pki.issue(market, "CUA005", issuer=other)
    market.muhur("user", "add", "CUA005", "--cert", cert)
    document = market.sign(market.custody_report(user="CUA005"), key=key, cert=cert)
    with market.sftp("CUA001") as s:
        lib.run(lib.MARKET, "db-stop", market.dir)
        lib.put(s, document, "waiting.xml")
    market.stop(signal.SIGKILL)
    lib.run(lib.MARKET, "db-start", market.dir)
    market.start()
    _, decision = market.answer("waiting.xml", "CUA001")
    assert decision.codes == [], decision.codes


def renewed_anchors():
    """a kind's anchors are read again at SIGHUP"""
    key, cert = pki.issue(market, "CUA006", issuer=other)
    market.muhur("user", "add", "CUA006", "--cert", cert)
    assert judged("CUA006", key, cert) == ACCEPTED
    third = pki.issue_ca(market, "THIRDCA")
    for anchor, want in ((third[1], UNTRUSTED), (other[1], ACCEPTED)):
        since = market.log_size()
        write(f"{market.dir}/custodians.pem", pem(anchor))
        os.kill(market.muhurd_pid, signal.SIGHUP)
        lib.wait_for("the anchors", lambda at=since: "are read again" in market.log(at))
        assert judged("CUA006", key, cert) == want


def policies():
    """platforms' certificates must be issued under a policy"""
    wanted, another = ObjectIdentifier("1.2.3.4"), ObjectIdentifier("1.2.3.5")
    root = pki.authority(market, "root")

    def under(*oids):
        return dict(issuer=root, extra=[(x509.CertificatePolicies(
            [x509.PolicyInformation(o, None) for o in oids]), False)])

    with_section('trust platform { policies = {"1.2.3.4", "1.2.3.9"} }\n')
    assert market.exchange(market.signed()) == UNTRUSTED, "no policy"
    assert "CERT_UNTRUSTED" in add_user("PLA010", code=1)[2]
    assert "CERT_UNTRUSTED" in add_user("PLA010", code=1, **under(another))[2]
    assert judged("PLA010", *add_user("PLA010", **under(another, wanted))[:2]) == ACCEPTED
    assert judged("PLA001", *pki.issue(market, "PLA001", **under(another))) == UNTRUSTED
    assert market.exchange(market.sign(market.custody_report(), "CUA001"), "CUA001") == ACCEPTED, "of other kinds none"
    with_section("")
    assert market.exchange(market.signed()) == ACCEPTED
    market.sound()


def configuration():
    """a section of no kind, or with anchors that are not there, is refused at start"""
    for text, says in (("trust bank { }\n", "bank"), ("trust { }\n", "trust"),
                       ('trust platform { anchors = "none.pem" }\n', "none.pem"),
                       ('trust platform { policies = {"x"} }\n', "object identifier"),
                       ("trust platform { }\ntrust platform { }\n", "platform")):
        path = os.path.join(market.dir, "bad.conf")
        with open(market.conf) as f, open(path, "w") as g:
            g.write(f.read() + text)
        p = lib.run(os.path.join(market.bin, "muhurd"), "-n", "-c", path, ok=(1,))
        assert says in p.stderr, (text, p.stderr)


if __name__ == "__main__":
    with lib.Market() as market:
        other = pki.issue_ca(market, "OTHERCA")
        write(f"{market.dir}/custodians.pem", pem(other[1]))
        with open(f"{market.pki}/crl.pem", "rb") as f:
            write(f"{market.pki}/crl.pem", f.read(), pki.crl(other, 1))
        lib.main(anchors, after_a_crash, renewed_anchors, policies, configuration)
