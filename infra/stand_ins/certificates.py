"""A local certificate authority, so that the stand-ins can be spoken to over TLS exactly as the real networks are.

Kept in the data folder and made again only when something is missing or about to expire. Trust is given to it by
`SSL_CERT_FILE`, for the processes of the local run alone; nothing is installed in the system."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LASTS = timedelta(days=365)
_RENEWED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Certificates:
    """`bundle` trusts the public authorities and ours; `ca` trusts ours alone."""

    ca: Path
    server: Path
    bundle: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        context.set_alpn_protocols(["http/1.1"])
        return context


def made(folder: Path, names: Sequence[str]) -> Certificates:
    """The certificates in `folder` for these host names, made first where they are missing, old or for other names."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Certificates(ca=folder / "ca.pem", server=folder / "server.pem", bundle=folder / "bundle.pem")
    if not _usable(kept, names):
        _make(kept, names)
    return kept


def _usable(kept: Certificates, names: Sequence[str]) -> bool:
    if not all(path.exists() for path in (kept.ca, kept.server, kept.bundle)):
        return False
    found = x509.load_pem_x509_certificate(kept.server.read_bytes())
    listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    return found.not_valid_after_utc > datetime.now(UTC) + _RENEWED and set(names) <= set(listed)


def _make(kept: Certificates, names: Sequence[str]) -> None:
    """The authority's key signs once and is forgotten: nothing on disk could sign for another host."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Groundswell local authority")])
    key_id = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    ca = _builder(issuer, issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(signs_certificates=True), critical=True).add_extension(key_id, critical=False)
    server = _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), issuer, own)
    alternatives = [x509.DNSName(name) for name in names] + [x509.IPAddress(IPv4Address("127.0.0.1"))]
    server = server.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server = server.add_extension(_usage(signs_certificates=False), critical=True)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
    ca_pem = ca.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)
    server_pem = server.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)
    key_pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    kept.server.touch(mode=0o600)
    kept.server.write_bytes(key_pem + server_pem)
    kept.ca.write_bytes(ca_pem)
    kept.bundle.write_bytes(_public_authorities() + b"\n" + ca_pem)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + _LASTS)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _public_authorities() -> bytes:
    """The system's authorities, or certifi's, so that a bundle with ours added still reaches the real networks."""
    # `cafile` would be what SSL_CERT_FILE names, which may be the very bundle being made.
    system = Path(ssl.get_default_verify_paths().openssl_cafile)
    if system.exists():
        return system.read_bytes()
    spec = find_spec("certifi")
    if spec is None or spec.origin is None:
        return b""
    return Path(spec.origin).with_name("cacert.pem").read_bytes()
