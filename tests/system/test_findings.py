#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What an accepted notice says of single records, and a submission with a table of its own."""

import lib

market = None

ASSET = "4H95J0R2X"
GOOD = ("1000000001", "C1", "CUA", ASSET, "1.5")


def accepted(lines):
    """The accepted notice of PLA's report of these lines, its signature verified by xmlsec1."""
    name = market.send(market.sign(market.balance_report(lines=lines)))
    _, notice = market.answer(name)
    assert notice.name.split(".")[1] == "accepted", notice.codes
    p = market.verify_xmlsec(notice.data)
    assert p.returncode == 0, p.stderr
    return notice


def found(notice):
    return [(int(r.get("No")), r.get("Code"), r.get("Reg")) for r in notice.all("Record")]


def findings():
    """each record that is wrong by number, line and code (S2 A, level ii); none where nothing is"""
    # R5 (m.26(1), m.32(2)): a negative balance, nobody's code, the first line once more
    lines = [GOOD, ("1000000002", "C2", "CUA", ASSET, "-1"), ("1000000003", "C3", "XYZ", ASSET, "1"), GOOD]
    notice = accepted(lines)
    want = [(2, "NEGATIVE_BALANCE", "1000000002"), (3, "UNKNOWN_CUSTODIAN", "1000000003"),
            (4, "DUPLICATE_LINE", "1000000001")]
    assert found(notice) == want, found(notice)
    assert [r.get("Total") for r in notice.all("Records")] == ["3"] and notice.text("Level") == "i"
    first, second = (int(r.get("Line")) for r in notice.all("Record")[:2])
    assert second == first + 1, (first, second)		# each record stands on a line of its own
    assert not accepted([GOOD]).all("Records")


def own_table():
    """over the setting a report has a table of its own; it is read and told like any other"""
    notice = accepted([("1000000001", f"C{i}", "CUA", ASSET, "-1" if i == 4 else "1") for i in range(1, 7)])
    assert found(notice) == [(4, "NEGATIVE_BALANCE", "1000000001")], found(notice)
    rows = market.sql("SELECT count(*), bool_and(b.tableoid::regclass::text LIKE '%\\_' || b.submission), bool_and(b.bulk = s.no)"
                      f" FROM muhur.balance b JOIN muhur.submission s ON s.no = b.submission WHERE s.id = '{notice.name[:36]}'")
    assert rows == [["6", "t", "t"]], rows


if __name__ == "__main__":
    with lib.Market(conf="own_table_records = 5\n") as market:
        lib.main(findings, own_table)
