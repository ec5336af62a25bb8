# SPDX-License-Identifier: ISC
"""A time-stamp authority: `openssl ts` with a certificate of an authority of its
own; and signatures that carry its tokens."""

import base64
import contextlib
import http.server
import os
import threading

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

import forge
import lib
import pki
from forge import EXC, XADES

TIME_STAMPING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)

CONF = """[tsa]
default_tsa = this
[this]
serial = {dir}/serial
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
ess_cert_id_chain = no
"""


class Tsa:
    """ca: (key, certificate) of its authority, in a market's folder."""

    def __init__(self, market, name, ca=None, **kw):
        self.ca = ca or pki.issue_ca(market, name + "CA")
        self.key, self.cert = pki.issue(market, name, issuer=self.ca, key_usage=("digital_signature",),
                                        extra=[TIME_STAMPING], **kw)
        self.dir = os.path.join(market.dir, name)
        os.mkdir(self.dir)
        self._write("tsa.cnf", CONF.format(dir=self.dir).encode())
        self._write("serial", b"01\n")

    def _write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def token(self, data, digest="sha256"):
        """The token over the data, DER."""
        query, out = os.path.join(self.dir, "query"), os.path.join(self.dir, "token")
        lib.run("openssl", "ts", "-query", "-data", self._write("data", data), f"-{digest}", "-cert", "-out", query)
        lib.run("openssl", "ts", "-reply", "-config", f"{self.dir}/tsa.cnf", "-queryfile", query, "-signer", self.cert,
                "-inkey", self.key, "-token_out", "-out", out)
        with open(out, "rb") as f:
            return f.read()

    def reply(self, query, section="this"):
        """The TimeStampResp to a query, both DER."""
        out = os.path.join(self.dir, "reply")
        lib.run("openssl", "ts", "-reply", "-config", f"{self.dir}/tsa.cnf", "-section", section, "-queryfile",
                self._write("asked", query), "-signer", self.cert, "-inkey", self.key, "-out", out)
        with open(out, "rb") as f:
            return f.read()

    def signed(self, reply, change=None, key=None, cert=None):
        """The answer with its TSTInfo changed, signed anew: what `openssl ts' would not make."""
        token, info, out = (os.path.join(self.dir, name) for name in ("token", "info", "reply"))
        lib.run("openssl", "ts", "-reply", "-in", self._write("reply", reply), "-token_out", "-out", token)
        lib.run("openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", token, "-out", info)
        with open(info, "rb") as f:
            data = f.read()
        self._write("info", change(data) if change else data)
        lib.run("openssl", "cms", "-sign", "-binary", "-nodetach", "-econtent_type", "id-smime-ct-TSTInfo", "-cades",
                "-md", "sha256", "-signer", cert or self.cert, "-inkey", key or self.key, "-in", info, "-outform", "DER",
                "-nosmimecap", "-out", token)
        with open(token, "rb") as f:
            body = b"\x30\x03\x02\x01\x00" + f.read()
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def over(self, data, method=EXC, **kw):
        """The token over the canonical SignatureValue of a signed document."""
        value = etree.fromstring(data).find(f".//{{{forge.DS}}}SignatureValue")
        return self.token(etree.tostring(value, method="c14n", exclusive=method == EXC, with_tail=False), **kw)


def stamp(token, method=EXC):
    """A SignatureTimeStamp; method None for none, which means inclusive."""
    c14n = f'<ds:CanonicalizationMethod xmlns:ds="{forge.DS}" Algorithm="{method}"/>' if method else ""
    text = token if isinstance(token, str) else base64.encodebytes(token).decode()
    return (f'<x:SignatureTimeStamp xmlns:x="{XADES}">{c14n}<x:EncapsulatedTimeStamp>{text}</x:EncapsulatedTimeStamp>'
            "</x:SignatureTimeStamp>")


def with_unsigned(data, *properties):
    """The signed document with these unsigned signature properties."""
    end = b"</xades:QualifyingProperties>"
    assert data.count(end) == 1
    inner = "".join(properties)
    return data.replace(end, (f'<x:UnsignedProperties xmlns:x="{XADES}"><x:UnsignedSignatureProperties>{inner}'
                              "</x:UnsignedSignatureProperties></x:UnsignedProperties>").encode() + end)


class Server:
    """The authority over HTTP on loopback (RFC 3161 3.4).  page, where it is set, answers
    instead: it gets the request's handler and the query."""

    def __init__(self, tsa):
        self.tsa, self.page, self.asked = tsa, None, 0
        self.done, self.lock = threading.Event(), threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                query = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.asked += 1
                if self.headers["Content-Type"] != "application/timestamp-query":
                    self.send_error(415)
                elif outer.page is not None:
                    with contextlib.suppress(OSError):    # who has heard enough hangs up
                        outer.page(self, query)
                else:
                    outer.say(self, outer.reply(query))

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/tsa"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def reply(self, query):
        with self.lock:
            return self.tsa.reply(query)

    @staticmethod
    def say(handler, body, status=200):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def stop(self):
        self.done.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
