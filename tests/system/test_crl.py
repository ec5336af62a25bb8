#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Revocation lists that are fetched: `muhur crl refresh' and a gateway that
goes on meanwhile.  A web server here plays the authority's."""

import contextlib
import hashlib
import http.server
import json
import os
import shutil
import tempfile
import threading
import time

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import lib
import pki
from pki import DAY, MINUTE

market = None
site = None
crl_dir = None
HOUR = 60 * MINUTE


class Site:
    """What the authority's server gives at each path: bytes, or a function that answers the request."""

    def __init__(self):
        self.pages, self.asked, self.done = {}, [], threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                page = site.pages.get(self.path)
                if page is None:
                    self.send_error(404)
                elif callable(page):
                    page(self)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(page)))
                    self.end_headers()
                    self.wfile.write(page)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self):
        self.done.set()
        self.server.shutdown()
        self.server.server_close()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def der(pem):
    return x509.load_pem_x509_crl(pem).public_bytes(serialization.Encoding.DER)


class Books:
    """The sub-CA's: each list has the next number, and a later time than the one before."""

    def __init__(self):
        old = x509.load_pem_x509_crl(pki.crls(market)[pki.common_name(pki.authority(market)[1])])
        self.number = old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        self.time = old.last_update.replace(tzinfo=pki.now().tzinfo)

    def list(self, *serials, hold=(), **kw):
        self.number += 1
        self.time += MINUTE
        key, cert = pki.authority(market)
        builder = (x509.CertificateRevocationListBuilder().issuer_name(cert.subject)
                   .last_update(pki.utc(kw.get("last_update", self.time)))
                   .next_update(pki.utc(kw.get("next_update", pki.now() + 30 * DAY)))
                   .add_extension(x509.CRLNumber(self.number), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False))
        for serial in (*serials, *hold):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(pki.utc(pki.now() - MINUTE))
            if serial in hold:
                entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


books = None


def in_force():
    """The bytes that the gateway's processes read."""
    path = os.path.join(crl_dir, "crls.pem")
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read()


@contextlib.contextmanager
def renewed():
    """When it is over, documents are judged by what then is in force."""
    before, since = in_force(), market.log_size()
    yield
    if in_force() != before:
        lib.wait_for("verify processes with the new lists",
                     lambda: "fetched revocation lists are read again" in market.log(since))


def refresh(code=0):
    """(what became of the sub-CA's list, the reason, [changed certificates])"""
    with renewed():
        p = market.muhur("--json", "crl", "refresh", ok=(code,))
    lines = [json.loads(line) for line in p.stdout.splitlines()]
    source = [line for line in lines if line.get("source") == site.url("/sub.crl")]
    return source[0]["result"], source[0].get("reason"), [line for line in lines if "certificate" in line]


def publish(data, code=0):
    site.pages["/sub.crl"] = data
    return refresh(code)


def enrol(user):
    """A further user with a certificate of its own: (key, certificate, its serial number)."""
    key, cert = pki.issue(market, user)
    market.muhur("user", "add", user, "--cert", cert)
    with open(cert, "rb") as f:
        return key, cert, x509.load_pem_x509_certificate(f.read()).serial_number


def may_login(user, key):
    with open(key, "rb") as f:
        private = serialization.load_pem_private_key(f.read(), None)
    with open(key + ".ssh", "wb") as f:
        f.write(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                      serialization.NoEncryption()))
    try:
        with market.sftp(user, key + ".ssh"):
            return True
    except paramiko.SSHException:  # that of the last format which Paramiko tried the key in
        return False


def judged(user, key, cert):
    """Codes of a new report signed by that user, which another user of the member sends."""
    return market.exchange(market.sign(market.balance_report(user=user), key=key, cert=cert), "PLA900")[1]


def state(user):
    return market.sql(f"SELECT state, coalesce(revocation, '') FROM muhur.certificate WHERE user_code = '{user}'")[0]


def revocation():
    """a list that names a certificate: its documents and its logins are refused at once, nothing is restarted"""
    key, cert, serial = enrol("PLA002")
    assert judged("PLA002", key, cert) == [] and may_login("PLA002", key)
    pid, since = market.muhurd_pid, market.log_size()
    result, _, changed = publish(books.list(serial))
    assert result == "new" and [(c["user"], c["state"]) for c in changed] == [("PLA002", "revoked")], (result, changed)
    assert state("PLA002") == ["revoked", "crl"]
    assert not may_login("PLA002", key) and "certificate is revoked" in market.log(since)
    assert judged("PLA002", key, cert) == ["CERT_REVOKED"]
    assert market.exchange(market.signed()) == ("accepted", [])
    assert market.muhurd_pid == pid
    # a list that has forgotten it, as authorities do with what has expired
    result, _, changed = publish(books.list())
    assert (result, changed) == ("new", []) and state("PLA002") == ["revoked", "crl"]
    assert judged("PLA002", key, cert) == ["CERT_REVOKED"]


def hold():
    """a certificate on hold is refused until it is released, and one revoked for good is not released"""
    key, cert, serial = enrol("PLA003")
    publish(books.list(hold=[serial]))
    assert state("PLA003") == ["revoked", "hold"] and not may_login("PLA003", key)
    assert judged("PLA003", key, cert) == ["CERT_REVOKED"]
    result, _, changed = publish(books.list())
    assert [(c["user"], c["state"]) for c in changed] == [("PLA003", "good")], changed
    assert may_login("PLA003", key) and judged("PLA003", key, cert) == []
    publish(books.list(hold=[serial]))
    publish(books.list(serial))
    assert state("PLA003") == ["revoked", "crl"]
    publish(books.list())
    assert state("PLA003") == ["revoked", "crl"]


def unchanged():
    """the same list again changes nothing, and nothing is read again"""
    publish(books.list())
    before, inode = in_force(), os.stat(f"{crl_dir}/crls.pem").st_ino
    assert refresh() == ("unchanged", None, [])
    assert in_force() == before and os.stat(f"{crl_dir}/crls.pem").st_ino == inode


def refused():
    """of the wrong issuer, older, half, with a changed byte, of the future, two in one: refused, the old one stays"""
    good = books.list()
    publish(good)
    before = in_force()
    sub, root, other = pki.authority(market), pki.authority(market, "root"), pki.issue_ca(market, "CRLCA")
    ahead = books.number + 50
    changed = bytearray(good)
    changed[len(good) // 2] ^= 1
    later = bytearray(pki_der(sub, ahead))
    later[-1] ^= 1
    pem = pki.crl(sub, ahead)
    for what, data, says in (
            ("of an issuer that is none of the anchors", pki_der(other, ahead), "not among the trust anchors"),
            ("signed by another in the sub-CA's name", der(pki.crl((other[0], sub[1]), ahead)), "not signed with the key"),
            ("signed by the root in the sub-CA's name", der(pki.crl((root[0], sub[1]), ahead)), "not signed with the key"),
            ("of a lower number", pki_der(sub, books.number - 1), "older"),
            ("of an earlier time, whatever its number",
             pki_der(sub, ahead, last_update=books.time - HOUR), "not newer"),
            ("of the same number and time, with other content",
             pki_der(sub, books.number, last_update=books.time, revoked=[1]), "not newer"),
            ("half of one", good[:len(good) // 2], "not the whole"),
            ("all but the last byte", pki_der(sub, ahead)[:-1], "not the whole"),
            ("a changed byte in the middle of the one in force", bytes(changed), None),
            ("a changed byte in the signature of a newer one", bytes(later), "not signed with the key"),
            ("with a tail", pki_der(sub, ahead) + b"x", "not the whole"),
            ("two in one file", pem + pki.crl(sub, ahead + 1), "not the whole"),
            ("half a PEM block", pem[:len(pem) // 2], "not the whole"),
            ("of tomorrow", pki_der(sub, ahead, last_update=pki.now() + DAY), "of the future"),
            ("nothing", b"", "not the whole"),
            ("a web page", b"<html>Come again tomorrow</html>", "not the whole")):
        result, reason, certificates = publish(data, code=1)
        assert result == "refused" and certificates == [], (what, result, certificates)
        assert says is None or says in reason, (what, reason)
        assert in_force() == before, what
    assert market.exchange(market.signed()) == ("accepted", [])
    assert publish(books.list())[0] == "new", "the next good one"


def authority():
    """a time-stamp authority's list, whose root is in tsa_anchors, is taken and stays"""
    ca = pki.issue_ca(market, "TSALISTCA")
    anchors, conf = os.path.join(market.dir, "tsa.pem"), os.path.join(market.dir, "tsa.conf")
    with open(anchors, "wb") as f:
        f.write(ca[1].public_bytes(serialization.Encoding.PEM))
    with open(market.conf) as f, open(conf, "w") as to:
        to.write(f.read() + f'tsa_anchors = "{anchors}"\n')
    site.pages["/sub.crl"] = pki_der(ca, 1)
    for result in ("new", "unchanged"):
        with renewed():
            p = lib.run(os.path.join(lib.BIN, "muhur"), "-c", conf, "--json", "crl", "refresh")
        assert f'"result":"{result}"' in p.stdout and "dropped" not in p.stderr, p
    assert publish(books.list())[0] == "new"
    assert market.exchange(market.signed()) == ("accepted", [])


def pki_der(issuer, number, **kw):
    """A list as pki.crl makes it, later than any of the books unless told otherwise."""
    kw.setdefault("last_update", books.time + 2 * MINUTE)
    return der(pki.crl(issuer, number, **kw))


def server():
    """a server that hangs, breaks off, lies, sends without end or elsewhere: failed, the old one stays, the others come"""
    publish(books.list())
    before = in_force()
    secret = os.path.join(market.dir, "elsewhere.crl")
    with open(secret, "wb") as f:
        f.write(books.list())

    def hangs(request):
        site.done.wait(60)

    def hangs_within(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"0")
        request.wfile.flush()
        site.done.wait(60)

    def breaks_off(request):
        body = books.list()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[:-10])

    def endless(request):
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            while not site.done.is_set():
                request.wfile.write(b"0" * 65536)

    def huge(request):
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 40))
        request.end_headers()

    def to(location):
        def redirect(request):
            request.send_response(302)
            request.send_header("Location", location)
            request.send_header("Content-Length", "0")
            request.end_headers()
        return redirect

    for what, page, says in (("hangs", hangs, "timed out"), ("hangs within", hangs_within, "timed out"),
                             ("breaks off", breaks_off, ""), ("endless", endless, "larger than crl_max_size"),
                             ("huge", huge, "larger than crl_max_size"), ("an error", None, "404"),
                             ("a circle", to("/sub.crl"), "redirects"),
                             ("to a file of this machine", to("file://" + secret), "")):
        begun = time.monotonic()
        result, reason, _ = publish(page, code=3)
        assert result == "failed" and says in reason, (what, result, reason)
        assert in_force() == before, what
        assert time.monotonic() - begun < 20, what
    site.pages["/other.crl"] = books.list()
    assert publish(to("/other.crl"))[0] == "new", "one redirection is followed"
    # while one hangs, another's list comes
    sub, root = pki.authority(market), pki.authority(market, "root")
    old = x509.load_pem_x509_crl(pki.crls(market)[pki.common_name(root[1])])
    number = old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    site.pages["/root.crl"] = der(pki.crl(root, number + 1))
    before = in_force()
    assert publish(hangs, code=3)[0] == "failed"
    assert in_force() != before
    held = {c["issuer"]: c["number"] for c in market.json("crl", "list")}
    assert held[root[1].subject.rfc4514_string()] == str(number + 1), held
    assert publish(books.list())[0] == "new"


def stale():
    """past its next update a list vouches for nobody: CERT_REVOCATION_UNKNOWN, but for the grace of the setting"""
    publish(books.list(next_update=pki.now() - 10 * MINUTE), code=1)
    assert market.exchange(market.signed()) == ("rejected", ["CERT_REVOCATION_UNKNOWN"])
    assert "ended at" in market.muhur("status", ok=(1,)).stdout
    for grace, want in ((300, ("rejected", ["CERT_REVOCATION_UNKNOWN"])), (3600, ("accepted", []))):
        market.stop()
        market.set_conf("crl_grace", grace)
        market.start()
        assert market.exchange(market.signed()) == want, grace
    # who is revoked by it is revoked all the same
    key, cert, serial = enrol("PLA004")
    publish(books.list(serial, next_update=pki.now() - 10 * MINUTE))
    assert judged("PLA004", key, cert) == ["CERT_REVOKED"]
    market.stop()
    market.set_conf("crl_grace", 0)
    market.start()
    publish(books.list())
    assert market.exchange(market.signed()) == ("accepted", [])


def distribution_points():
    """lists where an enrolled certificate says they are, when told so; never a file of this machine"""
    site.pages["/named.crl"] = books.list()
    names = [x509.UniformResourceIdentifier(u) for u in (site.url("/named.crl"), f"file://{market.dir}/x.crl", "ldap://x/")]
    point = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    _, cert = pki.issue(market, "PLA005", extra=[(point, False)])
    market.muhur("user", "add", "PLA005", "--cert", cert)
    site.asked.clear()
    market.muhur("crl", "refresh")
    assert "/named.crl" not in site.asked
    market.set_conf("crl_distribution_points", "true")
    with renewed():
        lines = market.json("crl", "refresh", ok=(0, 1))
    assert [line["result"] for line in lines if line.get("source") == site.url("/named.crl")] == ["new"], lines
    assert not [line for line in lines if "file:" in line.get("source", "") or "ldap" in line.get("source", "")], lines
    market.set_conf("crl_distribution_points", "false")


def at_once():
    """two refreshes do not undo each other's work"""
    def slow(request):
        arrived.set()
        go.wait(20)
        body = books_list
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    arrived, go, books_list = threading.Event(), threading.Event(), books.list()
    site.pages["/sub.crl"] = slow
    first = threading.Thread(target=lambda: results.append(market.muhur("crl", "refresh", ok=None).returncode))
    results = []
    first.start()
    assert arrived.wait(20)
    p = market.muhur("crl", "refresh", ok=(3,))
    assert "another refresh" in p.stderr, p.stderr
    with renewed():
        go.set()
        first.join()
    assert results == [0], results


def kept():
    """the lists that judged a submission are kept with it, byte for byte, when others have taken their place"""
    def judged_by(name):
        ident = market.sql(f"SELECT id FROM muhur.submission WHERE file_name = '{name}'")[0][0]
        return {c["sha256"]: c for c in market.json("submission", "show", ident)[0]["crls"]}

    first = books.list()
    publish(first)
    document = market.signed()
    name = market.send(document)
    market.answer(name)
    publish(books.list())
    other = market.send(market.signed())
    market.answer(other)
    root = x509.load_pem_x509_certificate(read(f"{market.pki}/root.pem")).subject.rfc4514_string()
    crls = judged_by(name)
    assert len(crls) == 2 and all(c["kept"] for c in crls.values()), crls
    sha256 = hashlib.sha256(first).hexdigest()
    assert sha256 in crls and root in {c["issuer"] for c in crls.values()}, crls
    assert sha256 not in judged_by(other)
    path = os.path.join(market.dir, "kept.crl")
    market.muhur("crl", "get", sha256, path)
    with open(path, "rb") as f:
        assert f.read() == first
    market.muhur("crl", "get", "0" * 64, path, ok=(1,))
    wrong = market.sql("SELECT count(*) FROM muhur.crl WHERE sha256 <> encode(sha256(der), 'hex')")
    assert wrong == [["0"]], wrong
    assert "not kept" not in market.muhur("status", ok=(0, 1)).stdout
    market.sound()


def many():
    """status asks no table as a whole that grows with each submission"""
    market.stop()
    market.sql("INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, signer_subject)"
               " SELECT gen_random_uuid(), 'PLA001', 'many', 1, now(), 'rejected', repeat('x', 500)"
               " FROM generate_series(1, 20000)")
    lists = [row[0] for row in market.sql("SELECT DISTINCT sha256 FROM muhur.submission_crl")]
    unkept = "0" * 64
    market.sql("INSERT INTO muhur.submission_crl SELECT s.no, u FROM muhur.submission s, unnest(ARRAY['"
               + "', '".join([lists[0], lists[-1], unkept]) + "']) u WHERE s.file_name = 'many'")
    market.sql("VACUUM ANALYZE muhur.submission")
    market.sql("VACUUM ANALYZE muhur.submission_crl")

    def reads():		# a session's count when it has ended
        lib.wait_for("no session is left", lambda: market.sql(
            "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()") == [])
        return [int(n) for n in market.sql(
            "SELECT (SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('submission', 'submission_crl')),"
            " (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'submission_crl')")[0]]

    before = reads()
    status = market.json("status", ok=(1,))[0]
    assert status["submissions"]["rejected"] >= 20000 and status["crls"]["notKept"] == 1, status
    after = reads()
    assert after[0] == before[0] and after[1] - before[1] < 1000, (before, after)
    market.start()


if __name__ == "__main__":
    crl_dir = tempfile.mkdtemp(prefix="crls.", dir=os.environ.get("MUHUR_TEST_DIR"))
    os.chmod(crl_dir, 0o755)
    site = Site()
    try:
        with lib.Market(f'crl_dir = "{crl_dir}"\ncrl_timeout = 2\ncrl_max_size = 64K\n'
                        f'crl_urls = {{"{site.url("/sub.crl")}", "{site.url("/root.crl")}"}}\n') as market:
            books = Books()
            site.pages["/root.crl"] = der(pki.crls(market)[pki.common_name(pki.authority(market, "root")[1])])
            lib.main(revocation, hold, unchanged, refused, authority, server, stale, distribution_points, at_once, kept, many)
    finally:
        site.close()
        shutil.rmtree(crl_dir, ignore_errors=True)
