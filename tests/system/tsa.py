# SPDX-License-Identifier: ISC
"""A time-stamp authority: `openssl ts` with a certificate of an authority of its
own; and signatures that carry its tokens."""

import base64
import os

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
