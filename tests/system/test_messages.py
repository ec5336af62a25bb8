#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What members send beside balances and custody: who may, what becomes of it, and what is wrong with it.

One example of each type, with every field; the tables say what has to be kept of it (schemas/sql/010-messages.sql)."""

import datetime
import os
import re
from decimal import Decimal

import forge
import lib

market = None
DAY = lib.last_closed_day()
DENIED, TOTALS, DATE, REFERENCE = ["NOT_AUTHORISED"], ["CONTROL_TOTAL"], ["BUSINESS_DATE"], ["REFERENCE_UNKNOWN"]


class Example:
    """user sends it; body has its sections, count the number of its records, totals their sums; rows is what its
    tables have then: {(table, columns): rows}.  by are the kinds of members that may send it."""

    def __init__(self, kind, user, by, body, count, totals, rows):
        self.kind, self.user, self.by, self.body, self.count, self.rows = kind, user, by, body, count, rows
        self.totals = totals

    def text(self, user=None, **kw):
        kw.setdefault("count", self.count)
        kw.setdefault("totals", self.totals)
        kw.setdefault("date", DAY)
        return market.message(self.kind, user or self.user, self.body, **kw)

    def signed(self, user=None, **kw):
        return market.sign(self.text(user, **kw), user or self.user)

    def kept(self, submission):
        for (table, columns), rows in self.rows.items():
            got = market.sql(f"SELECT {columns} FROM {table} WHERE submission = {submission} ORDER BY record_no")
            assert got == rows, (self.kind, table, got)
        tables = {table for table, _ in self.rows}
        for table in lib.RECORD_TABLES:
            n = 0 if table not in tables else sum(len(r) for (t, _), r in self.rows.items() if t == table)
            assert market.sql(f"SELECT count(*) FROM {table} WHERE submission = {submission}") == [[str(n)]], (self.kind, table)


def examples():
    """Quantities and totals: 2 - 0.5 = 1.5; closing 1.5 + 2; wallets 1 + 2."""
    utc = "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
    asset, other = "4H95J0R2X", "X9J9K872S"
    return [
        # without a zone it is Istanbul's time, which is UTC+3
        Example("MovementReport", "PLA001", "platform",
                f'<Movements><Mov Id="m-1" Reg="1000000001" Cust="C1" Asset="{asset}" Type="BUY" Qty="2" At="{DAY}T10:00:00"/>'
                f'<Mov Id="m-2" Reg="1000000002" Cust="C2" Asset="{asset}" Type="TRANSFER_OUT" Qty="-0.5"'
                f' At="{DAY}T10:00:00Z" Tx="0xab" Rev="m-0"/></Movements>', 2, {asset: "1.5"},
                {("muhur.movement", "movement_id, registry_no, customer_no, asset, type, trim_scale(quantity), " +
                  utc % "occurred_at" + ", tx_hash, reverses_id"): [
                    ["m-1", "1000000001", "C1", asset, "BUY", "2", f"{DAY} 07:00:00", "", ""],
                    ["m-2", "1000000002", "C2", asset, "TRANSFER_OUT", "-0.5", f"{DAY} 10:00:00", "0xab", "m-0"]]}),
        Example("NettingReport", "PLA001", "platform",
                f'<Nettings><Net Reg="1000000001" Cust="C1" Asset="{asset}" Open="1" Net="0.5" Close="1.5"/>'
                f'<Net Reg="1000000002" Cust="C2" Asset="{asset}" Open="5" Net="-3" Close="2"/></Nettings>', 2,
                {asset: "3.5"},
                {("muhur.netting", "registry_no, customer_no, asset, trim_scale(opening), trim_scale(net), trim_scale(closing)"): [
                    ["1000000001", "C1", asset, "1", "0.5", "1.5"], ["1000000002", "C2", asset, "5", "-3", "2"]]}),
        Example("HoldingReport", "PLA001", "platform",
                f'<Wallets><Wal Wlt="HOT" Own="CUSTOMER" Asset="{asset}" Qty="1"/>'
                f'<Wal At="{DAY}T12:00:00" Wlt="COLD" Own="HOUSE" Asset="{asset}" Qty="2"/></Wallets>'
                f'<Reserve><Rsv Kind="DEPOSIT" Ccy="TRY" Qty="100.5"/><Rsv Kind="CRYPTO" Asset="{other}" Qty="3"'
                f' At="{DAY}T12:00:00"/></Reserve>', 4, {asset: "3"},
                {("muhur.wallet", f"{utc % 'as_of'}, wallet, owner, asset, trim_scale(quantity)"): [
                    ["", "HOT", "CUSTOMER", asset, "1"], [f"{DAY} 09:00:00", "COLD", "HOUSE", asset, "2"]],
                 ("muhur.reserve", f"{utc % 'as_of'}, kind, asset, currency, trim_scale(quantity)"): [
                    ["", "DEPOSIT", "", "TRY", "100.5"], [f"{DAY} 09:00:00", "CRYPTO", other, "", "3"]]}),
        Example("ListingNotice", "PLB001", "platform",
                f'<Listings><Lst Asset="{asset}" Status="LISTED" From="{DAY}" Reason="yeni varl\u0131k"/>'
                f'<Lst Asset="{other}" Status="DELISTED" From="{DAY}"/></Listings>', 2, {},
                {("muhur.listing", "asset, status, valid_from, reason"): [
                    [asset, "LISTED", str(DAY), "yeni varl\u0131k"], [other, "DELISTED", str(DAY), ""]]}),
        Example("ReferenceData", "MKK001", "registry",
                f'<Reference><Rate Ccy="USD" Try="40.25"/><Ast Asset="{asset}" Cap="5000000000" Listed="2009-01-03" Hold="NONE"'
                f' Base="false"/><Ast Asset="{other}"/><Wgt Kind="FUND" Weight="0.9"/><Wgt Kind="CRYPTO" Asset="{asset}"'
                f' Weight="1"/><Day Date="{DAY}" Kind="HOLIDAY"/></Reference>', 6, {},
                {("muhur.reference_rate", "currency, trim_scale(rate)"): [["USD", "40.25"]],
                 ("muhur.reference_asset", "asset, trim_scale(market_value_usd), listed_on, custody, reserve_base"): [
                     [asset, "5000000000", "2009-01-03", "NONE", "f"], [other, "", "", "ANY", "t"]],
                 ("muhur.reference_weight", "kind, asset, trim_scale(weight)"): [["FUND", "", "0.9"], ["CRYPTO", asset, "1"]],
                 ("muhur.reference_day", "day, kind"): [[str(DAY), "HOLIDAY"]]}),
    ]


def accepted():
    """each type from whom it is: accepted, and each record kept as it was sent"""
    for e in examples():
        name = market.send(e.signed(), e.user)
        _, decision = market.answer(name, e.user)
        assert decision.name.endswith(".accepted.xml"), (e.kind, decision.codes)
        no, kind, day, count = market.sql("SELECT no, message_type, business_date, record_count FROM muhur.submission"
                                          f" WHERE file_name = '{name}'")[0]
        assert (kind, day, count) == (e.kind, str(DAY), str(e.count)), (kind, day, count)
        e.kept(no)


def wrong_senders():
    """each type from members of every other kind: refused, and nothing of it kept"""
    users = {"platform": "PLB001", "custodian": "CUB001", "registry": "MKK001"}
    tried = 0
    for kind, user in users.items():
        report = {"registry": lambda user: examples()[-1].text(user)}.get(kind)
        cases = [(f"{e.kind} from a {kind}", e.signed(user), DENIED) for e in examples() if e.by != kind]
        forge.Forge(market, user, report).judge(cases)
        tried += len(cases)
    assert tried == 4 * 2 + 1 * 2, tried	# four are a platform's, one is the registry's


def control_totals():
    """each type with a count or a sum that its records do not have"""
    for e in examples():
        cases = [("one record too few", e.signed(count=e.count + 1), TOTALS),
                 ("one record too many", e.signed(count=e.count - 1), TOTALS),
                 ("a total of another asset", e.signed(totals={**e.totals, "B1TC00000": "1"}), TOTALS)]
        for asset, total in e.totals.items():
            cases += [("no total", e.signed(totals={}), TOTALS),
                      ("wrong in the 18th place", e.signed(totals={asset: f"{Decimal(total) + Decimal('1e-18'):f}"}), TOTALS),
                      ("zeros behind", e.signed(totals={asset: f"{Decimal(total):.18f}"}), [])]
        forge.Forge(market, e.user, lambda user, e=e: e.text(user)).judge(cases)


def corrected():
    """a report is corrected by another of its type and day; the old one stays readable and counts no more"""
    for e in examples():
        first, second = (f"{e.kind}-{n}" for n in "ab")
        name = market.send(e.signed(message_id=first), e.user)
        assert market.answer(name, e.user)[1].name.endswith(".accepted.xml"), e.kind
        before = DAY - datetime.timedelta(days=1)
        sender = forge.Forge(market, e.user, lambda user, e=e: e.text(user))
        sender.judge([
            ("corrects nothing that was sent", e.signed(replaces="no-such"), REFERENCE),
            ("of another day", e.signed(replaces=first, date=before), REFERENCE),
            ("corrects it", e.signed(message_id=second, replaces=first), []),
        ])
        sender.judge([("corrects what is corrected", e.signed(replaces=first), REFERENCE)])
        rows = market.sql("SELECT s.message_id, s.state FROM muhur.submission s WHERE s.message_id IN"
                          f" ('{first}', '{second}') ORDER BY 1")
        assert rows == [[first, "replaced"], [second, "accepted"]], rows
        old = market.sql(f"SELECT no FROM muhur.submission WHERE message_id = '{first}'")[0][0]
        e.kept(old)


def forward_dated():
    """a day that is not over"""
    for e in examples():
        forge.Forge(market, e.user, lambda user, e=e: e.text(user)).judge(
            [("tomorrow's", e.signed(date=DAY + datetime.timedelta(days=2)), DATE)])


def responses():
    """a party explains its break, and nobody else's; what was explained is not corrected"""
    market.exchange(market.sign(market.balance_report(lines=[("1000000001", "C1", "CUA", "4H95J0R2X", "2")], date=DAY)))
    market.exchange(market.sign(market.custody_report(lines=[("PLA", "4H95J0R2X", "COLD", "1.5")], date=DAY), "CUA001"), "CUA001")
    market.muhur("reconcile", "run", "--date", str(DAY))
    ident = next(b["id"] for b in market.json("break", "list", "--date", str(DAY))
                 if (b["rule"], b["platform"], b["custodian"]) == ("R1", "PLA", "CUA"))

    def response(which, user="PLA001", **kw):
        body = (f'<Responses><Rsp Break="{which}" Text="ge\u00e7 i\u015flenen transfer" Qty="1.5" Ref="defter 12/3"/></Responses>')
        kw.setdefault("count", 1)
        return market.sign(market.message("DiscrepancyResponse", user, body, date=DAY, **kw), user)

    forge.Forge(market).judge([
        ("no such break", response("R1-ffffffffffff"), REFERENCE),
        ("wrong count", response(ident, count=2), TOTALS),
        ("a total", response(ident, totals={"4H95J0R2X": "1.5"}), TOTALS),
        ("its own break", response(ident, message_id="explains"), []),
    ])
    forge.Forge(market).judge([("an explanation is not corrected", response(ident, replaces="explains"), REFERENCE)])
    forge.Forge(market, "PLB001").judge([("another's break", response(ident, "PLB001"), REFERENCE)])
    registry = forge.Forge(market, "MKK001", lambda user: examples()[-1].text(user))
    registry.judge([("from the registry", response(ident, "MKK001"), DENIED)])
    rows = market.sql("SELECT r.break_id, r.explanation, trim_scale(r.quantity), r.reference FROM muhur.response r"
                      " JOIN muhur.submission s ON s.no = r.submission WHERE s.message_id = 'explains'")
    assert rows == [[ident, "ge\u00e7 i\u015flenen transfer", "1.5", "defter 12/3"]], rows
    shown = market.json("break", "show", ident)[0]
    assert (shown["state"], shown["explanation"], shown["explainedMember"]) == (
        "explained", "ge\u00e7 i\u015flenen transfer", "PLA"), shown


def registration():
    """who asks for registry numbers: platforms, custodians, the registry; a request is not corrected"""
    body = ('<Investors><Inv Type="TCKN" No="10000000146" Name="\u015eule \u0130lker" Birth="1980-01-02"/>'
            '<Inv Type="FOREIGN" No="X1234567" Ctry="DE" Name="Jan Mustermann"/></Investors>')

    def request(user, **kw):
        kw.setdefault("count", 2)
        return market.sign(market.message("RegistrationRequest", user, body, date=DAY, **kw), user)

    forge.Forge(market).judge([
        ("two investors", request("PLA001", message_id="asks"), []),
        ("wrong count", request("PLA001", count=1), TOTALS),
        ("a total", request("PLA001", totals={"4H95J0R2X": "1"}), TOTALS),
    ])
    forge.Forge(market).judge([("a request is not corrected", request("PLA001", replaces="asks"), REFERENCE)])
    forge.Forge(market, "CUA001").judge([("from a custodian", request("CUA001"), [])])
    # nothing that is about a person is in the log, whatever became of it
    text = market.log()
    assert not re.search("10000000146|X1234567|\u0130lker|Mustermann", text)


def as_documented():
    """the examples of doc/members.md are what their types ask for"""
    with open(os.path.join(lib.TOP, "doc", "members.md"), encoding="utf-8") as f:
        sections = re.findall(r"(?ms)^### (\w+)$.*?```xml\n(.*?)```", f.read())
    assert len(sections) == 9, [kind for kind, _ in sections]
    for kind, body in sections:
        user = {"CustodyReport": "CUA001", "ReferenceData": "MKK001"}.get(kind, "PLA001")
        records = [r for r in re.findall(r"<(\w+) ([^>]*)/>", body) if r[0] != "Px"]
        totals = {}
        for element, attributes in records:
            a = dict(re.findall(r'(\w+)="([^"]*)"', attributes))
            quantity = a.get("Close" if element == "Net" else "Qty")
            if "Asset" in a and quantity and element not in ("Rsv", "Px"):
                totals[a["Asset"]] = str(Decimal(totals.get(a["Asset"], "0")) + Decimal(quantity))
        path = os.path.join(market.dir, f"{kind}.xml")
        with open(path, "wb") as f:
            f.write(market.sign(market.message(kind, user, body, len(records), totals, date=DAY), user))
        p = market.muhur("verify", "--trust", f"{market.pki}/trust.pem", "--schema-dir",
                         os.path.join(lib.TOP, "schemas", "xml"), path, ok=(0, 1))
        assert p.returncode == 0 and "VALID" in p.stdout, p.stdout


if __name__ == "__main__":
    with lib.Market() as market:
        lib.main(accepted, wrong_senders, control_totals, corrected, forward_dated, responses, registration,
                 as_documented)
