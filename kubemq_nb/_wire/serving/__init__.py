"""The broker's side of the wire: requests read into plain values, answers made of them.

Bytes in, bytes out. Whatever does not decode (broken framing, text that is no UTF-8) is `common.Malformed`.
Tuples have the order of the broker's own records, which this layer does not know.
"""
