# SPDX-License-Identifier: ISC
"""Evidence that somebody else closed again: with a manifest and a stamp that hold, another
story in it is found."""

import base64
import hashlib
import json
import os
import re

import lib
from asic import (MANIFEST, STAMP, container, export, failed, gateway, ids, outside, path, read, repacked, set_up, sha256, unpacked,
                  verify)
from tsa import Tsa

market = None


def resealed():
    """who makes a new manifest and stamps it with an authority of their own cannot tell another story"""
    for i, name in enumerate(("good", "wrong-total")):
        export(ids[name], container(i))
    own = Tsa(market, "FORGER")
    files = unpacked(0)
    story = json.loads(files["evidence.json"])

    def seal(files, story):
        forged = {**files, "evidence.json": json.dumps(story).encode(), "anchors/tsa.pem": files["anchors/tsa.pem"] + read(path("FORGERCA.pem"))}
        refs = "".join(f'<a:DataObjectReference URI="{n}"><d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
                       f"<d:DigestValue>{base64.b64encode(hashlib.sha256(d).digest()).decode()}</d:DigestValue></a:DataObjectReference>"
                       for n, d in forged.items() if not n.startswith("META-INF/") and n != "mimetype")
        forged[MANIFEST] = ('<a:ASiCManifest xmlns:a="http://uri.etsi.org/02918/v1.2.1#" xmlns:d="http://www.w3.org/2000/09/xmldsig#">'
                            f'<a:SigReference URI="{STAMP}"/>{refs}</a:ASiCManifest>').encode()
        forged[STAMP] = own.token(forged[MANIFEST])
        return repacked(forged, container("resealed"))

    assert not failed(verify(seal(files, story)))            # so what follows fails for what was changed
    assert [c["check"] for c in failed(verify(seal(files, story), *outside(), code=1))] == [STAMP]

    def without(*names):
        return {n: d for n, d in files.items() if n not in names}

    def told(**kw):
        return {**story, "submission": {**story["submission"], **kw}}

    def proof(kind):
        return next(n for n, d in files.items() if re.fullmatch(r"trail/\d+\.json", n) and json.loads(json.loads(d)["leaf"])["kind"] == kind)

    def edited(kind, edit):
        data = json.loads(files[proof(kind)])
        edit(data)
        return {**files, proof(kind): json.dumps(data).encode()}

    def event(**kw):
        return {**story, "events": [{**story["events"][0], **kw}] + story["events"][1:]}

    one, other = story["notices"]
    new = b"<other/>"
    listing, schema = "material/listing.sha256", min(n for n in files if n.startswith("material/schemas/"))
    twice = b"".join(line * (1 + (i == 0)) for i, line in enumerate(files[listing].splitlines(True)))
    for what, forged, tale, check in (
            ("another document", {**files, "document/good": new}, told(sha256=sha256(new)), "document"),
            ("another verdict", files, told(state="rejected"), "verdict"),
            ("another sender", files, told(uploader="PLB001"), "receipt"),
            ("another name", files, told(fileName="other.xml"), "receipt"),
            ("another time", files, told(receivedAt="2026-01-01T00:00:00.000000Z"), "receipt"),
            ("reasons", files, {**story, "reasons": [{"code": "SIG_VALUE"}]}, "verdict"),
            ("a notice less", without(other["file"]), {**story, "notices": [one]}, "notice"),
            ("a notice that is not told", {**files, other["file"]: new}, {**story, "notices": [one, one]}, "notice"),
            ("another notice", {**files, one["file"]: files[other["file"]]}, story, "notice"),
            ("no receipt", without(proof("received")), story, "receipt"),
            ("no decision", without(proof("accepted")), story, "verdict"),
            ("another opening", edited("received", lambda p: p["opening"]["detail"].update(file="x")), story, proof("received")),
            ("no opening", edited("received", lambda p: p.pop("opening")), story, proof("received")),
            ("another leaf", edited("accepted", lambda p: p.update(leaf=p["leaf"].replace("accepted", "rejected"))), story,
             proof("accepted")),
            ("another place", edited("accepted", lambda p: p.update(index=p["index"] - 1)), story, proof("accepted")),
            ("another's event", {**files, "trail/0.json": unpacked(1)[next(
                n for n in unpacked(1) if re.fullmatch(r"trail/\d+\.json", n))]}, story, "trail/0.json"),
            ("no key", without("trail/key"), story, "trail/checkpoint"),
            ("no checkpoint", without("trail/checkpoint"), story, "trail/checkpoint"),
            ("no anchors", without("anchors/trust.pem", "material/anchors.pem"), story, "signature"),
            *((f"another {key}", files, told(**{key: value}), "verdict") for key, value in (
                ("member", "PLB"), ("messageType", "MovementReport"), ("messageId", "x"), ("businessDate", "2026-01-01"),
                ("decidedAt", story["submission"]["receivedAt"]), ("signingTime", "2026-01-01T00:00:00.000000Z"), ("decidedBy", ids["changed"]),
                ("replaces", ids["changed"]), ("replacedBy", ids["changed"]), ("repeatOf", ids["changed"]), ("signerCertificate", None))),
            *((f"another {key}", files, told(**{key: "1.2.3"}), "signature") for key in ("signerIssuer", "signerSerial", "signaturePolicy")),
            ("another signer alone", files, told(signerCertificate=None, signerSubject="CN=Somebody"), "signature"),
            ("another signer", files, told(signerSubject="CN=Somebody"), "signature"),
            ("another certificate", files, told(signerCertificate=sha256(new)), "signature"),
            ("another signer's file", {**files, "certificates/signer.pem": files["certificates/gateway.pem"]}, story, "certificates"),
            ("another gateway's file", {**files, "certificates/gateway.pem": files["certificates/signer.pem"]}, story, "certificates"),
            ("another authority's file", {**files, "certificates/tsa.pem": files["certificates/gateway.pem"]}, story, "certificates"),
            ("a page among certificates", {**files, "certificates/tsa-report.html": new}, story, "certificates"),
            ("a second signer", {**files, "certificates/signer-2.pem": files["certificates/signer.pem"]}, story, "certificates"),
            ("a stranger behind the signer", {**files, "certificates/signer.pem": files["certificates/signer.pem"] + files["certificates/gateway.pem"]},
             story, "certificates"),
            ("text beside a certificate", {**files, "certificates/signer.pem": b"x\n" + files["certificates/signer.pem"]}, story, "certificates"),
            ("another actor", files, event(actor="PLB001"), "events"),
            ("another moment", files, event(at="2026-01-01T00:00:00.000000Z"), "events"),
            ("another detail", files, event(detail={}), "events"),
            ("an event less", files, {**story, "events": story["events"][1:]}, "events"),
            ("an event twice", files, {**story, "events": story["events"][:1] + story["events"][:-1]}, "events"),
            ("another signing", files, {**story, "notices": [{**one, "signedAt": other["publishedAt"]}, other]}, "notice"),
            ("another level", files, {**story, "notices": [{**one, "level": other["level"]}, other]}, "notice"),
            ("another notice's name", files, {**story, "notices": [{**one, "fileName": other["fileName"]}, other]}, "notice"),
            ("another stamp", files, {**story, "checkpoint": {**story["checkpoint"], "stampedAt": "2026-01-01T00:00:00.000000Z"}},
             "trail/checkpoint.tsr"),
            ("a stamp more", without("trail/checkpoint.tsr"), story, "trail/checkpoint.tsr"),
            ("another key", files, {**story, "checkpoint": {**story["checkpoint"], "key": "x+00000000+AQ=="}}, "trail/checkpoint"),
            ("another list's issuer", files, {**story, "crls": [{**story["crls"][0], "issuer": "CN=x"}] + story["crls"][1:]}, "revocation"),
            ("a list less", files, {**story, "crls": story["crls"][1:]}, "revocation"),
            ("a list without its file", files, {**story, "crls": [{**c, "file": None} for c in story["crls"]]}, "revocation"),
            ("other anchors that judged", {**files, "material/anchors.pem": files["anchors/tsa.pem"]}, story, "material"),
            ("another schema", {**files, schema: files[schema] + b" "}, story, "material"),
            ("a schema more", {**files, "material/schemas/more.xsd": new}, story, "material"),
            ("a schema less", without(schema), story, "material"),
            ("a second listing", {**files, "material/schemas/more.xsd": new, listing: files[listing] + f"{sha256(new)}  schemas/more.xsd\n".encode()},
             story, "material"),
            ("another listing", {**files, listing: files[listing] + b"\n"}, told(material=sha256(files[listing] + b"\n")), "material"),
            ("a line twice", {**files, "material/more": new, listing: twice}, told(material=sha256(twice)), "material"),
            ("material that nobody tells of", files, told(material=None), "material"),
            ("another material", {n: d for n, d in files.items() if not n.startswith("material/")}, told(material=None), "verdict"),
            ("another root", files, {**story, "checkpoint": {**story["checkpoint"], "root": sha256(new)}}, "trail/checkpoint"),
            ("a second document", {**files, "document/other": new}, story, "structure"),
            ("another list", {**files, f"revocation/{sha256(new)}.crl": new + new}, story, "structure"),
            ("a proof twice", {**files, "trail/00.json": files[proof("accepted")]}, story, "trail/00.json"),
            ("no story", files, {}, "story")):
        bad = [c["check"] for c in failed(verify(seal(forged, tale), code=1))]
        assert check in bad, (what, bad)
    # another log with another key tells anything; the key of elsewhere finds it
    assert failed(verify(container(0), "--key", f"{story['checkpoint']['origin']}+00000000+" + base64.b64encode(b"\1" + b"0" * 32).decode(), code=1))
    for option, pem in (("--trust", path("FORGERCA.pem")), ("--tsa", path("FORGERCA.pem"))):
        assert failed(verify(container(0), option, pem, code=1)), option
    # roots inside that are none of those given are said to be, by which it is judged
    own_tsa = ["--trust", f"{market.pki}/trust.pem", "--tsa", path("both.pem")]
    with open(path("both.pem"), "wb") as f:
        f.write(read(path("TSACA.pem")) + read(path("FORGERCA.pem")))
    for pem, option in ((files["anchors/trust.pem"], None), (files["anchors/trust.pem"] + read(path("FORGERCA.pem")), "--trust")):
        o = verify(seal({**files, "anchors/trust.pem": pem}, story), *own_tsa)
        assert [n.split(" has ")[0] for n in o["notes"] if "other roots" in n] == (["anchors/trust.pem"] if option else []), o
    o = verify(seal(files, story), "--trust", f"{market.pki}/trust.pem", "--tsa", path("FORGERCA.pem"), code=1)
    assert any("anchors/tsa.pem has other roots" in n for n in o["notes"]), o
    # anchors that cannot be used are named, and no password is asked for where they have one
    locked = (b"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC," + b"0123456789ABCDEF" * 2 +
              b"\n\nAAAABBBBCCCCDDDD\n-----END CERTIFICATE-----\n")
    for pem in (b"none", locked):
        o = verify(seal({**files, "anchors/trust.pem": pem}, story), code=1)
        assert any("anchors/trust.pem" in n and "no certificates" in n for n in o["notes"]), (pem, o)
    with open(path("locked.pem"), "wb") as f:
        f.write(locked)
    p = lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", "--trust", path("locked.pem"), container(0), ok=None,
                input="secret\n", start_new_session=True)
    assert p.returncode == 3 and "pass phrase" not in p.stderr and "00000000" not in p.stderr, p.stderr
    # the page alone tells another story: it is said what was verified
    assert not any("index.html" in n for n in verify(container(0))["notes"])
    o = verify(seal({**files, "index.html": files["index.html"].replace(b"accepted", b"rejected")}, story))
    assert any("index.html" in n for n in o["notes"])
    # without the stamp it is as good, but says so
    o = verify(seal(without("trail/checkpoint.tsr", "certificates/tsa.pem"), {**story, "checkpoint": {**story["checkpoint"], "stampedAt": None}}))
    assert any("no time-stamp" in n for n in o["notes"])


if __name__ == "__main__":
    with gateway() as (market, _):
        lib.main(set_up, resealed)
