"""The protocol: how a case is received, worked on, handed on and never lost.

The table is the truth; queue messages are hints that can be recomputed from it.
"""
