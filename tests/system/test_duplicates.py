#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The same bytes, the same MessageId, and corrections: each sentence that doc/members
says about sending again."""

import datetime

import paramiko

import forge
import lib
import pki

market = None
pla = plb = None

ACCEPTED, DUPLICATE, UNKNOWN = ("accepted", []), ("rejected", ["DUPLICATE"]), ("rejected", ["REFERENCE_UNKNOWN"])


def outcome(name):
    """The state of the last submission of that name, once it is decided."""
    row = lib.wait_for(f"{name} is decided", lambda: market.sql(
        "SELECT state FROM muhur.submission WHERE no = (SELECT max(no) FROM muhur.submission"
        f" WHERE file_name = '{name}') AND state <> 'received'"))
    return row[0][0]


def repeated(data, user="PLA001"):
    """Sent again, the bytes are known; nothing is added to the records."""
    before = market.records()
    assert outcome(market.send(data, user)) == "repeated"
    assert market.records() == before


def same_bytes():
    """the same bytes again: no new submission, the first one's notices again"""
    document = pla.signed()
    name = market.send(document)
    received, accepted = market.answer(name)
    rows = "SELECT count(*) FROM muhur.submission WHERE state = 'accepted'"
    count = market.sql(rows)
    repeated(document)
    repeated(document)
    assert market.sql(rows) == count
    again = market.answer(name)
    assert [n.name for n in again] == [received.name, accepted.name] and again[1].data == accepted.data
    assert len([n for n in market.outbox("PLA001") if n.startswith(accepted.name.split(".")[0])]) == 2


def same_bytes_refused():
    """bytes refused for what they say are known again; their MessageId is taken"""
    for fault in (dict(totals={"4H95J0R2X": "1.6"}), dict(date="9999-12-31"), dict(replaces="NEVER-SEEN")):
        ident = f"REF-{market.seq}"
        document = pla.signed(message_id=ident, **fault)
        name = market.send(document)
        _, notice = market.answer(name)
        assert notice.name.endswith(".rejected.xml")
        repeated(document)
        assert market.answer(name)[1].data == notice.data
        assert market.exchange(pla.signed(message_id=ident)) == DUPLICATE, fault
        assert market.exchange(pla.signed()) == ACCEPTED, "the same under a new MessageId"


def same_id():
    """the same MessageId with other bytes: DUPLICATE, for ever"""
    document = pla.signed(message_id="ID-1")
    assert market.exchange(document) == ACCEPTED
    other = pla.signed(message_id="ID-1")
    assert market.exchange(other) == DUPLICATE
    repeated(other)
    assert market.exchange(pla.signed(message_id="ID-1", date=lib.last_closed_day() - datetime.timedelta(days=1))) == DUPLICATE
    assert market.exchange(pla.signed(message_id="id-1")) == ACCEPTED, "letters' case counts"
    repeated(document)


def nothing_reserved():
    """what was refused for its XML, signature, certificate or sender reserves nothing, neither bytes nor MessageId"""
    ident = "FREE-1"
    document = pla.signed(message_id=ident)
    key, cert = pki.issue(market, "NOBODY")
    for data, codes in (
            (document[:-20], ["XML_MALFORMED"]),
            (document.replace(b'Qty="1.5"', b'Qty="2.5"', 1), ["SIG_DIGEST"]),
            (forge.parts(document)[0], ["SIG_MISSING"]),
            (market.sign(pla.text(message_id=ident), key=key, cert=cert), ["CERT_NOT_ENROLLED"]),
            (market.sign(pla.text(message_id=ident), "PLB001"), ["NOT_AUTHORISED"]),
            (pla.signed(message_id=ident, sender="PLB"), ["NOT_AUTHORISED"])):
        assert market.exchange(data) == ("rejected", codes)
        assert market.exchange(data) == ("rejected", codes), "the same bytes, judged anew"
    # a header that the schema refuses is nobody's word: the bytes count, no MessageId is known
    broken = pla.signed(pla.text(message_id=ident).replace("<RecordCount>1", "<RecordCount>01"))
    assert market.exchange(broken) == ("rejected", ["SCHEMA_INVALID"])
    repeated(broken)
    assert market.exchange(document) == ACCEPTED
    broken = pla.signed(pla.text(message_id="FREE-2").replace('Qty="1.5"/>\n', 'Qty="1.5" X=""/>\n'))
    assert market.exchange(broken) == ("rejected", ["SCHEMA_INVALID"])
    assert market.exchange(pla.signed(message_id="FREE-2")) == DUPLICATE, "its header was right"


def judged_anew():
    """bytes refused with CERT_*, NOT_AUTHORISED or MEMBER_SUSPENDED are judged anew"""
    document = pla.signed()
    market.muhur("user", "suspend", "PLA001")
    try:
        try:
            market.send(document)
            raise AssertionError("a suspended user came in")
        except paramiko.AuthenticationException:
            pass
        assert market.exchange(document, "PLA900") == ("rejected", ["CERT_NOT_ENROLLED"])
    finally:
        market.muhur("user", "resume", "PLA001")
    assert market.exchange(document, "PLA900") == ACCEPTED, "sent by another user of the member, signed by its user"
    document = pla.signed()
    right = ["PLA001", "--type", "BalanceReport", "--step", "entry"]
    market.muhur("user", "withdraw", *right)
    try:
        assert market.exchange(document) == ("rejected", ["NOT_AUTHORISED"])
        assert market.exchange(document) == ("rejected", ["NOT_AUTHORISED"]), "judged again, and answered again"
    finally:
        market.muhur("user", "grant", *right)
    assert market.exchange(document) == ACCEPTED


def others():
    """MessageIds count per member; another member's bytes are not one's own"""
    document = pla.signed(message_id="SHARED-1")
    assert market.exchange(document) == ACCEPTED
    assert market.exchange(plb.signed(message_id="SHARED-1"), "PLB001") == ACCEPTED
    for _ in range(2):
        assert market.exchange(document, "PLB001") == ("rejected", ["NOT_AUTHORISED"])
    assert market.exchange(plb.signed(), "PLB001") == ACCEPTED
    repeated(document)


def corrections():
    """a correction replaces what is in effect, of the same member, type and day, once"""
    first = pla.signed(message_id="COR-0")
    assert market.exchange(first) == ACCEPTED
    assert market.exchange(plb.signed(message_id="COR-B"), "PLB001") == ACCEPTED
    assert market.exchange(pla.signed(message_id="COR-BAD", totals={"4H95J0R2X": "9"}))[0] == "rejected"
    earlier = lib.last_closed_day() - datetime.timedelta(days=1)
    for what, kw in (("never seen", dict(replaces="NEVER-SEEN")), ("another member's", dict(replaces="COR-B")),
                     ("a refused one", dict(replaces="COR-BAD")), ("itself", dict(replaces="COR-ME", message_id="COR-ME")),
                     ("of another day", dict(replaces="COR-0", date=earlier))):
        assert market.exchange(pla.signed(**kw)) == UNKNOWN, what
    before = market.records()
    assert market.exchange(pla.signed(message_id="COR-1", replaces="COR-0")) == ACCEPTED
    assert market.records() == before + 1, "the replaced one stays readable"
    assert market.sql("SELECT message_id, state FROM muhur.submission WHERE message_id IN ('COR-0', 'COR-1') ORDER BY 1") == \
        [["COR-0", "replaced"], ["COR-1", "accepted"]]
    assert market.exchange(pla.signed(replaces="COR-0")) == UNKNOWN, "what is replaced cannot be replaced again"
    assert market.exchange(pla.signed(replaces="COR-1")) == ACCEPTED
    assert market.exchange(pla.signed(message_id="COR-0")) == DUPLICATE, "its MessageId stays taken"
    repeated(first)


if __name__ == "__main__":
    with lib.Market() as market:
        pla, plb = forge.Forge(market), forge.Forge(market, "PLB001")
        lib.main(same_bytes, same_bytes_refused, same_id, nothing_reserved, judged_anew, others, corrections)
