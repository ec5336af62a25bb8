#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Certificates that end soon: signed warnings 30, 7 and 1 days before, once
each, as the gateway's clock goes on."""

import os

import lib
import pki
from pki import DAY

market = None
probes = []


def issue(user, name=None, days=60):
    _, path = pki.issue(market, name or user, not_after=pki.now() + days * DAY)
    return path


def at_day(day):
    """The gateway, so many days on.  It has looked at that day's certificates when it has warned of a certificate
    enrolled for that, which ends within hours: what a look finds is written at once.  That warning is returned."""
    market.stop()
    market.set_conf("clock_offset", int(day * 86400))
    probe = f"SPK{100 + len(probes):03d}"
    probes.append(probe)
    market.muhur("user", "add", probe, "--cert", issue(probe, days=day + 0.5))
    market.start()
    return "SPK", probe, 1


def warnings():
    """[(recipient, user, days)] that were signed and stand in an outbox"""
    rows = market.sql("SELECT n.recipient, c.user_code, w.days FROM muhur.notice n JOIN muhur.certificate_warning w"
                      " ON w.notice = n.no JOIN muhur.certificate c ON c.sha256 = w.certificate"
                      " WHERE n.published_at IS NOT NULL ORDER BY n.no")
    return [(r, u, int(d)) for r, u, d in rows]


def settled(want):
    lib.wait_for(f"the warnings {want}", lambda: sorted(warnings()) == sorted(want))
    assert len(want) == int(market.sql("SELECT count(*) FROM muhur.notice WHERE kind = 'CertificateExpiryNotice'")[0][0])


def each_once():
    """30, 7 and 1 days before, to the user's member, once each whatever happens between"""
    market.muhur("user", "add", "PLB002", "--cert", issue("PLB002", days=60))
    market.muhur("user", "add", "CUA002", "--cert", issue("CUA002", days=35))
    want = []
    for day, new in ((1, []), (4, []), (6, [("CUA", "CUA002", 30)]), (20, []), (29, [("CUA", "CUA002", 7)]),
                     (31, [("PLB", "PLB002", 30)]), (31, []), (34.5, [("CUA", "CUA002", 1)]), (36, []),
                     (59.5, [("PLB", "PLB002", 1)])):
        want += [at_day(day), *new]
        settled(want)


def sealed():
    """a warning is signed, valid under its schema, and says which certificate and when"""
    rows = market.sql("SELECT n.id FROM muhur.notice n JOIN muhur.certificate_warning w ON w.notice = n.no"
                      " WHERE n.recipient = 'CUA' AND w.days = 30")
    path = os.path.join(market.dir, "notice.xml")
    market.muhur("notice", "get", rows[0][0], path)
    with open(path, "rb") as f:
        notice = lib.Notice("30 days", f.read())
    assert market.verify_xmlsec(notice.data).returncode == 0
    lib.run("xmllint", "--nonet", "--noout", "--schema",
            os.path.join(lib.TOP, "schemas", "xml", "certificate-expiry-notice-1.xsd"), path)
    cert, = notice.all("Certificate")
    row, = [c for c in market.json("user", "cert", "list", "CUA002")]
    assert (cert.get("User"), cert.get("SHA256"), cert.get("Days")) == ("CUA002", row["certificate"], "30")
    assert row["validUntil"].startswith(cert.get("NotAfter")[:-1]) and cert.get("Serial") == row["serial"]
    assert cert.get("Subject") == row["subject"] and cert.get("Issuer") == row["issuer"]
    assert notice.text("NoticeHeader/RecipientMemberCode") == "CUA"


def not_needed():
    """none of one that was replaced, withdrawn or revoked, nor of what has ended; the nearest one alone after a pause"""
    market.set_conf("clock_offset", 0)  # of the command; the gateway's clock is past all of these
    for user in ("PLA020", "PLA021", "PLA022", "PLA023", "PLA024"):
        market.muhur("user", "add", user, "--cert", issue(user, days=40 if user != "PLA024" else 3))
    fingerprint = {c["user"]: c["certificate"] for c in market.json("user", "cert", "list")}
    market.muhur("user", "cert", "replace", "PLA020", "--cert", issue("PLA020", "PLA020-2", days=400), "--until",
                 (pki.now() + 39 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))
    market.muhur("user", "cert", "withdraw", "PLA021", fingerprint["PLA021"])
    market.muhur("user", "cert", "revoke", "PLA022", fingerprint["PLA022"])
    before = warnings()
    # PLA023's 30 days have passed unwarned, and so has PLA024's end
    settled(before + [at_day(36), ("PLA", "PLA023", 7)])
    names = [n for n in market.outbox("PLA001") if n.startswith("CertificateExpiryNotice.")]
    assert len(names) == 1 and names[0].endswith("-7d.xml"), names
    market.sound()


if __name__ == "__main__":
    with lib.Market() as market:
        lib.main(each_once, sealed, not_needed)
