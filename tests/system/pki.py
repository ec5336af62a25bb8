# SPDX-License-Identifier: ISC
"""Certificates with odd properties, issued by the market's own sub-CA."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _load(path):
    with open(path, "rb") as f:
        return f.read()


def _ca(market):
    cert = x509.load_pem_x509_certificate(_load(f"{market.pki}/subca.pem"))
    key = serialization.load_pem_private_key(_load(f"{market.pki}/subca.key"), None)
    return cert, key


def _utc(t):
    return t.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def issue(market, name, not_before=None, not_after=None, non_repudiation=True, self_signed_ca=False):
    """A P-256 key and certificate; returns their paths."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_cert, ca_key = _ca(market)
    if self_signed_ca:
        ca_key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another CA")])
    else:
        issuer = ca_cert.subject
    key = ec.generate_private_key(ec.SECP256R1())
    cert = (x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "TR"),
                                     x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(_utc(not_before or now - datetime.timedelta(days=1)))
            .not_valid_after(_utc(not_after or now + datetime.timedelta(days=90)))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(True, non_repudiation, False, False, False, False, False, False, False),
                           critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256()))
    base = os.path.join(market.dir, name)
    with open(base + ".key", "wb") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
    with open(base + ".pem", "wb") as f:
        f.write(cert.public_bytes(serialization.Encoding.PEM))
    return base + ".key", base + ".pem"


def revoke(market, cert_path):
    """Put a certificate on the sub-CA's CRL, keeping what stands there."""
    ca_cert, ca_key = _ca(market)
    serial = x509.load_pem_x509_certificate(_load(cert_path)).serial_number
    end = b"-----END X509 CRL-----"
    blocks = [b + end + b"\n" for b in _load(f"{market.pki}/crl.pem").split(end) if b"BEGIN" in b]
    now = _utc(datetime.datetime.now(datetime.timezone.utc))
    kept = []
    for block in blocks:
        crl = x509.load_pem_x509_crl(block)
        if crl.issuer != ca_cert.subject:
            kept.append(block)
            continue
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
        builder = (x509.CertificateRevocationListBuilder().issuer_name(crl.issuer)
                   .last_update(now - datetime.timedelta(minutes=1)).next_update(now + datetime.timedelta(days=30))
                   .add_extension(x509.CRLNumber(number), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                                  critical=False))
        for old in crl:
            builder = builder.add_revoked_certificate(old)
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial)
            .revocation_date(now - datetime.timedelta(minutes=1)).build())
        kept.append(builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    with open(f"{market.pki}/crl.pem", "wb") as f:
        f.write(b"".join(kept))
