"""Certificates for servers and clients on loopback, signed by a new authority."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """PEM files: the certificate of the authority; certificates and keys of server and client."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    def server_config(self, *, verify: bool = False) -> str:
        """Return the `tls` block of a server. With `verify`, clients need a certificate."""
        return (
            f'tls {{ cert_file: "{self.server}", key_file: "{self.server_key}", '
            f'ca_file: "{self.authority}", verify: {str(verify).lower()} }}'
        )

    def client_context(self, *, certificate: bool = False) -> ssl.SSLContext:
        """Return a client's TLS context; with `certificate`, one with a client certificate."""
        context = ssl.create_default_context(cafile=self.authority)
        if certificate:
            context.load_cert_chain(self.client, self.client_key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Write a new authority and its certificates, valid for a day, to `folder`."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("jetstow test authority", authority_key, None, authority_key)
    made = Certificates(
        *(folder / f"{n}.pem" for n in ("ca", "server", "server-key", "client", "client-key"))
    )
    made.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for name, path, key_path in (
        ("localhost", made.server, made.server_key),
        ("client", made.client, made.client_key),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, authority, authority_key)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        key_path.chmod(0o600)
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate | None,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
    )
    # Python 3.13 verifies strictly: an authority needs `keyCertSign`.
    builder = builder.add_extension(
        x509.KeyUsage(
            digital_signature=authority is not None,
            key_cert_sign=authority is None,
            crl_sign=authority is None,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )
    if authority is not None:
        addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    return builder.sign(authority_key, hashes.SHA256())
