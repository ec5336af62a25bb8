#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What is refused, and with which code; nothing of it is kept in the records,
and the member's next good submission is accepted."""

import datetime
import os
import re
import xml.etree.ElementTree as ET

import lib
import pki

market = None


def refused(data, codes, user="PLA001"):
    before = market.records()
    decision, got = market.exchange(data, user)
    assert (decision, got) == ("rejected", sorted(codes)), (decision, got)
    assert market.records() == before, "records were kept of a refused submission"
    good()


def good():
    assert market.exchange(market.sign(market.balance_report())) == ("accepted", [])


def accepted():
    """a good report is accepted, and its records are there"""
    before = market.records()
    good()
    assert market.records() == before + 1


def unsigned():
    """an unsigned report: SIG_MISSING"""
    refused(market.balance_report(), ["SIG_MISSING"])


def byte_changed():
    """one byte changed in a record: SIG_DIGEST"""
    signed = market.sign(market.balance_report())
    refused(signed.replace(b'Qty="1.5"', b'Qty="2.5"', 1), ["SIG_DIGEST"])


def value_changed():
    """one byte changed in SignatureValue: SIG_VALUE"""
    signed = market.sign(market.balance_report())
    m = re.search(rb"SignatureValue[^>]*>\s*([A-Za-z0-9+/])", signed)
    at = m.start(1)
    swap = b"B" if signed[at:at + 1] == b"A" else b"A"
    refused(signed[:at] + swap + signed[at + 1:], ["SIG_VALUE"])


def wrong_signer():
    """signed with another member's certificate: NOT_AUTHORISED"""
    refused(market.sign(market.balance_report(), "PLB001"), ["NOT_AUTHORISED"])


def wrong_sender():
    """another member named in the header: NOT_AUTHORISED"""
    refused(market.sign(market.balance_report(sender="PLB")), ["NOT_AUTHORISED"])


def wrong_type():
    """a platform sends a CustodyReport: NOT_AUTHORISED"""
    refused(market.sign(market.custody_report(user="PLA001")), ["NOT_AUTHORISED"])


def not_enrolled():
    """a certificate of the PKI that nobody enrolled: CERT_NOT_ENROLLED"""
    key, cert = pki.issue(market, "STRANGER")
    refused(market.sign(market.balance_report(), key=key, cert=cert), ["CERT_NOT_ENROLLED"])


def expired():
    """an expired certificate: CERT_EXPIRED"""
    now = datetime.datetime.now(datetime.timezone.utc)
    key, cert = pki.issue(market, "EXPIRED", not_before=now - datetime.timedelta(days=30),
                          not_after=now - datetime.timedelta(days=1))
    refused(market.sign(market.balance_report(), key=key, cert=cert), ["CERT_EXPIRED"])


def other_ca():
    """a certificate of another CA: CERT_UNTRUSTED"""
    key, cert = pki.issue(market, "FOREIGN", self_signed_ca=True)
    refused(market.sign(market.balance_report(), key=key, cert=cert), ["CERT_UNTRUSTED"])


def wrong_usage():
    """a certificate without nonRepudiation: CERT_USAGE"""
    key, cert = pki.issue(market, "NOUSAGE", non_repudiation=False)
    refused(market.sign(market.balance_report(), key=key, cert=cert), ["CERT_USAGE"])


def schema_invalid():
    """an attribute the schema does not know: SCHEMA_INVALID, with line and path"""
    xml = market.balance_report().replace('Qty="1.5"', 'Qty="1.5" Colour="red"', 1)
    name = market.send(market.sign(xml))
    _, notice = market.answer(name)
    assert notice.codes == ["SCHEMA_INVALID"], notice.codes
    error = notice.all("Error")[0]
    line = error.get("Line") or next(c.text for c in error if c.tag.endswith("}Line"))
    want = next(i for i, text in enumerate(xml.splitlines(), 1) if "Colour" in text)
    assert int(line) == want, (line, want)
    good()


def not_xml():
    """not XML at all: XML_MALFORMED"""
    refused(b"Dear registry, please find our balances attached.\n", ["XML_MALFORMED"])


def dtd():
    """a document type: XML_FORBIDDEN"""
    xml = market.balance_report().replace("?>", '?>\n<!DOCTYPE x [<!ENTITY e "x">]>', 1)
    refused(xml, ["XML_FORBIDDEN"])


def control_total():
    """records that do not sum to the control total: CONTROL_TOTAL"""
    refused(market.sign(market.balance_report(totals={"4H95J0R2X": "1.6"})), ["CONTROL_TOTAL"])
    refused(market.sign(market.balance_report(count=2)), ["CONTROL_TOTAL"])


def as_documented():
    """an Error of a notice is the one that doc/refusals.md shows"""
    with open(os.path.join(lib.TOP, "doc", "refusals.md"), encoding="utf-8") as f:
        shown = ET.fromstring(re.search(r"```xml\n(.*?)```", f.read(), re.S).group(1))
    _, notice = market.answer(market.send(market.sign(market.balance_report(totals={"4H95J0R2X": "1.6"}))))
    error, = notice.all("Error")
    assert error.attrib == shown.attrib, (error.attrib, shown.attrib)
    assert [(e.tag.rsplit("}", 1)[-1], e.text) for e in error] == [(e.tag, e.text) for e in shown], \
        ET.tostring(error, encoding="unicode")
    good()


def forward_dated():
    """a day that has not closed: BUSINESS_DATE"""
    day = lib.last_closed_day() + datetime.timedelta(days=1)
    refused(market.sign(market.balance_report(date=day)), ["BUSINESS_DATE"])


def several_faults():
    """several faults: only the first failing stage is named"""
    xml = market.balance_report(sender="PLB", totals={"4H95J0R2X": "9"}).replace('Qty="1.5"', 'Qty="1.5" X="1"')
    refused(market.sign(xml), ["NOT_AUTHORISED"])
    refused(market.sign(xml).replace(b'X="1"', b'X="2"'), ["SIG_DIGEST"])


def sent_twice():
    """the same bytes again: no new submission, the notices come again"""
    signed = market.sign(market.balance_report())
    name = market.send(signed)
    market.answer(name)
    rows = "SELECT count(*) FROM muhur.submission WHERE state = 'accepted'"
    before, records = market.sql(rows), market.records()
    again = market.send(signed)
    lib.wait_for("the repeat is known", lambda: market.sql(
        f"SELECT 1 FROM muhur.submission WHERE file_name = '{again}' AND state = 'repeated'"))
    assert market.sql(rows) == before and market.records() == records
    _, notice = market.answer(name)
    assert notice.name.endswith(".accepted.xml")


def same_message_id():
    """the same MessageId with other bytes: DUPLICATE"""
    ident = f"DUP-{os.getpid()}"
    assert market.exchange(market.sign(market.balance_report(message_id=ident)))[0] == "accepted"
    refused(market.sign(market.balance_report(message_id=ident)), ["DUPLICATE"])


def others_bytes():
    """another member sends the same bytes: NOT_AUTHORISED"""
    signed = market.sign(market.balance_report())
    assert market.exchange(signed)[0] == "accepted"
    decision, codes = market.exchange(signed, "PLB001")
    assert (decision, codes) == ("rejected", ["NOT_AUTHORISED"]), codes


def correction():
    """a correction replaces; one of an unknown MessageId: REFERENCE_UNKNOWN"""
    ident = f"FIRST-{os.getpid()}"
    assert market.exchange(market.sign(market.balance_report(message_id=ident)))[0] == "accepted"
    refused(market.sign(market.balance_report(replaces="NEVER-SEEN")), ["REFERENCE_UNKNOWN"])
    assert market.exchange(market.sign(market.balance_report(replaces=ident))) == ("accepted", [])
    assert market.sql(f"SELECT state FROM muhur.submission WHERE message_id = '{ident}'") == [["replaced"]]


def suspended():
    """a suspended member may fetch, not send; after resuming it may again"""
    signed = market.sign(market.balance_report(user="PLB001"), "PLB001")
    market.muhur("member", "suspend", "PLB")
    try:
        with market.sftp("PLB001") as s:
            s.listdir("/outbox")
            try:
                lib.put(s, signed, "suspended.xml")
                raise AssertionError("a suspended member could send")
            except OSError:
                pass
    finally:
        market.muhur("member", "resume", "PLB")
    assert market.exchange(signed, "PLB001")[0] == "accepted"


def revoked():
    """a revoked certificate: CERT_REVOKED; a good one still works"""
    key, cert = pki.issue(market, "REVOKED")
    pki.revoke(market, cert)
    market.stop()
    market.start()
    refused(market.sign(market.balance_report(), key=key, cert=cert), ["CERT_REVOKED"])


with lib.Market() as market:
    lib.main(accepted, unsigned, byte_changed, value_changed, wrong_signer, wrong_sender, wrong_type,
             not_enrolled, expired, other_ca, wrong_usage, schema_invalid, not_xml, dtd, control_total,
             as_documented, forward_dated, several_faults, sent_twice, same_message_id, others_bytes, correction,
             suspended, revoked)
