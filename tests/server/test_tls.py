"""A certificate of our own: kept while it fits, made anew when it does not."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from knownface.server.tls import self_signed


def test_it_is_kept_while_it_names_what_is_wanted(tmp_path: Path) -> None:
    certificate, key, digest = self_signed(tmp_path / "tls", ("faces.example.org",))
    before = certificate.read_bytes(), key.read_bytes()
    assert self_signed(tmp_path / "tls", ("faces.example.org",)) == (certificate, key, digest)
    assert (certificate.read_bytes(), key.read_bytes()) == before
    _, _, other = self_signed(tmp_path / "tls", ("faces.example.org", "other.example.org"))
    assert other != digest
    assert len(digest.split(":")) == 32


def test_it_names_this_machine_and_signs_nothing_else(tmp_path: Path) -> None:
    certificate, _, _ = self_signed(tmp_path / "tls", ())
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days <= 398


def test_one_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    certificate, _, _ = self_signed(tmp_path / "tls", ())
    certificate.write_text("no certificate")
    _, _, digest = self_signed(tmp_path / "tls", ())
    assert self_signed(tmp_path / "tls", ())[2] == digest
