"""Instant settlement of China's basic medical insurance fund (医保基金即时结算), agency side."""
