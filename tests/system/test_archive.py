#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A notice leaves /outbox after 7 x 24 h for /archive/YYYY-MM-DD/, tested by
moving the gateway's clock."""

import datetime
import os

import lib

market = None
HOUR = 3600


def move(hours):
    market.stop()
    market.set_conf("clock_offset", int(hours * HOUR))
    market.start()


def answers():
    """The answers in the outbox; at the cut-off, results of reconciliation come beside them."""
    return [n for n in market.outbox("PLA001") if n.endswith((".received.xml", ".accepted.xml"))]


def stays():
    """six days and 23 hours later it is still in the outbox"""
    name = market.send(market.sign(market.balance_report()))
    market.answer(name)
    market.names = answers()
    assert len(market.names) == 2
    move(7 * 24 - 1)
    assert answers() == market.names


def moves():
    """after seven days it is in the archive's day, byte for byte, and only there"""
    before = {n: market.get("PLA001", "/outbox/" + n).data for n in market.names}
    move(7 * 24 + 1)
    lib.wait_for("an empty outbox", lambda: answers() == [])
    day = str(datetime.datetime.now(datetime.timezone.utc).astimezone(lib.ISTANBUL).date())
    with market.sftp("PLA001") as s:
        assert s.listdir("/archive") == [day], (s.listdir("/archive"), day)
        assert sorted(s.listdir(f"/archive/{day}")) == market.names
    for name, data in before.items():
        assert market.get("PLA001", f"/archive/{day}/{name}").data == data


def again():
    """the same bytes sent now bring the notices back to the outbox"""
    move(0)
    signed = market.sign(market.balance_report())
    name = market.send(signed)
    market.answer(name)
    first = answers()
    move(8 * 24)
    lib.wait_for("an empty outbox", lambda: answers() == [])
    market.send(signed)
    lib.wait_for("the notices again", lambda: answers() == first)


def misplaced():
    """a notice that is where the database does not have it is found, in outbox and archive; a day without any says so"""
    market.muhur("archive", "verify")
    for command in ("verify", "list"):
        assert "nothing of 2020-01-01" in market.muhur("archive", command, "--date", "2020-01-01").stderr
        assert "nothing" not in market.muhur("archive", command, "--date", market.sql("SELECT max(day) FROM muhur.notice")[0][0]).stderr
    boxes = os.path.join(market.dir, "state", "boxes")
    file_name, day = market.sql("SELECT file_name, day FROM muhur.notice WHERE recipient = 'PLA' AND archived_at IS NULL LIMIT 1")[0]
    outbox, archive = f"PLA/outbox/{file_name}", f"PLA/archive/{day}/{file_name}"
    os.makedirs(os.path.dirname(os.path.join(boxes, archive)), exist_ok=True)
    os.rename(os.path.join(boxes, outbox), os.path.join(boxes, archive))
    assert f"misplaced: {archive}: " in market.muhur("archive", "verify", ok=(1,)).stdout
    market.muhur("notice", "rebuild", "--member", "PLA")
    lib.wait_for("it is shown again", lambda: os.path.exists(os.path.join(boxes, outbox)) and market.sql(
        "SELECT 1 FROM muhur.notice WHERE published_at IS NULL") == [])
    market.muhur("archive", "verify")
    market.sql(f"UPDATE muhur.notice SET archived_at = now() WHERE file_name = '{file_name}'")
    assert f"misplaced: {outbox}: " in market.muhur("archive", "verify", ok=(1,)).stdout


with lib.Market() as market:
    lib.main(stays, moves, again, misplaced)
