#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""AuthorizationChange [yetkilendirme]: what a main authority says of its member's
users, and the signed report of who may do what."""

import hashlib
import os
import re

import lib
import pki

market = None

ACCEPTED = ("accepted", [])
DENIED, UNKNOWN, INVALID = (("rejected", [c]) for c in ("NOT_AUTHORISED", "REFERENCE_UNKNOWN", "SCHEMA_INVALID"))
TYPE = {"Type": "BalanceReport"}


def change(*changes, user="PLA900", **kw):
    return market.exchange(market.sign(market.authorization(user, changes, **kw), user), user)


def grant(user, **kw):
    return {"User": user, "Action": "grant", **kw}


def withdraw(user, **kw):
    return {"User": user, "Action": "withdraw", **kw}


def sends(user="PLA001", sender=None):
    return market.exchange(market.sign(market.balance_report(user=user, sender=sender), user), user)


def reports(user="PLA900"):
    return [n for n in market.outbox(user) if n.startswith("AuthorizationReport.")]


def grants():
    """grants and withdraws; the user may and may not from then on"""
    assert change(withdraw("PLA001", **TYPE)) == ACCEPTED
    assert market.sql("SELECT count(*) FROM muhur.user_right WHERE user_code = 'PLA001' AND valid_to IS NULL") == [["0"]]
    # without any right it does not come in: another user of the member sends what it signed
    document = market.sign(market.balance_report())
    assert market.exchange(document, "PLA900") == DENIED
    assert change(grant("PLA001", **TYPE, Step="entry")) == ACCEPTED
    held = market.sql("SELECT step, granted_by FROM muhur.user_right WHERE user_code = 'PLA001' AND valid_to IS NULL")
    assert held == [["entry", "PLA900"]], held
    assert change(grant("PLA001", **TYPE)) == ACCEPTED, "what is held may be granted again"
    assert sends() == ACCEPTED
    assert market.exchange(document) == ACCEPTED, "the same bytes, judged anew"


def suspends():
    """suspends and resumes; the last main authority stays"""
    assert change({"User": "PLA001", "Action": "suspend"}) == ACCEPTED
    assert market.exchange(market.sign(market.balance_report()), "PLA900") == ("rejected", ["CERT_NOT_ENROLLED"])
    assert change({"User": "PLA001", "Action": "resume"}) == ACCEPTED
    assert sends() == ACCEPTED
    assert change({"User": "PLA900", "Action": "suspend"}) == DENIED
    assert change({"User": "PLB001", "Action": "suspend"}) == DENIED, "another member's user"
    # what the registry suspended, the member does not resume
    market.muhur("user", "suspend", "PLA001")
    assert change({"User": "PLA001", "Action": "resume"}) == DENIED
    market.muhur("user", "resume", "PLA001")
    assert sends() == ACCEPTED
    # and all of it stays told, each state until the next
    told = [h for h in market.json("user", "list", "--history") if h.get("state")]
    assert [(h["user"], h["state"], h["grantedBy"], h.get("endedBy")) for h in told] == [
        ("PLA001", "suspended", "PLA900", "PLA900"), ("PLA001", "active", "PLA900", "operator"),
        ("PLA001", "suspended", "operator", "operator"), ("PLA001", "active", "operator", None)], told
    assert all(a["to"] == b["from"] for a, b in zip(told, told[1:])), told


def not_by_everyone():
    """by an ordinary user, for another member, by another member's main authority: NOT_AUTHORISED"""
    assert change(grant("PLA001", **TYPE), user="PLA001") == DENIED
    assert change(grant("PLA001", **TYPE), user="PLB900", sender="PLA") == DENIED
    assert change(grant("PLB001", **TYPE), user="PLA900", sender="PLB") == DENIED
    market.muhur("user", "grant", "PLA001", "--type", "AuthorizationChange", ok=(2,))
    # nor by the database role that carries it out
    for actor in "PLA001", "PLB900", "operator":
        row = market.sql("BEGIN; SET LOCAL ROLE muhur_load; INSERT INTO muhur.authorization_change (business_date, submission,"
                         " member_code, record_no, line, user_code, action, message_type) SELECT '2026-01-01', max(no), 'PLA', 1,"
                         " 1, 'PLA001', 'grant', 'BalanceReport' FROM muhur.submission; SELECT a.code FROM muhur.apply_authorization("
                         f"(SELECT max(no) FROM muhur.submission), '{actor}', now()) a; ROLLBACK")
        assert ["NOT_AUTHORISED"] in row, (actor, row)


def all_or_nothing():
    """where one change cannot be, none is made, and the notice says which"""
    before = market.sql("SELECT count(*) FROM muhur.user_right")
    data = market.sign(market.authorization("PLA900", [grant("PLA900", Type="CustodyReport"), grant("PLA777", **TYPE),
                                                       withdraw("PLA001", Role="nobody")]), "PLA900")
    name = market.send(data, "PLA900")
    _, notice = market.answer(name, "PLA900")
    assert notice.codes == ["REFERENCE_UNKNOWN"]
    lines = [int(e.get("Line")) for e in notice.all("Error")]
    text = data.decode().splitlines()
    assert len(lines) == 2 and "PLA777" in text[lines[0] - 1] and "nobody" in text[lines[1] - 1], lines
    assert market.sql("SELECT count(*) FROM muhur.user_right") == before
    assert market.sql("SELECT count(*) FROM muhur.authorization_change WHERE user_code = 'PLA777'") == [["0"]]
    for wrong, want in ((withdraw("PLA001", Type="CustodyReport"), UNKNOWN), (grant("PLA001"), UNKNOWN),
                        (grant("PLA001", **TYPE, Role="x"), UNKNOWN), (grant("PLA001", Type="Nothing"), INVALID),
                        (grant("PLA001", Type="AuthorizationChange"), INVALID), (grant("PLA001", **TYPE, Step="x"), INVALID),
                        ({"User": "PLA001", "Action": "remove"}, INVALID),
                        (grant("PLA001", **TYPE, From="2026-01-02T00:00:00Z", Until="2026-01-01T00:00:00Z"), UNKNOWN),
                        (grant("PLA001", **TYPE, From="2026-01-02T00:00:00"), INVALID)):
        assert change(wrong) == want, wrong


def no_history_changed():
    """what was held until now stays told, whatever beginning a change names"""
    past, told = "2026-01-01T00:00:00Z", "SELECT no, step, valid_from FROM muhur.user_right WHERE user_code = 'PLA001' ORDER BY no"
    held = market.sql(told)
    assert change(withdraw("PLA001", **TYPE, From=past)) == ACCEPTED
    ended = market.sql("SELECT r.valid_to = s.received_at FROM muhur.user_right r, muhur.submission s WHERE r.user_code ="
                       " 'PLA001' AND s.no = (SELECT max(no) FROM muhur.submission) AND r.valid_to >= s.received_at")
    assert ended == [["t"]] * 2, "it ended when that was said, not before"
    assert change(grant("PLA001", **TYPE, From=past)) == ACCEPTED
    assert market.sql(f"SELECT count(*) FROM muhur.user_right WHERE valid_from <= '{past}'") == [["0"]]
    assert market.sql(told)[:len(held)] == held


def all_that_is_said():
    """nothing that a change says is passed over: it is done, or the change is refused"""
    market.muhur("role", "add", "clerk")
    for wrong in (grant("PLA001", Role="clerk", Step="entry"), grant("PLA001", Type="-", Step="approval"),
                  withdraw("PLA001", **TYPE, Until="2035-01-01T00:00:00Z"),
                  {"User": "PLA001", "Action": "suspend", "From": "2035-01-01T00:00:00Z"},
                  {"User": "PLA001", "Action": "resume", **TYPE}):
        assert change(wrong) == UNKNOWN, wrong
    assert market.sql("SELECT state FROM muhur.member_user WHERE code = 'PLA001'") == [["active"]]


def before_a_later_one():
    """what is granted while a later grant stands is held from now on, and after it"""
    later = "2035-01-01T00:00:00Z"
    market.muhur("role", "grant", "clerk", "--type", TYPE["Type"])
    for what in (TYPE, {"Role": "clerk"}):
        change(withdraw("PLA001", **TYPE))
        assert change(grant("PLA001", **what, From=later)) == ACCEPTED
        document = market.sign(market.balance_report())
        assert market.exchange(document, "PLA900") == DENIED, "not yet"
        assert change(grant("PLA001", **what)) == ACCEPTED
        assert market.exchange(document, "PLA900") == ACCEPTED
        assert [["t"]] == market.sql(f"SELECT muhur.may('PLA001', 'PLA', 'BalanceReport', 'entry', '{later}')")
        assert change(withdraw("PLA001", **what)) == ACCEPTED
    assert change(grant("PLA001", **TYPE)) == ACCEPTED


def stays_done():
    """a change is undone by another change, and corrected by none"""
    assert change(grant("PLA001", Type="CustodyReport"), message_id="DONE-1") == ACCEPTED
    assert change(withdraw("PLA001", Type="CustodyReport"), replaces="DONE-1") == UNKNOWN
    assert market.sql("SELECT state FROM muhur.submission WHERE message_id = 'DONE-1'") == [["accepted"]]
    assert change(withdraw("PLA001", Type="CustodyReport")) == ACCEPTED


def lets_others_act():
    """another member's user may act for it, until that is withdrawn"""
    assert sends("PLB001", "PLA") == DENIED
    before, third = reports("PLB001"), reports("CUA001")
    assert change(grant("PLB001", **TYPE)) == ACCEPTED
    new = lib.wait_for("its member is told too", lambda: sorted(set(reports("PLB001")) - set(before)))
    told = market.get("PLB001", "/outbox/" + new[0]).all("Right")
    assert ("PLB001", "PLA", "PLA900") in [(e.get("User"), e.get("Member"), e.get("By")) for e in told]
    assert len(new) == 1 and reports("CUA001") == third
    assert sends("PLB001", "PLA") == ACCEPTED
    assert change(withdraw("PLB001", **TYPE)) == ACCEPTED
    assert sends("PLB001", "PLA") == DENIED
    assert sends("PLB001") == ACCEPTED, "its own right was another one"


def reported():
    """each change, and a request, gives a signed report, the member's own, with every right in force"""
    before, others = reports(), reports("PLB001")
    assert change() == ACCEPTED
    new = lib.wait_for("the report", lambda: sorted(set(reports()) - set(before)))
    assert len(new) == 1 and reports("PLB001") == others
    notice = market.get("PLA900", "/outbox/" + new[0])
    assert market.verify_xmlsec(notice.data).returncode == 0
    path = os.path.join(market.dir, "report.xml")
    with open(path, "wb") as f:
        f.write(notice.data)
    lib.run("xmllint", "--nonet", "--noout", "--schema", os.path.join(
        lib.TOP, "schemas", "xml", "authorization-report-1.xsd"), path)
    market.muhur("verify", "--trust", f"{market.pki}/trust.pem", "--crl", f"{market.pki}/crl.pem", path)
    told = sorted((e.get("User"), e.get("Member"), e.get("Type"), e.get("Step")) for e in notice.all("Right"))
    held = sorted(tuple(r) for r in market.sql(
        "SELECT user_code, member_code, message_type, step FROM muhur.user_right WHERE valid_to IS NULL"
        " AND 'PLA' IN (member_code, left(user_code, -3))"))
    assert told == held and told, (told, held)
    assert [(e.get("Code"), e.get("MainAuthority")) for e in notice.all("User")] == [
        ("PLA001", "false"), ("PLA900", "true")]
    count = len(reports())
    market.muhur("user", "grant", "PLA001", "--type", "CustodyReport")
    lib.wait_for("a report of the registry's change", lambda: len(reports()) == count + 1)
    market.muhur("user", "withdraw", "PLA001", "--type", "CustodyReport")


def shown(message_id):
    uuid = market.sql(f"SELECT id FROM muhur.submission WHERE message_id = '{message_id}'")[0][0]
    return market.json("submission", "show", uuid)[0]


def manual():
    """the documents that the members' manual shows are valid"""
    with open(os.path.join(lib.TOP, "doc", "members.md"), encoding="utf-8") as f:
        shown = re.findall(r"```xml\n(<\?xml.*?)```", f.read(), re.S)
    assert len(shown) == 2, shown    # the others are parts, which test_messages puts into documents
    path = os.path.join(market.dir, "manual.xml")
    for document in shown:
        with open(path, "wb") as f:
            f.write(market.sign(document, "PLA900"))
        market.muhur("verify", "--trust", f"{market.pki}/trust.pem", "--schema-dir",
                     os.path.join(lib.TOP, "schemas", "xml"), path)


def by_two():
    """where two persons are asked for, a second main authority approves; what cannot be then is refused"""
    key, cert = pki.issue(market, "PLA901")
    market.muhur("user", "add", "PLA901", "--cert", cert)
    market.muhur("member", "dual-control", "PLA", "on", "--type", "AuthorizationChange")
    data = market.sign(market.authorization("PLA900", [withdraw("PLA001", **TYPE)], message_id="TWO-1"), "PLA900")
    market.send(data, "PLA900")

    def state():
        return market.sql("SELECT state FROM muhur.submission WHERE message_id = 'TWO-1'")
    lib.wait_for("it waits", lambda: state() == [["waiting"]])

    def approve(user, key, cert):
        return market.exchange(market.sign(market.decision("Approval", user, "TWO-1", hashlib.sha256(data).hexdigest()),
                                           user, key=key, cert=cert), "PLA900")
    assert approve("PLA900", None, None) == DENIED, "one's own"
    assert approve("PLA001", None, None) == DENIED, "no main authority"
    market.muhur("user", "withdraw", "PLA001", "--type", "BalanceReport")
    assert approve("PLA901", key, cert) == UNKNOWN, "it is withdrawn already"
    line = market.sql("SELECT line FROM muhur.authorization_change WHERE user_code = 'PLA001' AND submission ="
                      " (SELECT no FROM muhur.submission WHERE message_id = 'TWO-1')")[0][0]
    assert market.sql("SELECT line, path, detail FROM muhur.submission_reason r JOIN muhur.submission s"
                      " ON s.no = r.submission ORDER BY s.no DESC LIMIT 1") == [
        ["0", "Targets/Target", f"TWO-1, line {line}: PLA001 does not hold this right by itself"]]
    assert state() == [["waiting"]]
    market.muhur("user", "grant", "PLA001", "--type", "BalanceReport")
    assert approve("PLA901", key, cert) == ACCEPTED
    assert state() == [["accepted"]]
    newest = market.sql("SELECT message_id FROM muhur.submission ORDER BY no DESC LIMIT 1")[0][0]
    entry, by = shown("TWO-1"), shown(newest)
    assert (entry["decidedBy"], by["decidesAbout"]) == (by["id"], entry["id"]), (entry, by)
    assert market.sql("SELECT count(*) FROM muhur.user_right WHERE user_code = 'PLA001' AND valid_to IS NULL") == [["0"]]
    market.muhur("member", "dual-control", "PLA", "off", "--type", "AuthorizationChange")


if __name__ == "__main__":
    with lib.Market() as market:
        market.only_right("PLA001")
        lib.main(grants, suspends, not_by_everyone, all_or_nothing, no_history_changed, all_that_is_said,
                 before_a_later_one, stays_done, lets_others_act, reported, manual, by_two)
