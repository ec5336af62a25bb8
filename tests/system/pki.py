# SPDX-License-Identifier: ISC
"""Certificates and revocation lists with odd properties, most of them issued by
the market's own sub-CA."""

import contextlib
import datetime
import os
import signal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

import lib

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)

KEYS = {
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "dsa-2048": lambda: dsa.generate_private_key(2048),
}


def _load(path):
    with open(path, "rb") as f:
        return f.read()


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def utc(t):
    return t.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def authority(market, name="subca"):
    """(key, certificate) of one of the market's authorities."""
    return (serialization.load_pem_private_key(_load(f"{market.pki}/{name}.key"), None),
            x509.load_pem_x509_certificate(_load(f"{market.pki}/{name}.pem")))


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "TR"), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def usage(*names):
    flags = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    flags.update((n, True) for n in names)
    return x509.KeyUsage(**flags)


def unknown_extension():
    return x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def issue(market, name, issuer=None, key="p-256", not_before=None, not_after=None, key_usage=("digital_signature",
          "content_commitment"), ca=False, path_length=None, extra=(), public=None):
    """A key and a certificate in files of the market's folder; returns their paths.
    issuer: (key, certificate), the sub-CA's where none is given, "self" for self-signed.
    extra: (extension, critical) pairs.  public: of a key that is elsewhere; then its path is None."""
    own = KEYS[key]() if public is None else None
    public = public or own.public_key()
    if issuer == "self":
        issuer_key, issuer_name = own, subject(name)
    else:
        issuer_key, issuer_cert = issuer or authority(market)
        issuer_name = issuer_cert.subject
    builder = (x509.CertificateBuilder().subject_name(subject(name)).issuer_name(issuer_name)
               .public_key(public).serial_number(x509.random_serial_number())
               .not_valid_before(utc(not_before or now() - DAY)).not_valid_after(utc(not_after or now() + 90 * DAY))
               .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False))
    if key_usage is not None:
        builder = builder.add_extension(usage(*key_usage), critical=True)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    base = os.path.join(market.dir, name)
    if own is not None:
        with open(base + ".key", "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    with open(base + ".pem", "wb") as f:
        f.write(builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return base + ".key" if own is not None else None, base + ".pem"


def issue_ca(market, name, issuer="self", **kw):
    """An authority of its own: (key, certificate)."""
    key, cert = issue(market, name, issuer, key_usage=("key_cert_sign", "crl_sign"), ca=True, **kw)
    return (serialization.load_pem_private_key(_load(key), None), x509.load_pem_x509_certificate(_load(cert)))


# --- revocation lists ------------------------------------------------------------

def crl(issuer, number, revoked=(), last_update=None, next_update=None, name=None):
    """A list of that (key, certificate), or one that only bears its name; PEM."""
    key, cert = issuer
    builder = (x509.CertificateRevocationListBuilder().issuer_name(name or cert.subject)
               .last_update(utc(last_update or now() - MINUTE)).next_update(utc(next_update or now() + 30 * DAY))
               .add_extension(x509.CRLNumber(number), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False))
    for serial in revoked:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial)
                                                  .revocation_date(utc(now() - MINUTE)).build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def crls(market):
    """{issuer's common name: the list, PEM} of the market's crl.pem."""
    end = b"-----END X509 CRL-----"
    found = {}
    for block in _load(f"{market.pki}/crl.pem").split(end):
        if b"BEGIN" in block:
            pem = block + end + b"\n"
            issuer = x509.load_pem_x509_crl(pem).issuer
            found[issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value] = pem
    return found


def _exchange(market, lists):
    """As operators do it: a new file in the place of the old one, then SIGHUP."""
    path = f"{market.pki}/crl.pem"
    with open(path + ".new", "wb") as f:
        f.write(b"".join(lists))
    os.rename(path + ".new", path)
    since = market.log_size()
    os.kill(market.muhurd_pid, signal.SIGHUP)
    lib.wait_for("the lists are read", lambda: "revocation lists are read again" in market.log(since))


@contextlib.contextmanager
def with_crls(market, lists):
    """The gateway is told to read these lists, and what it had again afterwards."""
    old = _load(f"{market.pki}/crl.pem")
    _exchange(market, lists)
    try:
        yield
    finally:
        _exchange(market, [old])


def revoke(market, *cert_paths):
    """The sub-CA's list as it is with these certificates on it besides; PEM."""
    sub = authority(market)
    old = x509.load_pem_x509_crl(crls(market)[common_name(sub[1])])
    serials = [r.serial_number for r in old]
    serials += [x509.load_pem_x509_certificate(_load(p)).serial_number for p in cert_paths]
    return crl(sub, old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1, serials)


def common_name(cert):
    return cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
