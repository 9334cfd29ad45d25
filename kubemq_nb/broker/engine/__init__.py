"""What the broker does, as plain synchronous classes: no sockets, no database, no clock of their own."""
