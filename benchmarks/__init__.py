"""Speed and memory of each stage, beside its limit (the least the same work can cost) and a peer.

Benchmarks are not tests and hold nothing back. Machines are shared and noisy: compare figures of one run, and read
CPU-seconds and ratios before seconds on the wall.
"""
