# SPDX-License-Identifier: ISC
"""Documents that no honest tool makes: a signed document is taken apart and
changed, and its digests and its value are made right again, so that a test
judges what it changed and nothing else.  And how such documents are judged:
by sending them and reading every answer."""

import base64
import copy
import hashlib
import os
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, utils
from lxml import etree

import lib

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ENC = "http://www.w3.org/2001/04/xmlenc#"
PSS = "http://www.w3.org/2007/05/xmldsig-more#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
INC = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.S)

DIGESTS = {DS + "sha1": "sha1", ENC + "sha256": "sha256", MORE + "sha384": "sha384", ENC + "sha512": "sha512",
           MORE + "md5": "md5"}


# --- a signed document as bytes ----------------------------------------------------

def parts(data):
    """The document without its signature, and the signature."""
    sig = SIGNATURE.search(data).group(0)
    return data.replace(sig, b""), sig


def first(data):
    """The same with its signature moved to the front."""
    body, sig = parts(data)
    return re.sub(rb"<(Balance|Custody)Report[^>]*>", lambda m: m.group(0) + sig, body, count=1)


def inside(data, what):
    """What is added stands last in the root element."""
    at = data.rindex(b"</")
    return data[:at] + what + data[at:]


def bare(data):
    """Without its XML declaration, to stand in another document."""
    return re.sub(rb"^<\?xml[^>]*>\s*", b"", data)


# --- a signed document as a tree -----------------------------------------------------

def ds(path):
    """The path with its steps in XML Signature's namespace."""
    return "/".join(f"{{{DS}}}{step}" for step in path.split("/"))


def xades(path):
    return "/".join(f"{{{XADES}}}{step}" for step in path.split("/"))


def load_key(path):
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def load_cert(path):
    with open(path, "rb") as f:
        return x509.load_pem_x509_certificate(f.read())


def point(cert):
    """An EC key as the point that it is, uncompressed."""
    return cert.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def der64(cert):
    return base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode()


def _c14n(node, method):
    """Canonical bytes as a Transform or CanonicalizationMethod element says."""
    uri = INC if method is None else method.get("Algorithm")
    prefixes = None
    if method is not None and (inner := method.find(f"{{{EXC}}}InclusiveNamespaces")) is not None:
        prefixes = inner.get("PrefixList", "").split()
    return etree.tostring(node, method="c14n", exclusive=EXC in uri, with_comments=uri.endswith("WithComments"),
                          inclusive_ns_prefixes=prefixes)


def _without_signature(doc):
    doc = copy.deepcopy(doc)
    sig = doc.find(f".//{{{DS}}}Signature")
    before, parent, tail = sig.getprevious(), sig.getparent(), sig.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(sig)
    return doc


def _value(key, method, data):
    """SignatureValue's bytes for that SignatureMethod; unknown methods sign like SHA-256's."""
    name = next((d for d in ("sha384", "sha512", "sha1") if d in method), "sha256")
    digest = getattr(hashes, name.upper())()
    if isinstance(key, bytes):
        mac = hmac.HMAC(key, digest)
        mac.update(data)
        return mac.finalize()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        size = (key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if isinstance(key, dsa.DSAPrivateKey):
        r, s = utils.decode_dss_signature(key.sign(data, digest))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if "MGF1" in method:
        return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(data, padding.PKCS1v15(), digest)


def digests(doc):
    """(DigestValue element, what it should say) of each reference whose target is there."""
    sig = doc.find(f".//{{{DS}}}Signature")
    for ref in sig.findall(ds("SignedInfo/Reference")):
        transforms = [t for t in ref.findall(ds("Transforms/Transform")) if "c14n" in t.get("Algorithm")]
        what = _without_signature(doc) if ref.get("URI") == "" else sig.find(f".//{{{XADES}}}SignedProperties")
        if what is None:
            continue
        digest = DIGESTS.get(ref.find(ds("DigestMethod")).get("Algorithm"), "sha256")
        raw = hashlib.new(digest, _c14n(what, transforms[0] if transforms else None)).digest()
        yield ref.find(ds("DigestValue")), base64.b64encode(raw).decode()


def resign(data, change, key):
    """Change a signed document's tree, then make its digests and value right again with
    the key, each as the changed SignedInfo says.  lxml writes the document anew."""
    doc = etree.fromstring(data)
    sig = doc.find(f".//{{{DS}}}Signature")
    if change:
        change(doc, sig)
    for element, value in list(digests(doc)):
        element.text = value
    info = sig.find(ds("SignedInfo"))
    method = info.find(ds("SignatureMethod")).get("Algorithm")
    raw = _value(key, method, _c14n(info, info.find(ds("CanonicalizationMethod"))))
    sig.find(ds("SignatureValue")).text = base64.b64encode(raw).decode()
    return etree.tostring(doc.getroottree(), xml_declaration=True, encoding="UTF-8")


# --- changes, to be given to resign -----------------------------------------------------

def algorithm(path, uri):
    """Another Algorithm for all elements of that path."""
    def change(_, sig):
        for e in sig.findall(ds(path)):
            e.set("Algorithm", uri)
    return change


def transform(uri, content=None, which=0):
    """One more Transform in a Reference."""
    def change(_, sig):
        t = etree.SubElement(sig.findall(ds("SignedInfo/Reference/Transforms"))[which], ds("Transform"), Algorithm=uri)
        if content is not None:
            t.append(etree.fromstring(content))
    return change


def key_info(*children):
    """KeyInfo holds these, given as XML, and nothing else."""
    def change(_, sig):
        info = sig.find(ds("KeyInfo"))
        info.clear()
        for c in children:
            info.append(etree.fromstring(c))
    return change


def signer(cert, also=(), digest_of=None):
    """The certificate is the signer's: in KeyInfo, with the others, and among the signed properties."""
    def change(_, sig):
        data = sig.find(ds("KeyInfo/X509Data"))
        data.clear()
        for c in (cert, *also):
            etree.SubElement(data, ds("X509Certificate")).text = der64(c)
        digest = sig.find(f".//{{{XADES}}}CertDigest")
        digest.find(ds("DigestMethod")).set("Algorithm", ENC + "sha256")
        digest.find(ds("DigestValue")).text = base64.b64encode(
            (digest_of or cert).fingerprint(hashes.SHA256())).decode()
    return change


def signing_time(text):
    """Another SigningTime; None takes it away."""
    def change(_, sig):
        t = sig.find(f".//{{{XADES}}}SigningTime")
        if text is None:
            t.getparent().remove(t)
        else:
            t.text = text
    return change


def signed_property(xml, after="SigningCertificate"):
    """One more of the signed signature properties, behind those whose names begin so."""
    def change(_, sig):
        props = sig.find(f".//{{{XADES}}}SignedSignatureProperties")
        last = [e for e in props if etree.QName(e).localname.startswith(after)][-1]
        last.addnext(etree.fromstring(f'<r xmlns:xades="{XADES}" xmlns:ds="{DS}">{xml}</r>')[0])
    return change


def certificate_v1(cert, serial=None, issuer=None, digest=ENC + "sha256", beside=False):
    """SigningCertificate, as e-Fatura has it, in the place of V2, or beside it."""
    value = base64.b64encode(cert.fingerprint(hashes.SHA1() if digest.endswith("sha1") else hashes.SHA256())).decode()
    xml = (f'<xades:SigningCertificate><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{digest}"/>'
           f"<ds:DigestValue>{value}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial>"
           f"<ds:X509IssuerName>{issuer or cert.issuer.rfc4514_string()}</ds:X509IssuerName>"
           f"<ds:X509SerialNumber>{serial or cert.serial_number}</ds:X509SerialNumber></xades:IssuerSerial>"
           "</xades:Cert></xades:SigningCertificate>")

    def change(doc, sig):
        signed_property(xml, "SigningTime")(doc, sig)
        old = sig.find(f".//{{{XADES}}}SigningCertificateV2")
        if not beside:
            old.getparent().remove(old)
    return change


def policy(identifier, value=bytes(32), method=ENC + "sha256", qualifier=' Qualifier="OIDAsURN"'):
    """An explicit policy (EPES), with what Turkish programs write beside it."""
    return signed_property(
        f"<xades:SignaturePolicyIdentifier><xades:SignaturePolicyId><xades:SigPolicyId><xades:Identifier{qualifier}>"
        f"{identifier}</xades:Identifier><xades:Description/></xades:SigPolicyId><xades:SigPolicyHash>"
        f'<ds:DigestMethod Algorithm="{method}"/><ds:DigestValue>{base64.b64encode(value).decode()}</ds:DigestValue>'
        "</xades:SigPolicyHash><xades:SigPolicyQualifiers><xades:SigPolicyQualifier><xades:SPURI>"
        "http://www.example.org/guide.pdf</xades:SPURI></xades:SigPolicyQualifier><xades:SigPolicyQualifier>"
        "<xades:SPUserNotice><xades:ExplicitText>Uzun D\u00f6nemli G\u00fcvenli Elektronik \u0130mza Politikas\u0131"
        "</xades:ExplicitText></xades:SPUserNotice></xades:SigPolicyQualifier></xades:SigPolicyQualifiers>"
        "</xades:SignaturePolicyId></xades:SignaturePolicyIdentifier>")


def all_of(*changes):
    def change(doc, sig):
        for c in changes:
            c(doc, sig)
    return change


# --- the market's documents, and its judgement ---------------------------------------------

class Forge:
    """Reports of one user of a market, PLA001 of a platform where none is named."""

    def __init__(self, market, user="PLA001", report=None):
        self.market, self.user = market, user
        self.report = report or (market.custody_report if user.startswith("CU") else market.balance_report)
        self.template = None
        self.key = load_key(f"{market.pki}/{user}.key")
        self.cert = load_cert(f"{market.pki}/{user}.pem")

    def text(self, **kw):
        return self.report(user=self.user, **kw)

    def signed(self, xml=None, **kw):
        return self.market.sign(xml or self.text(**kw), self.user)

    def forged(self, change=None, key=None, **kw):
        """A new document, changed and signed again."""
        return resign(self.signed(**kw), change, key or self.key)

    def quick(self, xml):
        """The document signed, without a process for each; lxml writes it anew."""
        if self.template is None:
            self.template = parts(self.signed())[1]
        return resign(inside(xml.encode(), self.template), None, self.key)

    def judge(self, cases, limit=lib.LIMIT):
        """Send all of (what, bytes, codes) and compare what comes back; [] is accepted.
        Each is answered once, of a refused one nothing is kept, and the same user's
        next good document is accepted.  Returns the file names, in order."""
        market = self.market
        cases = [*cases, ("the next good one", self.signed(), [])]
        market.seq += 1
        stem = f"h{os.getpid()}-{market.seq}"
        names = [f"{stem}-{n}.xml" for n in range(len(cases))]
        since, before = market.log_size(), market.records()
        with market.sftp(self.user) as s:
            for name, (_, data, _) in zip(names, cases):
                lib.put(s, data.encode() if isinstance(data, str) else data, name)
        rows = _answers(market, stem, len(names), limit)
        wrong, kept = [], 0
        for name, (what, _, codes) in zip(names, cases):
            state, received, decided, got, records = rows.get(name, ("silence", "0", "0", "", "0"))
            kept += int(records)
            if (state, received, decided, got) != ("rejected" if codes else "accepted", "1", "1", ",".join(sorted(codes))):
                wrong.append((what, f"wanted {codes or 'accepted'}", state, received, decided, got))
            elif codes and records != "0":
                wrong.append((what, "records of a refused document were kept", records))
        assert not wrong, "\n".join(map(str, wrong))
        assert market.records() == before + kept, "records that belong to no document"
        market.sound(since)
        return names

    def decisions(self, names):
        """{file name: the notice that decided it}, as the member fetches them."""
        market = self.market
        rows = market.sql("SELECT s.file_name, s.id, n.level FROM muhur.submission s JOIN muhur.notice n"
                          " ON n.submission = s.no AND n.level IN ('accepted', 'rejected') WHERE s.file_name IN ('" +
                          "', '".join(names) + "')")
        found = {}
        with market.sftp(self.user) as s:
            for name, ident, level in rows:
                path = f"/outbox/{ident}.{level}.xml"
                with s.open(path, "rb") as f:
                    found[name] = lib.Notice(os.path.basename(path), f.read())
        return found


def _answers(market, stem, count, limit):
    """{name: (state, notices received, decisions, codes, records)} once all are decided, or when time is over."""
    query = ("SELECT s.file_name, s.state, count(*) FILTER (WHERE n.level = 'received'),"
             " count(*) FILTER (WHERE n.level IN ('accepted', 'rejected')),"
             " coalesce((SELECT string_agg(DISTINCT r.code, ',' ORDER BY r.code) FROM muhur.submission_reason r"
             " WHERE r.submission = s.no), ''), "
             + " + ".join(f"(SELECT count(*) FROM {t} t WHERE t.submission = s.no)" for t in lib.RECORD_TABLES) +
             " FROM muhur.submission s JOIN muhur.notice n ON n.submission = s.no AND n.published_at IS NOT NULL"
             f" WHERE s.file_name LIKE '{stem}-%' GROUP BY s.no")
    rows = {}

    def all_answered():
        rows.clear()
        rows.update((r[0], tuple(r[1:])) for r in market.sql(query))
        return len([r for r in rows.values() if r[1] == r[2] == "1"]) == count
    try:
        lib.wait_for("every document has its answer", all_answered, limit)
    except AssertionError:
        pass		# the comparison says which are missing
    return rows
