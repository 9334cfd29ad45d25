"""How fast this package is, beside what its users would otherwise have. See docs/performance.md.

Every figure is half of a pair: both sides do the same work in the same run, turn by turn, each in a process
of its own, and what they brought home is compared with what was sent before their times count.
"""
