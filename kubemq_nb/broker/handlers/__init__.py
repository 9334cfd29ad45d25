"""Between the wire and the engine: decode, one verb of the engine, encode. No rules live here."""
