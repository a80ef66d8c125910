"""What data protection law asks for: receipts of what was removed."""
