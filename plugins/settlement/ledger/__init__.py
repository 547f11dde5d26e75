"""The books of account: posting what should exist, sealing it, and proving that it still stands."""
