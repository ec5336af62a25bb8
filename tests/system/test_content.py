#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Rightly signed and wrong in what it says: the schema, totals, days, senders."""

import datetime
import os
import re
import xml.etree.ElementTree as ET

import forge
import lib

market = None
pla = None

BAL = '<Bal Reg="1000000001" Cust="C1" Held="CUA" Asset="4H95J0R2X" Qty="1.5"/>'
TOTAL = '<Total Asset="4H95J0R2X" Qty="1.5"/>'
XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
BR = "urn:muhur:xsd:balance-report:1"
BAD, TOTALS, DATE, DENIED = ["SCHEMA_INVALID"], ["CONTROL_TOTAL"], ["BUSINESS_DATE"], ["NOT_AUTHORISED"]


def lined(**kw):
    """A report with each element on a line of its own, so that a line says which is meant."""
    return re.sub(r"(?<=>)(?=<(?!/))|(?<=>)(?=</(Header|ControlTotals)>)", "\n", pla.text(**kw))


def element(name, old, new):
    """In a header's element: (change, the changed line, its path)."""
    return (f"<{name}>{old}</{name}>", f"<{name}>{new}</{name}>", f"/BalanceReport/Header/{name}")


def schema():
    """schema-invalid in more than 30 ways: the notice points at line and path"""
    record, header = "/BalanceReport/Balances/Bal", "/BalanceReport/Header"
    attributes = [
        ("Qty", "1e5"), ("Qty", "1.5E0"), ("Qty", "+1.5"), ("Qty", "1,5"), ("Qty", ".5"), ("Qty", "5."), ("Qty", "NaN"),
        ("Qty", "INF"), ("Qty", " 1.5"), ("Qty", ""), ("Qty", "--1"), ("Qty", "0x10"), ("Qty", "1 000"),
        ("Qty", "1" * 21), ("Qty", "1" * 38), ("Qty", "0." + "1" * 19), ("Qty", "1" * 500), ("Qty", "\u0661"),
        ("Lck", "-1"), ("Lck", "1e1"),
        ("Cust", ""), ("Cust", "x" * 35), ("Cust", "x" * 2000), ("Cust", " C1 "), ("Cust", "\\N"), ("Cust", "\\."),
        ("Cust", "a&#9;b"), ("Cust", "a&#10;b"), ("Cust", "C1&#13;"), ("Cust", "C1'; DROP TABLE x;--"),
        ("Cust", "\u015e\u0130\u011e"), ("Reg", "100000001"), ("Reg", "10000000011"), ("Reg", "\u0661" * 10),
        ("Held", "cua"), ("Held", "OWNX\u0130"), ("Held", ""), ("Asset", "4H95J0R2"), ("Asset", "0H95J0R2X"),
        ("Asset", "4h95j0r2x"), ("Asset", "BTC"),
    ]
    cases = [(f"{name}={value[:40]!r}", BAL, re.sub(f' {name}="[^"]*"', "", BAL)[:-2] + f' {name}="{value}"/>', record)
             for name, value in attributes]
    cases += [(f"no {name}", BAL, re.sub(f' {name}="[^"]*"', "", BAL), record) for name in
              ("Reg", "Cust", "Held", "Asset", "Qty")]
    cases += [
        ("an unknown attribute", BAL, BAL[:-2] + ' Colour="red"/>', record),
        ("xsi:type", BAL, BAL[:-2] + f' {XSI} i:type="Price"/>', record),
        ("an attribute of another namespace", BAL, BAL[:-2] + ' xmlns:o="urn:o" o:Qty="9"/>', record),
        ("an unknown element", BAL, "<Bla/>", "/BalanceReport/Balances/Bla"),
        ("another message's record", BAL, '<Omn Plat="PLA" Asset="4H95J0R2X" Wlt="COLD" Qty="1.5"/>',
         "/BalanceReport/Balances/Omn"),
        ("a record of another namespace", BAL, BAL.replace("<Bal", '<Bal xmlns="urn:x"'), record),
        ("a record in capitals", BAL, BAL.replace("<Bal", "<BAL"), "/BalanceReport/Balances/BAL"),
        ("text among the records", "</Balances>", "1.5</Balances>", "/BalanceReport/Balances"),
        ("a record in a record", BAL, BAL[:-2] + ">" + BAL + "</Bal>", record + "/Bal"),
        ("xsi:nil", "<Balances>", f'<Balances {XSI} i:nil="true">', "/BalanceReport/Balances"),
        ("an attribute of a section", "<Balances>", '<Balances Id="x">', "/BalanceReport/Balances"),
        ("a second section", "</Balances>", "</Balances><Balances/>", "/BalanceReport/Balances"),
        ("another SchemaVersion", *element("SchemaVersion", "1", "2")),
        ("another message's type", *element("MessageType", "BalanceReport", "CustodyReport")),
        ("a sender in small letters", *element("SenderMemberCode", "PLA", "pla")),
        ("OWN as the sender", *element("SenderMemberCode", "PLA", "OWN")),
        ("user 000", *element("UserCode", "PLA001", "PLA000")),
        ("user 991", *element("UserCode", "PLA001", "PLA991")),
        ("a count with zeros before", *element("RecordCount", "1", "01")),
        ("a negative count", *element("RecordCount", "1", "-1")),
        ("a count of 19 digits", *element("RecordCount", "1", "1" * 19)),
        ("an element in a value", *element("RecordCount", "1", "<b>1</b>")),
        ("a total of an unknown form", TOTAL, TOTAL.replace("1.5", "1.5e0"), header + "/ControlTotals/Total"),
        ("a total without its asset", TOTAL, '<Total Qty="1.5"/>', header + "/ControlTotals/Total"),
        ("a header twice", "</Header>", "</Header><Header/>", header),
    ]
    documents, want = [], []
    for what, old, new, path in cases:
        text = lined()
        assert text.count(old) == 1, (what, old)
        document = text.replace(old, new)
        line = document[:document.index(new)].count("\n") + 1
        documents.append((what, pla.quick(document), BAD))
        want.append((what, str(line), path))
    names = pla.judge(documents)
    notices = pla.decisions(names)
    wrong = []
    for name, (what, line, path) in zip(names, want):
        errors = [(e.get("Line"), e.get("Path")) for e in notices[name].all("Error")]
        if (line, path) not in errors:
            wrong.append((what, "wanted", line, path, "told", errors))
        if what.startswith("Cust=") and len(what) > 10 and what[6:-1] in notices[name].data.decode():
            wrong.append((what, "the notice repeats a customer's data"))
    assert len(cases) >= 30 and not wrong, "\n".join(map(str, wrong))


def structure():
    """what stands where the schema does not have it, and nothing smuggled past it"""
    foreign = f'<d:Foo xmlns:d="{forge.DS}"><Bal Reg="evil" Cust="\\N" Held="CUA" Asset="4H95J0R2X" Qty="1.5"/></d:Foo>'
    two = dict(count=2, totals={"4H95J0R2X": "3"})
    head = re.compile(r"(?s)(<Header>.*</Header>)")
    pla.judge([
        ("records in an element that the schema skips, last",
         forge.first(pla.signed(forge.inside(pla.text(**two).encode(), foreign.encode()).decode())), TOTALS),
        ("records in an element that the schema skips, first",
         pla.signed(pla.text(**two).replace("<Header>", foreign + "<Header>", 1)), TOTALS),
        ("no header", pla.signed(head.sub("", pla.text())), BAD),
        ("header after records", pla.signed(re.sub(r"(?s)(<Header>.*</Header>)(.*)(</BalanceReport>)", r"\2\1\3",
                                                   pla.text())), BAD),
        ("no records' section", pla.signed(re.sub(r"(?s)<Balances>.*</Balances>", "", pla.text(count=0, totals={}))), BAD),
        ("unknown root", pla.signed("<a xmlns='urn:x'/>"), BAD),
        ("root of no namespace", pla.signed(pla.text().replace(f' xmlns="{BR}"', "")), BAD),
        ("root of another namespace", pla.signed(pla.text().replace(BR, "urn:muhur:xsd:custody-report:1")), BAD),
        ("root of a notice", pla.signed('<Acknowledgement xmlns="urn:muhur:xsd:acknowledgement:1"/>'), BAD),
        ("another record's root", pla.signed(pla.text().replace("BalanceReport", "CustodyReport")), BAD),
        ("xsi:schemaLocation, of no effect", pla.signed(pla.text().replace(
            f'xmlns="{BR}"', f'xmlns="{BR}" {XSI} i:schemaLocation="{BR} http://127.0.0.1:1/evil.xsd"')), []),
        ("xsi:noNamespaceSchemaLocation, of no effect", pla.signed(pla.text().replace(
            f'xmlns="{BR}"', f'xmlns="{BR}" {XSI} i:noNamespaceSchemaLocation="file:///etc/passwd"')), []),
        ("xsi:type on the root", pla.signed(pla.text().replace(f'xmlns="{BR}"', f'xmlns="{BR}" {XSI} i:type="Header"')), BAD),
        ("prefixes everywhere", pla.signed(re.sub(r"<(/?)(?=[A-Z])", r"<\1m:", pla.text()).replace(" xmlns=", " xmlns:m=")),
         []),
        ("comment in a header's value", pla.signed(pla.text(message_id="CM-1").replace("CM-1", "C<!-- x -->M-1")), []),
        ("CDATA in a header's value", pla.signed(pla.text(message_id="CD-1").replace("CD-1", "<![CDATA[CD]]>-1")), []),
        ("CR LF throughout", pla.signed(pla.text().replace("\n", "\r\n")), []),
        ("a false hint behind the root", pla.signed() + b'<!-- <Reference URI=""><Transform Algorithm="' +
         forge.INC.encode() + b'"/><DigestMethod Algorithm="' + forge.ENC.encode() + b'sha512"/></Reference> -->', []),
        ("no records", pla.signed(lines=[]), []),
    ])
    assert sorted(market.sql("SELECT message_id FROM muhur.submission WHERE message_id IN ('CM-1', 'CD-1')"
                             " AND state = 'accepted'")) == [["CD-1"], ["CM-1"]]


def totals():
    """control totals, record counts, and quantities at their limits"""
    def line(c="C1", q="1.5", a="4H95J0R2X"):
        return [("1000000001", c, "CUA", a, q)]
    n = {"4H95J0R2X": "1.5"}
    most = "9" * 20 + "." + "9" * 18		# 38 digits
    pla.judge([
        ("total too large", pla.signed(totals={"4H95J0R2X": "1.6"}), TOTALS),
        ("total wrong in the 18th place", pla.signed(totals={"4H95J0R2X": "1.500000000000000001"}), TOTALS),
        ("total with another sign", pla.signed(totals={"4H95J0R2X": "-1.5"}), TOTALS),
        ("total with zeros behind", pla.signed(totals={"4H95J0R2X": "1.500"}), []),
        ("total of another asset", pla.signed(totals={"B1TC00000": "1.5"}), TOTALS),
        ("total of two assets mixed up", pla.signed(lines=line() + line(c="C2", a="B1TC00000", q="2"),
                                                    totals={"4H95J0R2X": "2", "B1TC00000": "1.5"}), TOTALS),
        ("total twice", pla.signed(pla.text().replace(TOTAL, TOTAL + TOTAL)), TOTALS),
        ("total of an absent asset, 0", pla.signed(totals={**n, "B1TC00000": "0"}), []),
        ("total of an absent asset, not 0", pla.signed(totals={**n, "B1TC00000": "1"}), TOTALS),
        ("total missing", pla.signed(pla.text().replace(TOTAL, "")), TOTALS),
        ("total of -0", pla.signed(pla.text(lines=line(q="0")).replace('Qty="0"', 'Qty="-0"')), []),
        ("one record too few", pla.signed(count=2), TOTALS),
        ("one record too many", pla.signed(count=0), TOTALS),
        ("records without a count", pla.signed(lines=[], count=1), TOTALS),
        ("both wrong", pla.signed(count=7, totals={"4H95J0R2X": "7"}), TOTALS),
        ("negative: a break, no reason", pla.signed(lines=line(q="-1.5")), []),
        ("38 digits", pla.signed(lines=line(q=most)), []),
        ("38 digits, negative", pla.signed(lines=line(q="-" + most)), []),
        ("38 digits, one off in the last", pla.signed(lines=line(q=most), totals={"4H95J0R2X": most[:-1] + "8"}), TOTALS),
        ("two that cancel out", pla.signed(lines=line(q="9" * 20) + line(c="C2", q="-" + "9" * 20)), []),
        ("three that cancel out, over 20 digits on the way", pla.signed(lines=line(q=most) + line(c="C2", q=most) + line(
            c="C3", q="-" + most)), []),
        ("below on the way", pla.signed(lines=line(q="-" + most) + line(c="C2", q="-1.5") + line(c="C3", q=most)), []),
        ("over 20 digits, and not declared", pla.signed(lines=line(q=most) + line(c="C2", q=most), totals={}), TOTALS),
        ("sum over 20 digits", pla.signed(lines=line(q="9" * 20) + line(c="C2", q="1"), totals={"4H95J0R2X": "1"}), TOTALS),
        ("the same line twice: a break, no reason", pla.signed(lines=line() + line()), []),
    ])
    kept = market.sql(f"SELECT DISTINCT quantity FROM muhur.balance WHERE abs(quantity) >= 1e19 AND quantity <> {'9' * 20}"
                      f" AND quantity <> -{'9' * 20} ORDER BY 1")
    assert kept == [["-" + most], [most]], kept


def days():
    """forward-dated, unknown, too old"""
    for _ in range(2):
        last = lib.last_closed_day()
        try:
            return judge_days(last)
        except AssertionError:
            if lib.last_closed_day() == last:
                raise		# else the day ended meanwhile


def judge_days(last):
    day = datetime.timedelta(days=1)
    oldest = last - 3660 * day		# DECIDE_MAX_AGE
    pla.judge([
        ("the last closed day", pla.signed(date=last), []),
        ("the day that is not closed", pla.signed(date=last + day), DATE),
        ("the year 9999", pla.signed(date="9999-12-31"), DATE),
        ("the oldest day", pla.signed(date=oldest), []),
        ("the day before it", pla.signed(date=oldest - day), DATE),
        ("the year 0001", pla.signed(date="0001-01-01"), DATE),
        ("no such day", pla.signed(date="2026-02-30"), BAD),
        ("no leap year", pla.signed(date="2026-02-29"), BAD),
        ("the year 0000", pla.signed(date="0000-01-01"), BAD),
        ("the year 10000", pla.signed(date="10000-01-01"), BAD),
        ("with a zone", pla.signed(date=f"{last}Z"), BAD),
        ("the other way round", pla.signed(date=last.strftime("%d.%m.%Y")), BAD),
        ("sequence 10^18", pla.signed(sequence=10 ** 18), BAD),
        ("CreatedAt of no time", pla.signed(created="2026-13-01T00:00:00Z"), BAD),
        ("CreatedAt behind the last moment that has four digits for its year",
         pla.signed(created="9999-12-31T23:59:59-14:00"), BAD),
        ("CreatedAt a day's end", pla.signed(created="2026-01-01T24:00:00Z"), []),
        ("CreatedAt before the first moment that UTC has a year for",
         pla.signed(created="0001-01-01T00:00:00+14:00"), BAD),
        ("CreatedAt in the year 0001", pla.signed(created="0001-01-01T00:00:00Z"), []),
        ("CreatedAt without a zone", pla.signed(created="2026-01-01T00:00:00"), []),
    ])


def senders():
    """a header that names others, or nobody"""
    cua = forge.Forge(market, "CUA001")
    pla.judge([
        ("another member", pla.signed(sender="PLB"), DENIED),
        ("an unknown member", pla.signed(sender="ZZZ"), DENIED),
        ("another member's user", pla.signed(pla.text().replace("<UserCode>PLA001", "<UserCode>PLB001")), DENIED),
        ("an unknown user", pla.signed(pla.text().replace("<UserCode>PLA001", "<UserCode>PLA777")), DENIED),
        ("another user of the member", pla.signed(pla.text().replace("<UserCode>PLA001", "<UserCode>PLA900")), DENIED),
        ("a custodian's message", market.sign(market.custody_report(user="PLA001")), DENIED),
        ("an unknown custodian in a record: a break, no reason", pla.signed(lines=[
            ("1000000001", "C1", "ZZZ", "4H95J0R2X", "1.5")]), []),
        ("several faults: the first stage alone", pla.signed(pla.text(sender="PLB", totals={"4H95J0R2X": "9"})
         .replace('Qty="1.5"/>\n', 'Qty="1.5" X="1"/>\n')), DENIED),
        ("several faults and a changed byte", pla.signed(pla.text(sender="PLB")).replace(b'"C1"', b'"C2"'), ["SIG_DIGEST"]),
        ("schema and total: the schema alone", pla.signed(pla.text(totals={"4H95J0R2X": "9"})
         .replace('Qty="1.5"/>\n', 'Qty="1.5" X="1"/>\n')), BAD),
        ("total and date: both are of one stage", pla.signed(totals={"4H95J0R2X": "9"}, date="9999-12-31"), [*DATE, *TOTALS]),
    ])
    cua.judge([
        ("a platform's message from a custodian", market.sign(market.balance_report(user="CUA001"), "CUA001"), DENIED),
    ])
    # sent by one member, signed and named rightly by another
    assert market.exchange(market.sign(market.balance_report(user="PLB001"), "PLB001"), "PLA001") == ("rejected", DENIED)
    assert market.exchange(market.sign(market.custody_report(), "CUA001"), "CUB001") == ("rejected", DENIED)
    pla.judge([])


def as_documented():
    """an Error of a notice is the one that doc/refusals.md shows"""
    with open(os.path.join(lib.TOP, "doc", "refusals.md"), encoding="utf-8") as f:
        shown = ET.fromstring(re.search(r"```xml\n(.*?)```", f.read(), re.S).group(1))
    _, notice = market.answer(market.send(pla.signed(totals={"4H95J0R2X": "1.6"})))
    error, = notice.all("Error")
    assert error.attrib == shown.attrib, (error.attrib, shown.attrib)
    assert [(e.tag.rsplit("}", 1)[-1], e.text) for e in error] == [(e.tag, e.text) for e in shown], \
        ET.tostring(error, encoding="unicode")


def suspended():
    """a suspended member may fetch, not send, nor end what it had begun to send"""
    plb = forge.Forge(market, "PLB001")
    document = plb.signed()

    def may_not_send(s):
        try:
            lib.put(s, document, "suspended.xml")
        except OSError:
            return True
        return False
    with market.sftp("PLB001") as s:
        f = s.open("/inbox/begun.xml", "wb")
        f.write(document)
        f.flush()
        market.muhur("member", "suspend", "PLB")
        try:
            lib.wait_for("its session knows it", lambda: may_not_send(s), 5)
            try:
                lib.close(s, f)
                raise AssertionError("a suspended member could end an upload")
            except OSError:
                pass
            with market.sftp("PLB001") as t:
                t.listdir("/outbox")
                assert may_not_send(t)
        finally:
            market.muhur("member", "resume", "PLB")
    assert market.sql("SELECT count(*) FROM muhur.submission WHERE file_name = 'begun.xml'") == [["0"]]
    plb.judge([("what it had begun", document, [])])


if __name__ == "__main__":
    with lib.Market() as market:
        pla = forge.Forge(market)
        lib.main(schema, structure, totals, days, senders, as_documented, suspended)
