"""Receipts of removals: checked, and the key by which others check them."""

from __future__ import annotations

from fastapi import Response

from knownface.errors import ReceiptError
from knownface.law.signing import key_file, open_key, public_pem, verify
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import ServiceDep
from knownface.server.schemas.receipts import ReceiptText, VerifiedReceipt

router = guarded_router("receipts", "/v1/receipts")


@router.post("/verify", dependencies=needs("viewer"), responses=errors(ReceiptError), summary="Check a receipt")
def verify_receipt(service: ServiceDep, receipt: ReceiptText) -> VerifiedReceipt:
    """Answers what was signed, if not one character was altered and this service's key signed it; 422 otherwise."""
    key = open_key(key_file(service.recognizer.settings)).public_key()
    verified = verify(receipt.text, key)
    return VerifiedReceipt(fingerprint=verified.fingerprint, statement=dict(verified.statement))


@router.get(
    "/key",
    dependencies=needs("viewer"),
    responses={**errors(ReceiptError), 200: {"content": {"application/x-pem-file": {}}}},
    response_class=Response,
    summary="Show the key of receipts",
)
def show_key(service: ServiceDep) -> Response:
    """The public key, PEM, by which anybody can check receipts without this service."""
    public = open_key(key_file(service.recognizer.settings)).public_key()
    return Response(public_pem(public), media_type="application/x-pem-file")
