# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates without key identifiers, as those of EKS clusters and of many a company's own authority are."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import ssl
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Pair = tuple[str, str]


def certificate(name: str, issuer: Pair | None = None, *, day: int = 0) -> Pair:
    """A certificate and its key, as PEM. Without an issuer it is an authority, its own too.

    Args:
        day: around which it is valid, counted from today.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing: Any = key
    signed_by = subject
    if issuer:
        signing = serialization.load_pem_private_key(issuer[1].encode(), password=None)
        signed_by = x509.load_pem_x509_certificate(issuer[0].encode()).subject
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(name))]
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=day)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .sign(signing, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


def as_from_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let older Pythons have the defaults of newer ones, which want these identifiers."""
    original = ssl.create_default_context

    @functools.wraps(original)
    def create(*args: Any, **options: Any) -> ssl.SSLContext:
        context = original(*args, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    monkeypatch.setattr(ssl, "create_default_context", create)
