#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A whole business day of `muhur sample' through stock sftp: what was planted
is found and nothing else, every notice is sealed and valid under its XSD."""

import json
import os
import re

import lib

day = str(lib.last_closed_day())
market = None


def sample(m, directory, **opts):
    args = [x for k, v in opts.items() for x in (f"--{k}", str(v))]
    m.muhur("sample", "--dir", directory, *args)
    with open(os.path.join(directory, "manifest.json")) as f:
        return json.load(f)


def exchange_day():
    """every file of the day is accepted, in the manifest's order"""
    manifest = sample(market, os.path.join(market.dir, "day"), customers=200, breaks=7, seed=1, date=day)
    for entry in sorted(manifest["files"], key=lambda e: e["order"]):
        with open(os.path.join(market.dir, "day", entry["file"]), "rb") as f:
            signed = market.sign(f.read(), entry["userCode"])
        decision, codes = market.exchange(signed, entry["userCode"], entry["file"])
        assert (decision, codes) == ("accepted", []), (entry, decision, codes)
    market.manifest = manifest


def key(b):
    return (b["rule"], b["kind"], b.get("platform") or "", b.get("custodian") or "", b.get("asset") or "")


def breaks_found():
    """the planted breaks, and only they, are found"""
    market.muhur("reconcile", "run", "--date", day)
    found = sorted(key(b) for b in market.json("break", "list", "--date", day))
    planted = sorted(key(b) for b in market.manifest["breaks"])
    assert found == planted, (found, planted)
    assert market.muhur("reconcile", "run", "--date", day, "--fail-on-break", ok=(1,))


def schema(kind):
    return re.sub("(?<!^)([A-Z])", r"-\1", kind).lower() + "-1.xsd"


def notices_sealed():
    """each member's notices verify with xmlsec1 and validate against their schema"""
    seen = set()
    for user in ("PLA001", "PLB001", "CUA001", "CUB001", "SPK001", "MKK001"):
        names = lib.wait_for(f"notices of {user}", lambda u=user: market.outbox(u))
        for name in names:
            notice = market.get(user, "/outbox/" + name)
            kind = notice.root.tag.rsplit("}", 1)[-1]
            seen.add(kind)
            p = market.verify_xmlsec(notice.data)
            assert p.returncode == 0, (name, p.stderr)
            path = os.path.join(market.dir, "notice.xml")
            with open(path, "wb") as f:
                f.write(notice.data)
            lib.run("xmllint", "--nonet", "--noout", "--schema",
                    os.path.join(lib.TOP, "schemas", "xml", schema(kind)), path)
            market.muhur("verify", "--trust", f"{market.pki}/trust.pem", "--crl", f"{market.pki}/crl.pem", path)
            broken = notice.data.replace(b"</", b" </", 1)
            assert market.verify_xmlsec(broken).returncode != 0, "xmlsec1 accepts a changed notice"
    central = [n for n in market.outbox("SPK001") if n.startswith("CentralRegistryReport.")]
    assert central, "none"
    for name in central:
        assert market.get("SPK001", "/outbox/" + name).data == market.get("MKK001", "/outbox/" + name).data
    assert seen >= {"Acknowledgement", "ReconciliationResult", "DiscrepancyReport", "CentralRegistryReport"}, seen


def regulator_sees_breaks():
    """the regulator's DiscrepancyReport names each planted break with its sources"""
    market.muhur("reconcile", "run", "--date", day)

    def newest():
        names = [n for n in market.outbox("SPK001") if n.startswith(f"DiscrepancyReport.{day}.")]
        runs = market.json("reconcile", "list", "--date", day)
        last = max(int(r["version"]) for r in runs)
        return f"DiscrepancyReport.{day}.{last}.xml" if f"DiscrepancyReport.{day}.{last}.xml" in names else None
    notice = market.get("SPK001", "/outbox/" + lib.wait_for("the newest report", newest))
    assert len(notice.all("Break")) == len(market.manifest["breaks"])
    # what a day is reconciled from; a registration has no day's result
    hashes = {h for (h,) in market.sql("SELECT sha256 FROM muhur.submission WHERE state = 'accepted' "
                                       "AND message_type <> 'RegistrationRequest'")}
    sources = {e.get("SHA256") or e.get("Sha256") for e in notice.all("Source")}
    assert sources == hashes, (sources, hashes)


def status_is_calm():
    """status knows of no trouble before the cut-off, and names who is missing after it"""
    lib.wait_for("nothing left to do", lambda: market.muhur("status", ok=None).returncode == 0)
    missing = {b["custodian"] for b in market.manifest["breaks"] if b["rule"] == "R4"}
    assert len(missing) == 1, "the seed plants one missing report"
    market.set_conf("cutoff", '"00:00"')
    told = market.json("status", ok=(1,))[0]["attention"]
    assert len(told) == 1 and f"of {missing.pop()}:" in told[0], told


# A cut-off at the end of the next day has not come, whatever time it is.
with lib.Market(conf='cutoff = "23:59"\n') as market:
    lib.main(exchange_day, breaks_found, notices_sealed, regulator_sees_breaks, status_is_calm)
