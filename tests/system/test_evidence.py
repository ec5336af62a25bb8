# SPDX-License-Identifier: ISC
"""Evidence: a day over SFTP, checkpoints stamped by an authority on loopback, and
containers of what was sent.  Stock programs verify what is in them, `muhur
evidence verify' finds every change."""

import base64
import contextlib
import csv
import datetime
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import warnings
import zipfile

from lxml import etree

import lib
import pki
import softhsm
from asic import (MANIFEST, SIGNATURE, STAMP, container, export, failed, gateway, ids, in_checkpoint, outside, path, read,
                  repacked, sent, set_up, sha256, spoilt, unpacked, verify)

market = server = None
XHTML = "{http://www.w3.org/1999/xhtml}"


def whole():
    """each container is valid, by its own anchors, which is said, and by those of elsewhere; what was exported is an event"""
    for i, ident in enumerate(ids.values()):
        export(ident, container(i))
        o = verify(container(i))
        for option in ("--trust", "--key", "--tsa"):
            assert any(option in n for n in o["notes"]), o
        o = verify(container(i), *outside())
        assert not any("container itself" in n for n in o["notes"]), o
        text = lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", container(i)).stdout
        assert text.startswith(f"{container(i)}: VALID\n") and "FAILED" not in text, text
    events = market.sql("SELECT detail ->> 'sha256' FROM muhur.event WHERE kind = 'evidence-exported' ORDER BY no")
    assert [e[0] for e in events] == [sha256(read(container(i))) for i in range(len(ids))]


def contents():
    """the file byte by byte, its notices, certificates, lists, what judged it, proofs of every event; fixed times"""
    files = unpacked(0)
    assert files["document/good"] == read(path("report.xml"))
    assert files["mimetype"] == b"application/vnd.etsi.asic-e+zip"
    notices = market.sql("SELECT n.id || '.' || n.level, n.sha256 FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
                         f" WHERE s.id = '{ids['good']}'")
    assert {f"notices/{n}.xml": h for n, h in notices} == {n: sha256(d) for n, d in files.items() if n.startswith("notices/")}
    assert sorted(n for n in files if n.startswith("certificates/")) == [
        "certificates/gateway.pem", "certificates/signer.pem", "certificates/tsa.pem"]
    lists = market.sql(f"SELECT c.sha256 FROM muhur.submission_crl c JOIN muhur.submission s ON s.no = c.submission"
                       f" WHERE s.id = '{ids['good']}'")
    assert {f"revocation/{h}.crl" for h, in lists} == {n for n in files if n.startswith("revocation/")} and lists
    for name in files:
        if name.startswith("revocation/"):
            assert sha256(files[name]) == name[11:-4]
    judged = {line.split("  ")[1]: line.split("  ")[0] for line in files["material/listing.sha256"].decode().splitlines()}
    assert {"anchors.pem", "crl.pem"} <= set(judged) and any(n.startswith("schemas/") for n in judged)
    assert {f"material/{n}": h for n, h in judged.items()} == {
        n: sha256(d) for n, d in files.items() if n.startswith("material/") and n != "material/listing.sha256"}
    kinds = sorted(json.loads(json.loads(d)["leaf"])["kind"] for n, d in files.items() if re.fullmatch(r"trail/\d+\.json", n))
    assert {"received", "accepted", "signed"} <= set(kinds) and kinds.count("signed") == 2, kinds
    for name, data in files.items():
        if re.fullmatch(r"trail/\d+\.json", name):
            proof = json.loads(data)
            assert proof["opening"]["salt"] and proof["checkpoint"].encode() == files["trail/checkpoint"]
    with zipfile.ZipFile(container(0)) as z:
        infos = z.infolist()
        assert infos[0].filename == "mimetype" and infos[0].header_offset == 0 and not infos[0].extra
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) and i.compress_type == zipfile.ZIP_STORED for i in infos)
    # what everybody's bytes make is the same again
    export(ids["good"], container("again"))
    with zipfile.ZipFile(container("again")) as z:
        for name in z.namelist():
            if not name.startswith(("META-INF/", "trail/", "evidence.json", "index.html")):
                assert z.read(name) == files[name], name


def lines(i):
    """The page's lines for stock tools, each run as it stands."""
    folder, files = path(f"lines-{i}"), unpacked(i)
    with zipfile.ZipFile(container(i)) as z:
        z.extractall(folder)
    for name, source in (("root", f"{market.pki}/root.pem"), ("sub-ca", f"{market.pki}/subca.pem"), ("trust", f"{market.pki}/trust.pem"),
                         ("tsa", path("TSACA.pem"))):
        shutil.copy(source, f"{folder}/{name}.pem")
    pages = [[pre.text for pre in section.iter(XHTML + "pre")][1].splitlines()
             for section in etree.fromstring(files["index.html"]).iter(XHTML + "section")]
    assert pages[0] == pages[1], pages
    for line in pages[0]:
        p = lib.run("sh", "-c", line, cwd=folder, ok=None)
        assert p.returncode == 0, (line, p.stderr)
    text = " ".join(etree.HTML(files["index.html"]).itertext())
    assert ("an independent authority" in text) == ("trail/checkpoint.tsr" in files) == ("bağımsız bir makam" in text)
    return pages[0]


def stock():
    """unzip, sha256sum, xmlsec1, openssl ts and openssl cms say the same"""
    folder = path("unpacked")
    lib.run("unzip", "-tq", container(0))
    with zipfile.ZipFile(container(0)) as z:
        assert z.testzip() is None
        z.extractall(folder)
    for xml in glob.glob(f"{folder}/notices/*.xml") + [f"{folder}/document/good"]:
        p = lib.run("xmlsec1", "--verify", "--trusted-pem", f"{market.pki}/root.pem", "--untrusted-pem", f"{market.pki}/subca.pem",
                    xml, ok=None)
        assert p.returncode == 0, (xml, p.stderr)
    for what in (["-in", "trail/checkpoint.tsr", "-data", "trail/checkpoint"],
                 ["-token_in", "-in", STAMP, "-data", MANIFEST]):
        p = lib.run("openssl", "ts", "-verify", *what, "-CAfile", path("TSACA.pem"), cwd=folder, ok=None)
        assert "Verification: OK" in p.stdout, (what, p.stderr)
    told = lines(0)
    assert len(told) == 5 and not any(SIGNATURE in line for line in told), told
    assert [line.split()[0] for line in lines(3)] == ["sha256sum", "xmlsec1", "openssl", "openssl"]        # garbage has no signature
    manifest = etree.parse(f"{folder}/{MANIFEST}").getroot()
    asic, ds = "{http://uri.etsi.org/02918/v1.2.1#}", "{http://www.w3.org/2000/09/xmldsig#}"
    assert manifest.find(f"{asic}SigReference").get("URI") == STAMP
    refs = {r.get("URI"): base64.b64decode(r.find(f"{ds}DigestValue").text).hex()
            for r in manifest.findall(f"{asic}DataObjectReference")}
    assert refs == {n: sha256(d) for n, d in unpacked(0).items() if not n.startswith("META-INF/") and n != "mimetype"}
    for pem in glob.glob(f"{folder}/certificates/*.pem"):
        roots = path("TSACA.pem") if "tsa" in pem else f"{market.pki}/root.pem"
        lib.run("openssl", "verify", "-CAfile", roots, "-untrusted", pem, pem)


def pages():
    """the page is XML and HTML, has both languages, escapes what members wrote, and fetches nothing"""
    for i, name in enumerate(ids):
        data = unpacked(i)["index.html"]
        root = etree.fromstring(data)
        assert [s.get("lang") for s in root.iter(XHTML + "section")] == ["tr", "en"]
        html = etree.HTML(data)
        text = {lang: " ".join(html.xpath(f'//section[@lang="{lang}"]//text()')) for lang in ("tr", "en")}
        assert name in text["tr"] and name in text["en"], name
        assert "Nasıl doğrulanır" in text["tr"] and "How to verify" in text["en"]
        assert ("kabul edildi" if i == 0 else "reddedildi") in text["tr"]
        assert ("accepted" if i == 0 else "rejected") in text["en"]
        tags = {e.tag.replace(XHTML, "") for e in root.iter()}
        assert not tags & {"script", "img", "link", "iframe", "object", "b"}, tags
        for e in root.iter():
            for key, value in e.attrib.items():
                assert not key.startswith("on") and (key not in ("src", "href") or value.startswith("#")), (key, value)
        assert b"url(" not in data and b"@import" not in data
    # what nothing proves is marked, and not in the first sentence
    root = etree.fromstring(unpacked(0)["index.html"])
    name = json.loads(unpacked(0)["evidence.json"])["submission"]["memberName"]
    assert not any(name in "".join(p.itertext()) for p in root.iter(XHTML + "p"))
    heads = [tr[0].text for tr in root.iter(XHTML + "tr") if tr[1].text == name]
    assert len(heads) == 2 and all(h.endswith("*") for h in heads), heads
    wrong = " ".join(etree.HTML(unpacked(1)["index.html"]).itertext())
    assert "CONTROL_TOTAL" in wrong and "Kural:" in wrong and "Rule:" in wrong


def changed():
    """of every entry: changed, removed, or another one added: INVALID, whoever's anchors count"""
    files, out = unpacked(0), container("forged")
    verify(repacked(files, out))
    schemas = [n for n in files if n.startswith("material/schemas/")]
    for name in [n for n in files if n not in schemas[1:]]:
        for what in ("changed", "removed"):
            forged = dict(files)
            if what == "removed":
                del forged[name]
            else:
                forged[name] = spoilt(files[name])
            repacked(forged, out)
            assert failed(verify(out, code=1)), (name, what)
    for name in ("notices/more.xml", "document/more", "trail/999.json", "META-INF/timestamp2.tst", "META-INF/manifest.xml",
                 SIGNATURE, "META-INF/ASiCManifest-signature.xml", "more", "anchors/more.pem", "material/schemas/more.xsd"):
        assert name not in files
        repacked({**files, name: b"more"}, out)
        assert failed(verify(out, code=1)), name
    swapped = dict(files)
    a, b = [n for n in files if n.startswith("notices/")]
    swapped[a], swapped[b] = swapped[b], swapped[a]
    assert failed(verify(repacked(swapped, out), code=1))


def hostile():
    """what is no container, or one that would do harm: INVALID, at once"""
    files, out = unpacked(0), container("hostile")
    whole = read(container(0))

    def write(data):
        with open(out, "wb") as f:
            f.write(data)
        return out

    for data in (b"", b"PK", b"garbage" * 1000, whole[:100], whole[:-1], whole[:-30], whole + b"\0", b"\0" + whole,
                 whole[:len(whole) // 2], whole[100:]):
        assert failed(verify(write(data), code=1)), data[:20]
    # some of what the headers have beside names, sizes and digests, as a file's mode, is nothing of the files: that alone may change
    with zipfile.ZipFile(container(0)) as z:
        headers = [(i.header_offset, i.header_offset + 30 + len(i.filename)) for i in z.infolist()] + [(z.start_dir, len(whole))]
    for at in [*range(0, len(whole), len(whole) // 30), *(a + 6 for a, _ in headers)]:
        p = lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", write(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:]), ok=None)
        if p.returncode == 0:
            assert any(a <= at < b for a, b in headers), (at, p)
        else:
            assert p.returncode == 1 and p.stdout.startswith(f"{out}: INVALID\n"), (at, p)
    for name in ("../evil", "/etc/evil", "notices/../../evil", "notices\\evil", "document/.hidden", "notices/", "notices/a b",
                 "document/-rf", "x" * 300, "notices/" + "x" * 250, "a/b/c/d/e/f"):
        assert failed(verify(repacked({**files, name: b""}, out), code=1)), name
    # the mimetype: elsewhere, compressed, another
    rest = {n: d for n, d in files.items() if n != "mimetype"}
    assert failed(verify(repacked({**rest, "mimetype": files["mimetype"]}, out), code=1))
    assert failed(verify(repacked({"mimetype": b"application/zip", **rest}, out), code=1))
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo(name), data, compress_type=zipfile.ZIP_DEFLATED)
    assert failed(verify(out, code=1))
    # compressed behind it is fine, but not by bzip2, and no bomb
    def compressed(method, more):
        with zipfile.ZipFile(out, "w") as z:
            for name, data in {**files, **more}.items():
                z.writestr(zipfile.ZipInfo(name), data, compress_type=zipfile.ZIP_STORED if name == "mimetype" else method)
        return out

    assert not failed(verify(compressed(zipfile.ZIP_DEFLATED, {})))
    assert failed(verify(compressed(zipfile.ZIP_BZIP2, {}), code=1))
    o = verify(compressed(zipfile.ZIP_DEFLATED, {"notices/bomb.xml": b"0" * (64 << 20)}), code=1)
    assert [c["check"] for c in failed(o)] == ["structure"] and "larger" in failed(o)[0]["detail"], o
    # where no manifest holds nothing more is looked at, and a document is as large as evidence.json tells
    o = verify(repacked({n: d for n, d in files.items() if n != MANIFEST}, out), code=1)
    assert [c["check"] for c in o["checks"]] == [MANIFEST], o
    o = verify(repacked({**files, STAMP: b"none"}, out), code=1)
    assert [c["check"] for c in failed(o)] == [STAMP] and len(o["checks"]) == 3 and any("any further" in n for n in o["notes"]), o
    large = (bytes(1 << 20) + os.urandom(10000)) * 65
    o = verify(compressed(zipfile.ZIP_DEFLATED, {"document/good": large}), code=1)
    assert [c["check"] for c in o["checks"]] == ["structure"] and "evidence.json" in o["checks"][0]["detail"], o
    # a length that lies, a name that is there twice, a comment, too many
    lie = bytearray(read(repacked(files, out)))
    at = lie.rindex(b"PK\1\2")
    lie[at + 24:at + 28] = (1 << 31).to_bytes(4, "little")
    assert failed(verify(write(bytes(lie)), code=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "w") as z:
            for name, data in list(files.items()) + [("document/good", b"other")]:
                z.writestr(zipfile.ZipInfo(name), data)
    assert failed(verify(out, code=1))
    with zipfile.ZipFile(repacked(files, out), "a") as z:
        z.comment = b"hello"
    assert failed(verify(out, code=1))
    assert failed(verify(repacked({**files, **{f"notices/{i}.xml": b"" for i in range(5000)}}, out), code=1))
    # what is inside: XML with entities, JSON that is none
    laughs = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a:ASiCManifest xmlns:a="http://uri.etsi.org/02918/v1.2.1#">&y;</a:ASiCManifest>'
    assert failed(verify(repacked({**files, MANIFEST: laughs}, out), code=1))
    assert failed(verify(repacked({**files, "evidence.json": b"[" * 100000}, out), code=1))
    p = lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", path("absent.asice"), ok=None)
    assert p.returncode == 3 and "absent.asice" in p.stderr
    assert lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", path("out"), ok=None).returncode == 3
    assert lib.run(os.path.join(lib.BIN, "muhur"), "evidence", "verify", ok=None).returncode == 2


def signed():
    """with --key it is closed by a CAdES signature, alone or beside the time-stamp; with neither it is refused"""
    key = ["--key", f"{market.pki}/MKK001.key", "--cert", f"{market.pki}/MKK001.pem"]
    export(ids["good"], container("both"), *key)
    o = verify(container("both"), *outside())
    assert not failed(o) and not any("a signature alone" in n for n in o["notes"]), o
    assert any(c["check"] == SIGNATURE and "as the signer says" in c["detail"] for c in o["checks"]), o
    both = unpacked("both")
    assert STAMP in both and "META-INF/ASiCManifest-signature.xml" in both
    assert [line.count("META-INF/") for line in lines("both")][-2:] == [2, 2]
    forged = {**both, SIGNATURE: b"x"}
    assert failed(verify(repacked(forged, container("forged")), code=1))
    market.set_conf("tsa_url", '""')
    in_checkpoint()         # one without a time-stamp
    for user in ("MKK001", "CUA001", "UYM001"):        # P-256, P-384, RSA
        export(ids["good"], container(user), "--key", f"{market.pki}/{user}.key", "--cert", f"{market.pki}/{user}.pem")
        o = verify(container(user), *outside())
        assert not failed(o) and any("a signature alone" in n for n in o["notes"]), o
        files = unpacked(user)
        assert STAMP not in files and "trail/checkpoint.tsr" not in files
        assert not any("openssl ts" in line for line in lines(user))
        with zipfile.ZipFile(container(user)) as z:
            z.extractall(path(user))
        p = lib.run("openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", SIGNATURE, "-content", MANIFEST,
                    "-CAfile", f"{market.pki}/trust.pem", "-purpose", "any", "-out", "/dev/null", cwd=path(user), ok=None)
        assert p.returncode == 0, p.stderr
        for name in ("document/good", "index.html", MANIFEST, SIGNATURE):
            assert failed(verify(repacked({**files, name: spoilt(files[name])}, container("forged")), code=1)), name
    p = export(ids["good"], container("none"), code=3)
    assert "tsa_url" in p.stderr and "--key" in p.stderr
    p = export(ids["good"], container("none"), "--key", f"{market.pki}/MKK001.key", "--cert", f"{market.pki}/UYM001.pem", code=3)
    assert "certificate" in p.stderr
    market.set_conf("tsa_url", f'"{server.url}"')
    assert not os.path.exists(container("none"))


def on_token():
    """the key may be on a PKCS#11 token"""
    if not softhsm.available():
        raise lib.Skip("needs softhsm2 and opensc")
    card = softhsm.Token(path("card"), "officer")
    for i, kind in enumerate(("EC:prime256v1", "EC:secp384r1", "rsa:2048")):
        _, cert = pki.issue(market, f"OFFICER{i}", public=card.make_key(kind, f"key{i}", f"0{i + 1}"))
        market.muhur("evidence", "export", ids["good"], "-o", container(f"card{i}"), "--key", card.uri(f"key{i}"), "--cert", cert,
                     env=card.env)
        assert not failed(verify(container(f"card{i}"), *outside()))


def refused():
    """an authority that is away or lies, an unknown submission, no place for the file: said, and nothing is left"""
    server.page = lambda handler, query: handler.send_error(503)
    p = export(ids["good"], container("none"), code=3)
    assert "503" in p.stderr
    server.page = lambda handler, query: server.say(handler, b"garbage")
    assert "refused" in export(ids["good"], container("none"), code=3).stderr
    server.page = None
    for ident in ("01234567-89ab-7def-8123-456789abcdef", "x"):
        assert "no such submission" in export(ident, container("none"), code=1).stderr
    assert "absent" in export(ids["good"], path("absent", "x.asice"), code=3).stderr
    market.muhur("evidence", "export", ids["good"], ok=(2,))
    market.muhur("evidence", "export", "-o", container("none"), ok=(2,))
    market.muhur("evidence", "export", "--member", "PLA", "-o", container("none"), ok=(2,))
    assert not glob.glob(container("none") + "*") and not glob.glob(path("out", "*.asice.*"))
    # what the store has lost or spoilt is not handed out
    digest = sha256(read(path("report.xml")))
    stored = path("state", "store", digest[:2], digest)
    data = read(stored)
    os.rename(stored, stored + ".away")
    assert "not in the store" in export(ids["good"], container("none"), code=3).stderr
    held = path("state", "store", "held")         # where what nobody could judge lies
    os.makedirs(held, exist_ok=True)
    for kept, code in ((data, 0), (data[:-1] + b" ", 3)):
        with open(f"{held}/{ids['good']}", "wb") as f:
            f.write(kept)
        export(ids["good"], container(f"held{code}"), code=code)
    os.unlink(f"{held}/{ids['good']}")
    assert unpacked("held0")["document/good"] == data
    with open(stored, "wb") as f:
        f.write(data[:-1] + b" ")
    assert "other bytes" in export(ids["good"], container("none"), code=3).stderr
    os.rename(stored + ".away", stored)
    assert not os.path.exists(container("none"))


@contextlib.contextmanager
def export_behind(table, ident, name):
    """An export that waits for that table; it goes on behind the block."""
    with subprocess.Popen([lib.MARKET, "psql", market.dir, "-Atq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        print(f"BEGIN; LOCK {table}; \\echo ready", file=psql.stdin, flush=True)
        assert psql.stdout.readline().strip() == "ready"
        p = subprocess.Popen([os.path.join(lib.BIN, "muhur"), "-c", market.conf, "evidence", "export", ident, "-o", container(name)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lib.wait_for("the export to come to it", lambda: market.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'muhur_admin'") == [["1"]])
        yield p, psql
        print("COMMIT;", file=psql.stdin, flush=True)
        p.wait()


def no_event():
    """without its event there is no container, and where it finds no place its event stays"""
    market.sql("CREATE FUNCTION muhur.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no event'; END $$;"
               " CREATE TRIGGER none BEFORE INSERT ON muhur.event FOR EACH ROW WHEN (NEW.kind = 'evidence-exported')"
               " EXECUTE FUNCTION muhur.none()")
    try:
        assert "no event" in export(ids["good"], container("none"), code=3).stderr
    finally:
        market.sql("DROP TRIGGER none ON muhur.event; DROP FUNCTION muhur.none()")
    count = "SELECT count(*) FROM muhur.event WHERE kind = 'evidence-exported'"
    before = int(market.sql(count)[0][0])
    with export_behind("muhur.event IN SHARE MODE", ids["good"], "none") as (p, _):
        os.mkdir(container("none"))
    assert p.wait() == 3
    os.rmdir(container("none"))
    assert int(market.sql(count)[0][0]) == before + 1
    # one that is there stays as it is
    kept = read(container(0))
    assert "exists already" in export(ids["good"], container(0), code=3).stderr
    assert read(container(0)) == kept and int(market.sql(count)[0][0]) == before + 1
    assert not glob.glob(container("none") + "*")


def sequencer():
    """The process id of the gateway's sequencer."""
    for stat in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            with open(stat, encoding="utf-8") as f:
                pid, rest = f.read().split(" (", 1)
            comm, rest = rest.rsplit(") ", 1)
            if comm == "muhur-sequencer"[:15] and int(rest.split()[1]) == market.muhurd_pid:
                return int(pid)
    raise AssertionError("no sequencer")


def too_early():
    """what is in no checkpoint yet is not handed out without its proof"""
    pid = sequencer()
    os.kill(pid, signal.SIGSTOP)
    try:
        market.send(market.signed(), name="young")
        market.answer("young")
        p = export(sent("young"), container("none"), code=3)
        assert "no checkpoint of the trail yet" in p.stderr, p.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    in_checkpoint()
    export(sent("young"), container("young"))
    assert not failed(verify(container("young"), *outside()))
    ids["young"] = sent("young")


def inspection():
    """all of a member's from one day to another: a container each, two listings; a day without any is said (m.54)"""
    today = datetime.datetime.now(lib.ISTANBUL).date()
    first, last = today - datetime.timedelta(days=4), today + datetime.timedelta(days=1)
    folder = path("inspection")
    market.exchange(market.signed(), name="=1+2.xml")
    in_checkpoint()
    ids["formula"] = sent("=1+2.xml")
    market.muhur("evidence", "export", "--member", "PLA", "--from", first, "--to", last, "-o", folder)
    with open(f"{folder}/index.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert {r["submission"] for r in rows if r["submission"]} == set(ids.values())
    assert sorted({r["day"] for r in rows}) == [str(first + datetime.timedelta(days=i)) for i in range(6)]
    # a spreadsheet takes it for a text
    assert [r["fileName"] for r in rows if r["submission"] == ids["formula"]] == ["'=1+2.xml"], rows
    empty = [r for r in rows if not r["submission"]]
    assert len(empty) >= 3 and all("No submission" in r["note"] for r in empty), rows
    for r in rows:
        if r["submission"]:
            assert r["containerSha256"] == sha256(read(os.path.join(folder, r["container"])))
            assert not failed(verify(os.path.join(folder, r["container"]), *outside()))
    page = etree.parse(f"{folder}/index.html").getroot()
    text = " ".join(page.itertext())
    assert "Bu gün hiç gönderim yok." in text and "No submission on this day." in text
    assert {a.get("href") for a in page.iter(XHTML + "a")} == {r["container"] for r in rows if r["container"]}
    # what is purged is listed so, with when; it is no trouble
    market.sql("UPDATE muhur.submission SET purged_at = '2026-01-02T03:04:05Z' WHERE id = '{changed}'; UPDATE muhur.notice SET purged_at = "
               "'2026-01-02T03:04:06Z' WHERE submission = (SELECT no FROM muhur.submission WHERE id = '{wrong-total}')".format(**ids))
    assert "was purged at 2026-01-02" in export(ids["changed"], container("purged"), code=1).stderr
    market.muhur("evidence", "export", "--member", "PLA", "--from", first, "--to", last, "-o", path("purged"))
    with open(path("purged", "index.csv"), encoding="utf-8", newline="") as f:
        gone = {r["submission"]: r for r in csv.DictReader(f) if r["submission"] and not r["container"]}
    assert {i: r["note"][:29] for i, r in gone.items()} == {ids["changed"]: "Purged at 2026-01-02T03:04:05", ids["wrong-total"]:
                                                           "Purged at 2026-01-02T03:04:06"}, gone
    assert "silindi: 2026-01-02T03:04:05" in read(path("purged", "index.html")).decode()
    market.sql("UPDATE muhur.submission SET purged_at = NULL; UPDATE muhur.notice SET purged_at = NULL")
    assert "exists" in market.muhur("evidence", "export", "--member", "PLA", "--from", first, "--to", last, "-o", folder, ok=(3,)).stderr
    assert market.muhur("evidence", "export", "--member", "XXX", "--from", first, "--to", last, "-o", folder, ok=(1,))
    assert market.muhur("evidence", "export", "--member", "PLA", "--from", last, "--to", first, "-o", folder, ok=(2,))
    assert market.muhur("evidence", "export", "--member", "PLA", "--from", "x", "--to", last, "-o", folder, ok=(2,))


def other_ends():
    """what was corrected, what corrects it, a repeat, and one that an operator had tried again: the log proves each"""
    def arrived(name, data, state):
        market.send(data, name=name)
        lib.wait_for(f"{name} to be {state}",
                     lambda: market.sql(f"SELECT state FROM muhur.submission WHERE file_name = '{name}'") == [[state]])
        return sent(name)
    first = arrived("first", market.signed(message_id="EV-1"), "accepted")
    second = arrived("second", market.signed(message_id="EV-2", replaces="EV-1"), "accepted")
    repeat = arrived("repeat", read(path("report.xml")), "repeated")
    market.sql("INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT now(), 'received', 'operator', no, '{\"member\":\"PLA\"}'"
               f" FROM muhur.submission WHERE id = '{second}'")
    in_checkpoint()
    for ident, told in ((first, dict(state="replaced", replacedBy=second)), (second, dict(state="accepted", replaces=first)),
                        (repeat, dict(state="repeated", repeatOf=ids["good"]))):
        export(ident, container(told["state"]))
        o = verify(container(told["state"]), *outside())
        assert not failed(o), o
        s = json.loads(unpacked(told["state"])["evidence.json"])["submission"]
        assert told.items() <= s.items(), s


def meanwhile():
    """what is decided while the export reads is in neither part of the container"""
    ident = ids["formula"]
    with export_behind("muhur.trail_leaf", ident, "meanwhile") as (p, psql):
        print("INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT now(), 'cancelled', 'operator', no, '{}'"
              f" FROM muhur.submission WHERE id = '{ident}';", file=psql.stdin, flush=True)
    assert p.wait() == 0
    o = verify(container("meanwhile"), *outside())
    assert not failed(o), o


def schemas():
    """other schemas than those in the container are said to be; those may be given"""
    with zipfile.ZipFile(container(0)) as z:
        z.extractall(path("judged"))
    folder = path("judged", "material", "schemas")
    told = [any("--schema-dir" in n for n in verify(container(0), *argv)["notes"]) for argv in ((), ("--schema-dir", folder))]
    with open(f"{folder}/common-1.xsd", "ab") as f:
        f.write(b"<!-- another -->")
    told.append(any("--schema-dir" in n for n in verify(container(0), "--schema-dir", folder)["notes"]))
    assert told == [False, False, True], told


def planted():
    """certificates that a member writes beside the signer's do not take its place"""
    pem = read(f"{market.pki}/CUA001.pem").decode()
    other = "".join(line for line in pem.splitlines() if not line.startswith("-"))
    report = market.balance_report().replace("<Balances>", f"<!-- <X509Certificate>{other}</X509Certificate> -->\n<Balances>", 1)
    assert market.exchange(market.sign(report), name="planted") == ("accepted", [])
    in_checkpoint()
    export(sent("planted"), container("planted"))
    assert not failed(verify(container("planted"), *outside()))
    files, good = unpacked("planted"), unpacked(0)
    assert other.encode() in files["document/planted"]
    assert files["certificates/signer.pem"] == good["certificates/signer.pem"] and "certificates/signer-2.pem" not in files
    # where the signature did not hold, whoever's certificate is in it is no signer
    assert not [n for n in unpacked(2) if n.startswith("certificates/signer")]


def later():
    """when the signer is revoked, the notice fetched and the document compressed, the evidence is as good as before"""
    o = verify(container(0), *outside())
    market.muhur("user", "cert", "revoke", "PLA001", json.loads(unpacked(0)["evidence.json"])["submission"]["signerCertificate"])
    in_checkpoint()
    export(ids["good"], container("later"))
    assert verify(container("later"), *outside())["checks"][-1] == o["checks"][-1]
    kinds = [e["kind"] for e in json.loads(unpacked("later")["evidence.json"])["events"]]
    assert "evidence-exported" in kinds, kinds


if __name__ == "__main__":
    with gateway() as (market, server):
        lib.main(set_up, whole, contents, stock, pages, changed, hostile, signed, on_token, refused, no_event, too_early, inspection, other_ends, schemas, planted, meanwhile, later)
