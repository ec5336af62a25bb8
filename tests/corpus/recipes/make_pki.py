#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make_pki.py DIR: the corpus's own root, sub-CA, signers and CRLs.

Fixed dates, so that what is judged at one fixed time stays right for as long as
the corpus is used.  The keys are published with it: for tests, and nothing else."""

import datetime
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

BEGIN = datetime.datetime(2026, 1, 1)
END = datetime.datetime(2046, 1, 1)
ORG = "Muhur test corpus - published keys - trust nowhere"


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "TR"),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORG),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def usage(ca):
    """A CA signs certificates and CRLs; a signer signs documents that bind it."""
    return x509.KeyUsage(digital_signature=not ca, content_commitment=not ca, key_encipherment=False,
                         data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
                         encipher_only=False, decipher_only=False)


def certificate(cn, key, issuer=None, issuer_key=None, ca=False, path=None):
    builder = (x509.CertificateBuilder().subject_name(name(cn)).issuer_name(issuer.subject if issuer else name(cn))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(BEGIN).not_valid_after(END)
               .add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
               .add_extension(usage(ca), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def crl(issuer, key):
    return (x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
            .last_update(BEGIN).next_update(END)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def main(directory):
    def write(file, *texts):
        with open(os.path.join(directory, file), "wb") as f:
            f.write(b"".join(texts))
    root_key, sub_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    root = certificate("Test root", root_key, ca=True)
    sub = certificate("Test sub-CA", sub_key, root, root_key, ca=True, path=0)
    signers = {"rsa2048": rsa.generate_private_key(public_exponent=65537, key_size=2048),
               "p256": ec.generate_private_key(ec.SECP256R1()), "p384": ec.generate_private_key(ec.SECP384R1())}
    write("root.pem", pem(root))
    write("subca.pem", pem(sub))
    write("trust.pem", pem(root), pem(sub))
    write("crl.pem", pem(crl(root, root_key)), pem(crl(sub, sub_key)))
    for signer, key in [("root", root_key), ("subca", sub_key), *signers.items()]:
        write(signer + ".test-key", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                      serialization.NoEncryption()))
    for signer, key in signers.items():
        write(signer + ".pem", pem(certificate("Test signer " + signer, key, sub, sub_key)))


main(sys.argv[1])
