"""What a client sees and asks: statements, sessions and contract data, never the ledger."""
