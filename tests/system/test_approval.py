#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Entry and approval [giriş, onay]: what waits, who may put it into effect or
take it back, and what becomes of it at the cut-off."""

import base64
import contextlib
import datetime
import hashlib
import shutil
import subprocess

import forge
import lib
import pki

market = None
pla = None

ACCEPTED, WAITING = "accepted", "waiting"
REFERENCE, DENIED = ("rejected", ["REFERENCE_UNKNOWN"]), ("rejected", ["NOT_AUTHORISED"])
RIGHT = ["--type", "BalanceReport"]


def state(message_id, member="PLA"):
    rows = market.sql(f"SELECT state FROM muhur.submission WHERE message_id = '{message_id}' AND member_code = '{member}'"
                      " AND reserves_id")
    return rows[0][0] if rows else None


def enter(message_id, user="PLA001", **kw):
    """An entry that waits; returns its bytes."""
    document = market.sign(market.balance_report(user=user, message_id=message_id, **kw), user)
    name = market.send(document, user)
    lib.wait_for("it waits", lambda: state(message_id) == WAITING)
    lib.wait_for("the notices", lambda: [["received"], ["waiting"]] == market.sql(
        "SELECT n.level FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
        f" WHERE s.file_name = '{name}' AND n.published_at IS NOT NULL ORDER BY 1"))
    return document


def decide(kind, user, message_id, document, uploader=None, **kw):
    """An Approval or Cancellation by the user; its own decision."""
    sha256 = document if isinstance(document, str) else hashlib.sha256(document).hexdigest()
    data = market.sign(market.decision(kind, user, message_id, sha256, **kw), user)
    return market.exchange(data, uploader or user)


def counted():
    """The records that are in effect."""
    return int(market.sql("SELECT count(*) FROM muhur.balance b JOIN muhur.submission s ON s.no = b.submission"
                          " WHERE s.state = 'accepted'")[0][0])


@contextlib.contextmanager
def held_lock(member, sql):
    """The statement is carried out under the member's lock before, and committed after, what is within."""
    with subprocess.Popen([lib.MARKET, "psql", market.dir, "-Atq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        print(f"BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('muhur.member:{member}', 0)); {sql}; \\echo ready",
              file=psql.stdin, flush=True)
        while psql.stdout.readline().strip() != "ready":
            assert psql.poll() is None
        yield
        print("COMMIT;", file=psql.stdin)


def new_certificate(key, cert):
    """PLA001 signs with this one from now on."""
    for path, name in ((key, "PLA001.key"), (cert, "PLA001.pem")):
        shutil.copy(path, f"{market.pki}/{name}")
    pla.key, pla.cert = forge.load_key(key), forge.load_cert(cert)


def one_person():
    """who holds both rights, and may do both, needs no approval"""
    assert market.exchange(pla.signed()) == (ACCEPTED, [])


def entry_only():
    """a user with the right to enter alone: it waits until one with the other right approves"""
    market.muhur("user", "withdraw", "PLA001", *RIGHT, "--step", "approval")
    before = counted()
    document = enter("E-1")
    assert counted() == before, "in effect before its approval"
    assert decide("Approval", "PLA001", "E-1", document) == DENIED, "without the right to approve"
    assert state("E-1") == WAITING
    assert decide("Approval", "PLA900", "E-1", document, uploader="PLA001") == (ACCEPTED, [])
    assert state("E-1") == ACCEPTED and counted() == before + 1
    assert [["PLA900"]] == market.sql("SELECT e.actor FROM muhur.event e JOIN muhur.submission s ON s.no = e.submission"
                                      " WHERE s.message_id = 'E-1' AND e.kind = 'accepted'"), "who approved it"
    notice = lib.wait_for("its own notice", lambda: [n for n in market.outbox("PLA001") if n == market.sql(
        "SELECT s.id || '.accepted.xml' FROM muhur.submission s WHERE message_id = 'E-1'")[0][0]])[0]
    assert market.verify_xmlsec(market.get("PLA001", f"/outbox/{notice}").data).returncode == 0
    market.muhur("user", "grant", "PLA001", *RIGHT, "--step", "approval")


def own_entry():
    """one's own entry: with both rights, and only where the member allows one person to do both"""
    market.muhur("user", "withdraw", "PLA001", *RIGHT, "--step", "approval")
    document = enter("OWN-1")
    market.muhur("user", "grant", "PLA001", *RIGHT, "--step", "approval")
    assert decide("Approval", "PLA001", "OWN-1", document) == (ACCEPTED, [])
    market.muhur("member", "dual-control", "PLA", "on")
    document = enter("OWN-2")
    assert market.json("member", "show", "PLA")[0]["twoPersonsFor"] == "all"
    assert "1 for an approval" in market.muhur("status", ok=(0, 1)).stdout
    assert decide("Approval", "PLA001", "OWN-2", document) == DENIED
    assert decide("Approval", "PLA900", "OWN-2", document) == (ACCEPTED, [])
    market.muhur("member", "dual-control", "PLA", "off")
    market.muhur("member", "dual-control", "PLA", "on", "--type", "CustodyReport")
    assert market.json("member", "show", "PLA")[0]["twoPersonsFor"] == "CustodyReport"
    again = market.muhur("member", "dual-control", "PLA", "on", "--type", "CustodyReport", ok=(1,))
    assert "there already" in again.stderr
    assert "is no member" in market.muhur("member", "dual-control", "XYZ", "on", ok=(1,)).stderr
    assert market.exchange(pla.signed()) == (ACCEPTED, []), "two persons are asked for another type"
    market.muhur("member", "dual-control", "PLA", "off", "--type", "CustodyReport")


def wrong_target():
    """approval of changed bytes, of what is unknown, cancelled or approved already, twice: REFERENCE_UNKNOWN"""
    market.muhur("member", "dual-control", "PLA", "on")
    document = enter("T-1")
    other = enter("T-2")
    assert decide("Approval", "PLA900", "T-1", "0" * 64) == REFERENCE, "bytes that are not its own"
    assert decide("Approval", "PLA900", "T-1", other) == REFERENCE, "another one's bytes"
    assert decide("Approval", "PLA900", "NEVER-SEEN", document) == REFERENCE
    earlier = lib.last_closed_day() - datetime.timedelta(days=1)
    assert decide("Approval", "PLA900", "T-1", document, date=earlier) == REFERENCE, "of another day"
    assert state("T-1") == WAITING
    assert market.exchange(market.sign(market.decision("Approval", "PLB900", "T-1", hashlib.sha256(
        document).hexdigest()), "PLB900"), "PLB900") == REFERENCE, "another member's"
    assert decide("Approval", "PLA900", "T-1", document) == (ACCEPTED, [])
    assert decide("Approval", "PLA900", "T-1", document) == REFERENCE, "twice"
    assert decide("Cancellation", "PLA900", "T-1", document) == REFERENCE, "cancelled after its approval"
    assert state("T-1") == ACCEPTED
    assert decide("Cancellation", "PLA001", "T-2", other) == (ACCEPTED, []), "by who entered it"
    assert state("T-2") == "cancelled"
    assert decide("Approval", "PLA900", "T-2", other) == REFERENCE, "what was cancelled"
    assert market.exchange(pla.signed(message_id="T-2")) == ("rejected", ["DUPLICATE"]), "its MessageId stays taken"
    market.muhur("member", "dual-control", "PLA", "off")


def between():
    """a right withdrawn, a certificate added, a member suspended between entry and approval"""
    market.muhur("member", "dual-control", "PLA", "on")
    document = enter("B-1")
    market.muhur("user", "withdraw", "PLA001", *RIGHT, "--step", "entry")
    assert decide("Approval", "PLA900", "B-1", document) == DENIED, "who entered it may not any more"
    market.muhur("user", "grant", "PLA001", *RIGHT, "--step", "entry")
    market.muhur("user", "withdraw", "PLA900", *RIGHT, "--step", "approval")
    assert decide("Approval", "PLA900", "B-1", document) == DENIED
    market.muhur("user", "grant", "PLA900", *RIGHT, "--step", "approval")
    assert state("B-1") == WAITING
    market.muhur("user", "suspend", "PLA001")
    assert decide("Approval", "PLA900", "B-1", document) == DENIED, "who entered it is suspended"
    market.muhur("user", "resume", "PLA001")
    key, cert = pki.issue(market, "PLA001X")
    old = hashlib.sha256(base64.b64decode(forge.der64(pla.cert))).hexdigest()
    market.muhur("user", "cert", "replace", "PLA001", "--cert", cert)
    market.muhur("user", "cert", "withdraw", "PLA001", old)
    assert market.exchange(market.sign(market.balance_report()), "PLA900") == ("rejected", ["CERT_NOT_ENROLLED"])
    assert decide("Approval", "PLA900", "B-1", document) == (ACCEPTED, []), "what was signed by the old certificate"
    new_certificate(key, cert)
    document = enter("B-2")
    market.muhur("member", "suspend", "PLA")
    try:
        decide("Approval", "PLA900", "B-2", document)
        raise AssertionError("a suspended member could approve")
    except OSError:
        assert state("B-2") == WAITING
    market.muhur("member", "resume", "PLA")
    assert decide("Approval", "PLA900", "B-2", document) == (ACCEPTED, [])
    market.muhur("member", "dual-control", "PLA", "off")


def corrections():
    """a correction waits too; what it corrects stays in effect until it is approved, and only one wins"""
    assert market.exchange(pla.signed(message_id="C-0")) == (ACCEPTED, [])
    market.muhur("member", "dual-control", "PLA", "on")
    one, two = enter("C-1", replaces="C-0"), enter("C-2", replaces="C-0")
    assert state("C-0") == ACCEPTED
    assert decide("Approval", "PLA900", "C-1", one) == (ACCEPTED, [])
    assert (state("C-0"), state("C-1")) == ("replaced", ACCEPTED)
    approval = market.sql("SELECT a.message_id FROM muhur.submission a, muhur.submission t WHERE a.no = t.approved_by"
                          " AND t.message_id = 'C-1'")[0][0]
    three = enter("C-3")
    assert decide("Approval", "PLA900", "C-3", three, replaces=approval) == REFERENCE, "an approval is not corrected"
    assert (state(approval), state("C-3")) == (ACCEPTED, WAITING)
    assert decide("Cancellation", "PLA900", "C-3", three) == (ACCEPTED, [])
    assert decide("Approval", "PLA900", "C-2", two) == REFERENCE, "what it corrects is not in effect any more"
    assert decide("Cancellation", "PLA900", "C-2", two) == (ACCEPTED, [])
    market.muhur("member", "dual-control", "PLA", "off")
    assert market.exchange(market.sign(market.balance_report(user="PLB001", replaces="C-1"), "PLB001"), "PLB001") == REFERENCE


def acting():
    """another member's user acts for it, for the named type and time; both read the answers"""
    def sent(uploader="PLB001", signer="PLB001", **kw):
        return market.exchange(market.sign(market.balance_report(user="PLB001", sender="PLA", **kw), signer), uploader)
    assert sent() == DENIED
    market.muhur("user", "grant", "PLB001", *RIGHT, "--for", "PLA")
    assert sent(message_id="ACT-1") == (ACCEPTED, [])
    assert state("ACT-1") == ACCEPTED
    ident = market.sql("SELECT id FROM muhur.submission WHERE message_id = 'ACT-1'")[0][0]
    for user in ("PLA001", "PLB001"):
        assert f"{ident}.accepted.xml" in market.outbox(user), user
    assert sent("PLA001") == (ACCEPTED, []), "sent by the member itself, signed by the other's user"
    assert sent("CUA001") == DENIED, "sent by a third"
    assert sent(message_id="ACT-1") == ("rejected", ["DUPLICATE"]), "MessageIds are the sender's"
    assert market.exchange(market.sign(market.balance_report(user="PLB001", message_id="ACT-1"), "PLB001"), "PLB001") == \
        (ACCEPTED, []), "and not the other's"
    market.muhur("member", "suspend", "PLA")
    assert sent() == ("rejected", ["MEMBER_SUSPENDED"])
    market.muhur("member", "resume", "PLA")
    market.muhur("member", "suspend", "PLB")
    assert sent("PLA001") == ("rejected", ["MEMBER_SUSPENDED"]), "a certificate of a suspended member"
    market.muhur("member", "resume", "PLB")
    market.muhur("user", "withdraw", "PLB001", *RIGHT, "--for", "PLA")
    assert sent() == DENIED


def roles():
    """a role is a group of rights; what it gains and loses, its users gain and lose"""
    key, cert = pki.issue(market, "PLA003")
    market.muhur("user", "add", "PLA003", "--cert", cert)
    market.only_right("PLA003")
    market.muhur("user", "withdraw", "PLA003", *RIGHT)

    def sent():
        return market.exchange(market.sign(market.balance_report(user="PLA003"), key=key, cert=cert))
    assert sent() == DENIED
    market.muhur("role", "add", "reporter")
    market.muhur("user", "grant", "PLA003", "--role", "reporter")
    assert sent() == DENIED, "an empty role"
    market.muhur("role", "grant", "reporter", *RIGHT)
    assert sent() == (ACCEPTED, [])
    market.muhur("role", "withdraw", "reporter", *RIGHT)
    assert sent() == DENIED
    market.muhur("role", "grant", "reporter", *RIGHT)
    assert sent() == (ACCEPTED, [])
    market.muhur("user", "withdraw", "PLA003", "--role", "reporter")
    assert sent() == DENIED
    rows = [r for r in market.json("user", "list", "--history") if r["user"] == "PLA003"]
    assert [(r["messageType"], r["step"], r.get("role")) for r in rows].count(("BalanceReport", "entry", "reporter")) == 2
    assert all(r["to"] for r in rows), "every one has ended, and is still told"


def effective_dates():
    """a right begins and ends when it says"""
    now = datetime.datetime.now(datetime.timezone.utc)

    def at(hours):
        return (now + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    key, cert = pki.issue(market, "PLA004")
    market.muhur("user", "add", "PLA004", "--cert", cert)
    market.muhur("user", "withdraw", "PLA004", *RIGHT)

    def sent():
        return market.exchange(market.sign(market.balance_report(user="PLA004"), key=key, cert=cert))
    market.muhur("user", "grant", "PLA004", *RIGHT, "--from", at(1))
    assert sent() == DENIED, "not yet"
    market.muhur("user", "withdraw", "PLA004", *RIGHT)
    market.muhur("user", "withdraw", "PLA004", *RIGHT, ok=(1,))	# what never began is not held
    market.muhur("user", "grant", "PLA004", *RIGHT, "--from", at(-2), "--until", at(-1))
    assert sent() == DENIED, "not any more"
    market.muhur("user", "grant", "PLA004", *RIGHT, "--from", at(-1), "--until", at(1))
    assert sent() == (ACCEPTED, [])
    market.muhur("user", "withdraw", "PLA004", *RIGHT, "--from", at(-1), ok=(2,))	# history stays as it was
    assert sent() == (ACCEPTED, [])


def main_authority():
    """the last main authority stays; a wrong type, step, role or member is no right"""
    market.muhur("user", "suspend", "PLA900", ok=(1,))
    for bad, code in ((["--type", "Nothing"], 2), (["--type", "Approval"], 2), (["--type", "BalanceReport", "--step", "x"], 2),
                      (["--role", "nobody"], 1), ([*RIGHT, "--for", "ZZZ"], 1), ([], 2),
                      ([*RIGHT, "--from", "yesterday"], 2)):
        market.muhur("user", "grant", "PLA001", *bad, ok=(code,))
    market.muhur("user", "grant", "PLA777", *RIGHT, ok=(1,))
    market.muhur("user", "grant", "PLA001", *RIGHT, ok=(1,))		# held already
    key, cert = pki.issue(market, "PLA901")
    market.muhur("user", "add", "PLA901", "--cert", cert)
    market.muhur("user", "suspend", "PLA900")
    market.muhur("user", "suspend", "PLA901", ok=(1,))
    market.muhur("user", "resume", "PLA900")
    with held_lock("PLA", "UPDATE muhur.member_user SET state = 'suspended' WHERE code = 'PLA901'"):
        command = subprocess.Popen([f"{market.bin}/muhur", "-c", market.conf, "user", "suspend", "PLA900"],
                                   stderr=subprocess.DEVNULL)
        lib.wait_for("it waits for the other one", lambda: command.poll() is not None or market.sql(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    assert command.wait() == 1, "both were suspended at the same moment"
    market.muhur("user", "resume", "PLA901")


def expires():
    """what waits is dropped at the cut-off with a notice, and cannot be approved any more"""
    market.muhur("member", "dual-control", "PLA", "on")
    document = enter("X-1")
    market.stop()
    market.set_conf("clock_offset", 24 * 3600)		# past the next cut-off, whatever time it is
    market.start()
    lib.wait_for("it is dropped", lambda: state("X-1") == "cancelled")
    ident = market.sql("SELECT id FROM muhur.submission WHERE message_id = 'X-1'")[0][0]
    lib.wait_for("its notice", lambda: f"{ident}.rejected.xml" in market.outbox("PLA001"))
    notice = market.get("PLA001", f"/outbox/{ident}.rejected.xml")
    assert notice.codes == ["BUSINESS_DATE"] and market.verify_xmlsec(notice.data).returncode == 0
    day = market.sql("SELECT business_date FROM muhur.submission WHERE message_id = 'X-1'")[0][0]
    assert decide("Approval", "PLA900", "X-1", document, date=day) == REFERENCE


if __name__ == "__main__":
    with lib.Market() as market:
        market.only_right("PLA001")
        pla = forge.Forge(market)
        lib.main(one_person, entry_only, own_entry, wrong_target, between, corrections, acting, roles, effective_dates,
                 main_authority, expires)
