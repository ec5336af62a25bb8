#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Whom a break concerns: a report can name any member's code, and who is named
neither sees another's breaks nor explains them.  And moments and texts that a
report cannot mean."""

import forge
import lib

market = None
DAY = lib.last_closed_day()
BTC = "4H95J0R2X"
INVALID, REFERENCE = ["SCHEMA_INVALID"], ["REFERENCE_UNKNOWN"]


def movement(at):
    return market.sign(market.message(
        "MovementReport", "PLB001", f'<Movements><Mov Id="m{at[:4]}" Reg="1000000001" Cust="C1" Asset="{BTC}" Type="BUY" Qty="1"'
        f' At="{at}"/></Movements>', 1, {BTC: "1"}, date=DAY), "PLB001")


def response(user, ident, text):
    return market.sign(market.message(
        "DiscrepancyResponse", user, f'<Responses><Rsp Break="{ident}" Text="{text}"/></Responses>', 1, date=DAY), user)


def moments():
    """a moment that no calendar of the database has is refused, and nothing waits for an operator"""
    forge.Forge(market, "PLB001", lambda user: market.balance_report(user, date=DAY)).judge(
        [(at, movement(at), INVALID) for at in (
            "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z")]
        + [(at, movement(at), []) for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59")])


def blanks():
    """what says nothing is no text"""
    def listing(reason):
        return market.sign(market.message("ListingNotice", "PLB001", f'<Listings><Lst Asset="{BTC}" Status="LISTED" From="{DAY}"'
                                          f' Reason="{reason}"/></Listings>', 1, date=DAY), "PLB001")

    def request(name):
        return market.sign(market.message("RegistrationRequest", "PLB001", f'<Investors><Inv Type="FOREIGN" No="X1" Ctry="DE"'
                                          f' Name="{name}"/></Investors>', 1, date=DAY), "PLB001")
    forge.Forge(market, "PLB001", lambda user: market.balance_report(user, date=DAY)).judge(
        [(f"{make.__name__} {text!r}", make(text), INVALID) for make in (listing, request) for text in (" ", "&#9;&#10;")]
        + [("text with blanks in it", listing(" a&#10;b\\N "), [])])
    assert market.sql("SELECT reason FROM muhur.listing") == [["a"], ["b\\N"]]	# psql shows two lines


def breaks_of(user):
    """{kind of the break: its platform and custodian} in the newest ReconciliationResult"""
    names = [n for n in market.outbox(user) if n.startswith(f"ReconciliationResult.{DAY}.")]
    if not names:
        return []
    newest = max(names, key=lambda n: int(n.split(".")[2]))
    notice = market.get(user, f"/outbox/{newest}")
    if user[:3] not in ("PLA", "MKK"):
        assert b"PLA-SECRET" not in notice.data
    return sorted((b.get("Kind"), b.get("Plat"), b.get("Cstd")) for b in notice.all("Break")
                  if b.get("Kind") in ("DUPLICATE_LINE", "UNKNOWN_CUSTODIAN", "NO_CONTRACT"))


def parties():
    """who is named in another's report, and is no party, is neither told nor heard"""
    lines = [("1000000001", "C1", held, BTC, qty) for held, qty in (
        ("PLB", "1"), ("PLB", "2"), ("UYM", "1"), ("MKK", "1"), ("CUA", "3"), ("CUA", "4"))]
    assert market.exchange(market.sign(market.balance_report(lines=lines, date=DAY, message_id="PLA-SECRET")))[0] == "accepted"
    custody = [("PLA", BTC, "COLD", "3"), ("PLA", BTC, "COLD", "4"), ("CUB", BTC, "HOT", "1"), ("PLB", BTC, "HOT", "1")]
    assert market.exchange(market.sign(market.custody_report(lines=custody, date=DAY), "CUA001"), "CUA001")[0] == "accepted"
    market.muhur("reconcile", "run", "--date", str(DAY))
    lib.wait_for("all notices are there", lambda: market.sql(
        "SELECT count(*) FROM muhur.notice WHERE published_at IS NULL") == [["0"]])
    own = [("DUPLICATE_LINE", "PLA", "CUA"), ("DUPLICATE_LINE", "PLA", "PLB")] + [
        ("UNKNOWN_CUSTODIAN", "PLA", c) for c in ("MKK", "PLB", "UYM")]
    assert breaks_of("PLA001") == own, breaks_of("PLA001")
    # CUA's lines: the one of PLB concerns PLB as well; CUB is no platform
    assert breaks_of("PLB001") == [("NO_CONTRACT", "PLB", "CUA")], breaks_of("PLB001")
    assert breaks_of("CUA001") == [("DUPLICATE_LINE", "PLA", "CUA"), ("NO_CONTRACT", "CUB", "CUA"),
                                   ("NO_CONTRACT", "PLB", "CUA")], breaks_of("CUA001")
    for user in ("CUB001", "MKK001", "UYM001"):
        assert breaks_of(user) == [], (user, breaks_of(user))

    def ident(kind, custodian, key="%"):
        rows = market.sql(f"SELECT id FROM muhur.break WHERE kind = '{kind}' AND custodian = '{custodian}' AND key LIKE '{key}'")
        assert len(rows) == 1, rows
        return rows[0][0]
    named, twice = ident("UNKNOWN_CUSTODIAN", "PLB"), ident("DUPLICATE_LINE", "CUA", "Bal|%")
    forge.Forge(market, "PLB001", lambda user: market.balance_report(user, date=DAY)).judge(
        [("a break that names it", response("PLB001", named, "ours"), REFERENCE)])
    forge.Forge(market, "CUA001", lambda user: market.custody_report(user, date=DAY)).judge(
        [("a platform's own doubled line", response("CUA001", twice, "ours"), REFERENCE)])
    forge.Forge(market).judge([("its own", response("PLA001", i, "bizim&#x9b;1m"), []) for i in (named, twice)]
                              + [("with blanks alone", response("PLA001", named, "&#10; "), INVALID)])
    rows = market.sql(f"SELECT DISTINCT explanation FROM muhur.break WHERE id IN ('{named}', '{twice}')")
    assert rows == [["bizim\x9b1m"]], rows
    assert "bizim??1m" in market.muhur("break", "show", named).stdout	# what a terminal would obey


if __name__ == "__main__":
    with lib.Market() as market:
        lib.main(parties, moments, blanks)
        market.sound()
