"""Where the broker keeps messages: a port, SQLite and memory behind it, and the thread that commits."""
