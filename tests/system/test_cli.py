#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The command offline and against a gateway: sign, verify, c14n, exit codes."""

import io
import json
import os
import re

from lxml import etree

import lib

market = None


def path_of(name, data):
    path = os.path.join(market.dir, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def trust():
    return ["--trust", f"{market.pki}/trust.pem"]


def sign_and_verify():
    """sign with RSA, P-256 and P-384; verify says who, what and VALID; xmlsec1 agrees"""
    algorithms = set()
    for user in ("PLA001", "PLB001", "CUA001", "CUB001"):
        signed = market.sign(market.balance_report(user=user), user, chain=f"{market.pki}/subca.pem")
        path = path_of("signed.xml", signed)
        algorithms.add(re.search(rb'SignatureMethod Algorithm="[^"]*#([^"]*)"', signed).group(1))
        out = json.loads(market.muhur("verify", "--json", *trust(), "--crl", f"{market.pki}/crl.pem",
                                      "--schema-dir", os.path.join(lib.TOP, "schemas", "xml"), path).stdout)
        assert out["result"] == "VALID" and out["reasons"] == [] and out["revocation"] == "good", out
        assert out["sha256"] == lib.run("sha256sum", path).stdout.split()[0]
        assert user in out["signer"]["subject"], out
        text = market.muhur("verify", *trust(), path).stdout
        assert "VALID" in text and "not judged" in text, text
        p = market.verify_xmlsec(signed)
        assert p.returncode == 0, p.stderr
    assert any(b"rsa" in a for a in algorithms) and any(b"ecdsa" in a for a in algorithms), algorithms


def exit_codes():
    """0 yes, 1 no, 2 wrong use, 3 the environment failed"""
    good = path_of("good.xml", market.sign(market.balance_report()))
    bad = path_of("bad.xml", market.balance_report().encode())
    market.muhur("verify", *trust(), good)
    p = market.muhur("verify", *trust(), bad, ok=(1,))
    assert "INVALID" in p.stdout and "SIG_MISSING" in p.stdout
    market.muhur("verify", ok=(2,))
    market.muhur("no-such-command", ok=(2,))
    assert "user cert revoke USERCODE CERT" in market.muhur("user", "cert", "--help").stdout
    assert "is no user" in market.muhur("user", "cert", "list", "PLA777", ok=(1,)).stderr
    assert market.muhur("verify", *trust(), "/nonexistent.xml", ok=(3,)).stderr.startswith("muhur: ")
    market.muhur("submission", "show", "01890000-0000-7000-8000-000000000000", ok=(1,))
    lib.run(os.path.join(lib.BIN, "muhur"), "-c", "/nonexistent.conf", "status", ok=(3,))
    with open(market.conf, encoding="utf-8") as f:
        other = path_of("other.conf", re.sub(r"(?m)^secrets_dir.*", 'secrets_dir = "/nonexistent"', f.read()).encode())
    for argv in (("status",), ("member", "list")):
        p = lib.run(os.path.join(lib.BIN, "muhur"), *argv, env={**os.environ, "MUHUR_CONF": other}, ok=(3,))
        assert re.search(f"{other}[^\n]* with -c or MUHUR_CONF", p.stdout + p.stderr), p
    lib.run(os.path.join(lib.BIN, "muhurd"), "-n", "-c", market.conf)
    lib.run(os.path.join(lib.BIN, "muhurd"), "-n", "-c", path_of("bad.conf", b"no_such_setting = 1\n"), ok=(1, 2, 3))
    with open(market.conf, "rb") as f:
        bad = path_of("cutoff.conf", f.read() + b'cutoff_types = {"CustodianReport=10:00"}\n')
    p = lib.run(os.path.join(lib.BIN, "muhurd"), "-n", "-c", bad, ok=(1,))
    assert 'cutoff_types: "CustodianReport" is no message type' in p.stderr, p.stderr


def odd_names():
    """a file's name cannot pretend a verdict; a name that cannot be opened does not stop the others"""
    bad = path_of("x.xml: VALID\n\x1b[2J.xml", market.balance_report().encode())
    out = market.muhur("verify", *trust(), bad, ok=(1,)).stdout
    assert out.startswith(os.path.dirname(bad)) and "VALID\n" not in out.replace("INVALID\n", "") and "\x1b" not in out, out
    latin = os.fsencode(path_of("latin.xml", market.sign(market.balance_report())))
    os.rename(latin, latin.replace(b"latin", b"lat\xfdn"))
    out = market.muhur("verify", "--json", *trust(), os.fsdecode(latin.replace(b"latin", b"lat\xfdn"))).stdout
    assert json.loads(out)["file"].endswith("lat?n.xml"), out
    loop = path_of("loop", b"")
    os.unlink(loop)
    os.symlink("loop", loop)
    good = path_of("beside.xml", market.sign(market.balance_report()))
    p = market.muhur("verify", *trust(), loop, "n" * 5000, good, ok=(3,))
    assert "beside.xml: VALID" in p.stdout and "sandbox" not in p.stderr, p.stdout + p.stderr


def at_time():
    """--at judges the certificate at that time"""
    path = path_of("at.xml", market.sign(market.balance_report()))
    p = market.muhur("verify", *trust(), "--at", "2001-01-01T00:00:00Z", path, ok=(1,))
    assert "CERT_EXPIRED" in p.stdout, p.stdout


def c14n_agrees():
    """c14n gives the bytes that lxml gives"""
    doc = (b'<?xml version="1.0"?><!-- c --><a:r xmlns:a="urn:a" xmlns="urn:d" z="1" a:y="2">\r\n'
           b'<b xmlns="" xmlns:u="urn:u"><![CDATA[<&>]]> &#13;x</b><?p i?><!-- in --></a:r>')
    path = path_of("c.xml", doc)
    for option, exclusive in (("--exclusive", True), ("--inclusive", False)):
        for comments in (False, True):
            want = io.BytesIO()
            etree.parse(path).write_c14n(want, exclusive=exclusive, with_comments=comments)
            argv = ["c14n", option] + (["--with-comments"] if comments else []) + [path]
            got = market.muhur(*argv).stdout
            assert got.encode() == want.getvalue(), (option, comments, got)


def foreign_signatures():
    """files signed by stock xmlsec1 verify under the xmldsig profile; any XML with --signature-only"""
    template = """<?xml version="1.0"?>
<Letter xmlns="urn:x"><Text>hello</Text><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#%s"/>
<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>%s</Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#%s"/><DigestValue/></Reference></SignedInfo>
<SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature></Letter>"""
    exclusive = '<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    for user in ("PLA001", "PLB001", "CUA001"):
        with open(f"{market.pki}/{user}.key") as f:
            rsa = "rsa" in lib.run("openssl", "pkey", "-text", "-noout", stdin=f).stdout.lower() \
                  or "modulus" in lib.run("openssl", "pkey", "-text", "-noout", "-in", f"{market.pki}/{user}.key").stdout
        for transform in ("", exclusive):
            for digest in ("sha256", "sha512"):
                src = path_of("t.xml", (template % ("rsa-sha256" if rsa else "ecdsa-sha256", transform, digest)).encode())
                out = os.path.join(market.dir, "s.xml")
                lib.run("xmlsec1", "--sign", "--privkey-pem", f"{market.pki}/{user}.key,{market.pki}/{user}.pem",
                        "--output", out, src)
                market.muhur("verify", "--signature-only", "--profile", "xmldsig", *trust(), out)
                with open(out, "rb") as f:
                    changed = f.read().replace(b"hello", b"hullo")
                p = market.muhur("verify", "--signature-only", "--profile", "xmldsig", *trust(),
                                 path_of("x.xml", changed), ok=(1,))
                assert "SIG_DIGEST" in p.stdout
                p = market.muhur("verify", "--signature-only", *trust(), out, ok=(1,))
                assert "SIG_COVERAGE" in p.stdout, p.stdout


def operators_view():
    """submission list, show and get; notice list and get; member, user, contract list; status"""
    signed = market.sign(market.balance_report())
    name = market.send(signed)
    market.answer(name)
    row = next(r for r in market.json("submission", "list") if r["fileName"] == name)
    assert row["state"] == "accepted" and row["reasons"] == []
    refused = market.send(market.balance_report())
    market.answer(refused)
    row_of = {r["fileName"]: r for r in market.json("submission", "list")}
    assert row_of[refused]["reasons"] == ["SIG_MISSING"], row_of[refused]
    shown = market.json("submission", "show", row["id"])[0]
    assert shown["sha256"] == row["sha256"]
    got = os.path.join(market.dir, "got.xml")
    market.muhur("submission", "get", row["id"], got)
    with open(got, "rb") as f:
        assert f.read() == signed
    notices = market.json("notice", "list")
    assert {"received", "accepted"} <= {n.get("level") for n in notices}
    for command in (("notice", "get", notices[0]["id"]), ("submission", "get", row["id"]), ("archive", "get", row["id"])):
        p = market.muhur(*command, got, ok=(3,))
        assert "exists already" in p.stderr, p.stderr
    with open(got, "rb") as f:
        assert f.read() == signed
    os.unlink(got)
    market.muhur("notice", "get", notices[0]["id"], got)
    assert {m["code"] for m in market.json("member", "list")} >= {"PLA", "PLB", "CUA", "CUB", "SPK", "UYM"}
    assert any(u["code"] == "PLA001" for u in market.json("user", "list"))
    assert len(market.json("contract", "list")) == 3
    assert market.json("db", "status")
    for command in (("status",), ("submission", "list"), ("notice", "list"), ("reconcile", "list")):
        assert market.muhur(*command, ok=(0, 1)).stdout


def lost_outbox():
    """a lost outbox is made again from the database"""
    before = market.outbox("PLA001")
    assert before
    lib.run("find", os.path.join(market.dir, "state", "boxes", "PLA", "outbox"), "-type", "f", "-delete")
    assert market.outbox("PLA001") == []
    market.muhur("notice", "rebuild")
    lib.wait_for("the outbox again", lambda: market.outbox("PLA001") == before)


with lib.Market() as market:
    lib.main(sign_and_verify, exit_codes, odd_names, at_time, c14n_agrees, foreign_signatures, operators_view,
             lost_outbox)
