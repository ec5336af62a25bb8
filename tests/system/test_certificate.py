#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Certificates that sign nothing here, and revocation that cannot be told: each
document is signed rightly, by a certificate that is wrong."""

import os
import signal

import forge
import lib
import pki
from forge import signer
from pki import DAY, MINUTE

market = None
pla = None

EXPIRED, REVOKED, UNKNOWN = ["CERT_EXPIRED"], ["CERT_REVOKED"], ["CERT_REVOCATION_UNKNOWN"]
UNTRUSTED, USAGE, NOT_ENROLLED = ["CERT_UNTRUSTED"], ["CERT_USAGE"], ["CERT_NOT_ENROLLED"]


def by(name, also=(), **kw):
    """A report signed with a certificate that is issued for it."""
    key, cert = pki.issue(market, name, **kw)
    return pla.forged(signer(forge.load_cert(cert), also), forge.load_key(key))


def validity():
    """expired, not yet valid"""
    pla.judge([
        ("expired a minute ago", by("EXPIRED", not_after=pki.now() - MINUTE), EXPIRED),
        ("expired long ago", by("LONGAGO", not_before=pki.now() - 700 * DAY, not_after=pki.now() - 365 * DAY), EXPIRED),
        ("valid from tomorrow", by("EARLY", not_before=pki.now() + DAY), EXPIRED),
        ("signed when it was still valid, received later",
         by("LATE", not_before=pki.now() - DAY, not_after=pki.now() - 2 * MINUTE), EXPIRED),
    ])


def chain():
    """certificates that lead nowhere, or by a way that is none"""
    other = pki.issue_ca(market, "OTHERCA")
    impostor = (other[0], pki.authority(market)[1])
    sub = pki.issue_ca(market, "SUBSUBCA", pki.authority(market))
    deep = pki.issue_ca(market, "DEEPCA", sub)
    no_ca = pki.issue(market, "NOCA", key_usage=("key_cert_sign", "content_commitment"))
    no_ca = (forge.load_key(no_ca[0]), forge.load_cert(no_ca[1]))
    assert pki.authority(market)[1].extensions.get_extension_for_class(
        forge.x509.BasicConstraints).value.path_length == 0, "the market's sub-CA may issue no authorities"
    pla.judge([
        ("of another CA", by("FOREIGN", issuer=other), UNTRUSTED),
        ("of another CA, which comes with it", by("FOREIGN2", also=[other[1]], issuer=other), UNTRUSTED),
        ("of a CA that bears our CA's name", by("IMPOSTOR", issuer=impostor), UNTRUSTED),
        ("self-signed", by("SELF", issuer="self"), UNTRUSTED),
        ("self-signed under a user's name", by("PLA001", issuer="self"), UNTRUSTED),
        ("path too long: an authority below one that may have none", by("DEEP", also=[sub[1]], issuer=sub), UNTRUSTED),
        ("longer still", by("DEEPER", also=[sub[1], deep[1]], issuer=deep), UNTRUSTED),
        ("issued by a user's certificate", by("CHILD", also=[no_ca[1]], issuer=no_ca), UNTRUSTED),
        ("a critical unknown extension", by("CRITICAL", extra=[(pki.unknown_extension(), True)]), UNTRUSTED),
        ("the same, not critical: only not enrolled", by("HARMLESS", extra=[(pki.unknown_extension(), False)]), NOT_ENROLLED),
    ])


def purposes():
    """a CA as the signer, and key usages that do not vouch for a document"""
    subca, root = pki.authority(market), pki.authority(market, "root")
    pla.judge([
        ("the sub-CA itself", pla.forged(signer(subca[1]), subca[0]), USAGE),
        ("the root itself", pla.forged(signer(root[1]), root[0]), USAGE),
        ("an authority's certificate with nonRepudiation", by("CASIGNER", ca=True, path_length=0, key_usage=(
            "key_cert_sign", "content_commitment"), issuer=root), USAGE),
        ("digitalSignature alone", by("NONR", key_usage=("digital_signature",)), USAGE),
        ("keyEncipherment alone", by("ENCIPHER", key_usage=("key_encipherment",)), USAGE),
        ("no key usage", by("NOUSAGE", key_usage=None), USAGE),
        ("nonRepudiation alone: only not enrolled", by("NRALONE", key_usage=("content_commitment",)), NOT_ENROLLED),
    ])


def whose():
    """good certificates that are not this user's"""
    plb = forge.Forge(market, "PLB001")
    pla.judge([
        ("nobody's", by("STRANGER"), NOT_ENROLLED),
        ("another's of the same name", by("PLA001"), NOT_ENROLLED),
        ("another member's", market.sign(pla.text(), "PLB001"), ["NOT_AUTHORISED"]),
        ("another member's, sent by that one's name", market.sign(plb.text(), "PLB001"), ["NOT_AUTHORISED"]),
        ("a custodian's", market.sign(pla.text(), "CUA001"), ["NOT_AUTHORISED"]),
        ("the gateway's own", market.sign(pla.text(), key=f"{market.pki}/gateway.key", cert=f"{market.pki}/gateway.pem"),
         NOT_ENROLLED),
        ("another user's of the same member", market.sign(pla.text(), "PLA900"), ["NOT_AUTHORISED"]),
    ])
    key, cert = pki.issue(market, "PLA002")
    market.muhur("user", "add", "PLA002", "--cert", cert)
    market.muhur("user", "suspend", "PLA002")
    pla.judge([("a suspended user's", market.sign(pla.text(), key=key, cert=cert), NOT_ENROLLED)])


def revoked():
    """a certificate on the list: CERT_REVOKED; the others go on"""
    key, cert = pki.issue(market, "REVOKED")
    document = pla.forged(signer(forge.load_cert(cert)), forge.load_key(key))
    lists = pki.crls(market)
    sub = pki.common_name(pki.authority(market)[1])
    with pki.with_crls(market, [pki.revoke(market, cert), *(v for k, v in lists.items() if k != sub)]):
        pla.judge([("revoked", document, REVOKED)])
    pla.judge([("the same bytes once it is off the list: judged anew", document, NOT_ENROLLED)])


def unknown_revocation():
    """stale, missing, another's, damaged lists: CERT_REVOCATION_UNKNOWN for all, until there is a good one"""
    sub, root, other = pki.authority(market), pki.authority(market, "root"), pki.issue_ca(market, "LISTCA")
    good = pki.crls(market)
    mine, roots = good[pki.common_name(sub[1])], good[pki.common_name(root[1])]
    stale = pki.crl(sub, 90, last_update=pki.now() - 3 * DAY, next_update=pki.now() - MINUTE)
    early = pki.crl(sub, 91, last_update=pki.now() + DAY, next_update=pki.now() + 3 * DAY)
    forged = pki.crl((other[0], sub[1]), 92)
    damaged = bytearray(forge.x509.load_pem_x509_crl(mine).public_bytes(forge.serialization.Encoding.DER))
    damaged[-1] ^= 1
    damaged = forge.x509.load_der_x509_crl(bytes(damaged)).public_bytes(forge.serialization.Encoding.PEM)
    for what, lists in (("stale", [stale, roots]), ("not yet in force", [early, roots]), ("none of the sub-CA", [roots]),
                        ("none of the root", [mine]), ("of another issuer", [pki.crl(other, 1), roots]),
                        ("another's under the sub-CA's name", [forged, roots]), ("with a changed byte", [damaged, roots]),
                        ("stale of the root", [mine, pki.crl(root, 93, last_update=pki.now() - 3 * DAY,
                                                             next_update=pki.now() - MINUTE)])):
        with pki.with_crls(market, lists):
            name = market.send(pla.signed())
            _, notice = market.answer(name)
            assert notice.codes == UNKNOWN, (what, notice.codes)
    document = pla.signed()
    with pki.with_crls(market, [stale, roots]):
        assert market.exchange(document) == ("rejected", UNKNOWN)
    assert market.exchange(document) == ("accepted", []), "the same bytes are judged anew"


def swapped():
    """a list that is written in place, or is none: documents wait, with an alarm, until there is a good one"""
    path = f"{market.pki}/crl.pem"
    with open(path, "rb") as f:
        good = f.read()

    def write(data):
        with open(path, "wb") as f:
            f.write(data)
        os.kill(market.muhurd_pid, signal.SIGHUP)

    for what, data in (("empty", b""), ("cut off", good[:200])):
        since = market.log_size()
        document = pla.signed()
        write(data)
        try:
            lib.wait_for("an alarm", lambda: "alarm: verify does not come up" in market.log(since))
            name = market.send(document)
            assert market.sql(f"SELECT DISTINCT state FROM muhur.submission WHERE file_name = '{name}'") in \
                ([], [["received"]]), what
            market.set_conf("document_timeout", 1)	# for the command: muhurd has read it
            lib.wait_for("status tells of it", lambda: any(a.startswith("no verdict has been given for ")
                         for a in market.json("status", ok=(0, 1))[0]["attention"]))
        finally:
            market.set_conf("document_timeout", 60)
            write(good)
        assert market.answer(name)[1].codes == [], what
    pla.judge([])


def missing_file():
    """no revocation list at all: the gateway does not start, and says why"""
    market.stop()
    path = f"{market.pki}/crl.pem"
    os.rename(path, path + ".away")
    try:
        since = market.log_size()
        p = lib.run(lib.MARKET, "start", market.dir, ok=None, timeout=lib.LIMIT)
        assert p.returncode != 0 and "crl" in market.log(since).lower(), market.log(since)
    finally:
        os.rename(path + ".away", path)
        market.start()
    pla.judge([])


if __name__ == "__main__":
    with lib.Market() as market:
        pla = forge.Forge(market)
        lib.main(validity, chain, purposes, whose, revoked, unknown_revocation, swapped, missing_file)
