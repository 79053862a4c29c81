"""The certificate with which a node is reached over TLS: its operator's own, or one made at set-up.

::

    tls/certificate.pem    made at set-up for the host of the party's address
    tls/key.pem

One made here is signed by nobody else. The others believe it because the party's card names its SHA-256, and the card
stands in the party's log (`keepclear.node.calling`).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keepclear.errors import Fault, InputError, StoreError
from keepclear.store.files import sync_folder, write_whole

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

    from keepclear.node.settings import Settings

__all__ = ["TlsFiles", "address_told", "authorities_of", "make_certificate", "tls_files"]

_DAYS = 3650  # it is believed by its hash, not by its dates; some clients look at them all the same


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and private key, as files in PEM.

    Attributes
    ----------
    certificate, key
        Where they are.
    made_here
        Whether they were made at set-up, so that only the card vouches for the certificate.
    """

    certificate: Path
    key: Path
    made_here: bool


def tls_files(folder: Path, settings: Settings) -> TlsFiles | None:
    """What the node serves with; None if it has no certificate.

    Raises
    ------
    InputError
        If the settings name one file of the two only, or one that is not there.
    """
    named = (settings.tls_cert, settings.tls_key)
    if all(named):
        found = TlsFiles(folder / named[0], folder / named[1], made_here=False)
    elif any(named):
        missing = "tls_key" if named[0] else "tls_cert"
        raise InputError(Fault("a certificate and its private key belong together", "name both", field=missing))
    else:
        found = TlsFiles(folder / "tls" / "certificate.pem", folder / "tls" / "key.pem", made_here=True)
        if not found.certificate.exists():
            return None
    faults = [
        Fault("there is no such file", "a file in PEM", field=name, value=str(path))
        for name, path in (("tls_cert", found.certificate), ("tls_key", found.key))
        if not path.is_file()
    ]
    if faults:
        raise InputError(faults)
    return found


def authorities_of(folder: Path, settings: Settings) -> str:
    """The file of the authorities that other nodes' certificates are signed by; empty for those of the system.

    Raises
    ------
    InputError
        If the settings name a file that is not there, or holds no certificate.
    """
    if not settings.peer_authorities:
        return ""
    path = folder / settings.peer_authorities
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        problem = "there is no certificate in it"
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    else:
        return str(path)
    right = "the certificates of those who sign other nodes' certificates, in PEM"
    raise InputError(Fault(problem, right, field="peer_authorities", value=str(path)))


def make_certificate(folder: Path, address: str, *, time_s: float) -> None:
    """Make a certificate for the host of an address, where there is none yet; for ``http`` there is nothing to do.

    Raises
    ------
    InputError
        If the address has no host.
    StoreError
        If the files cannot be written.
    """
    parts = urlsplit(address)
    place = folder / "tls"
    if parts.scheme != "https" or (place / "certificate.pem").exists():
        return
    if not parts.hostname:
        raise InputError(Fault("not the address of a node", "https://host:port", field="address", value=address))
    certificate, key = _made(parts.hostname, time_s)
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        write_whole(place / "key.pem", key, mode=0o600)  # first: a certificate without its key is of no use
        write_whole(place / "certificate.pem", certificate)
        sync_folder(place)
    except OSError as error:
        raise StoreError(f"{place}: cannot be written: {error.strerror or error}") from error


def address_told(folder: Path, settings: Settings) -> str:
    """The party's address as it stands on its card: with the certificate named, where that was made here."""
    address = settings.address.rstrip("/")
    files = tls_files(folder, settings) if address.startswith("https") else None
    if files is None or not files.made_here:
        return address
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(Fault(f"not a certificate: {error}", "a file in PEM", file=str(files.certificate))) from None
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return f"{address}#sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _made(host: str, time_s: float) -> tuple[bytes, bytes]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:64])])
    begins = datetime.fromtimestamp(time_s, UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def _host(host: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
