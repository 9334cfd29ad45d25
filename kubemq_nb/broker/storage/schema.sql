-- A row of message or event is found by one number: the id of its channel, shifted, plus its sequence. So the
-- table itself is in the order of delivery, and needs no index beside it. Every row that a broker believes has a
-- check sum over all it holds.

CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    last_sequence INTEGER NOT NULL,
    crc INTEGER NOT NULL
);

CREATE TABLE message (
    key INTEGER PRIMARY KEY,
    content BLOB NOT NULL,       -- id, client id, metadata, body and tags, as on the wire
    md5 BLOB NOT NULL,           -- of the body
    timestamp INTEGER NOT NULL,  -- this and the times below: Unix nanoseconds
    expires_at INTEGER NOT NULL,
    expiration INTEGER NOT NULL,
    receive_count INTEGER NOT NULL,
    max_receive_count INTEGER NOT NULL,
    dead_letter TEXT NOT NULL,
    rerouted_from TEXT NOT NULL,
    crc INTEGER NOT NULL,        -- of all above
    held INTEGER NOT NULL DEFAULT 0  -- 1: an old transaction stream holds it
);

-- A delayed message waits in message under channel 0; this says when it is due, and where it goes.
CREATE TABLE delayed (
    number INTEGER PRIMARY KEY,
    due INTEGER NOT NULL,
    queue INTEGER NOT NULL,
    crc INTEGER NOT NULL
);

CREATE TABLE event (
    key INTEGER PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    content BLOB NOT NULL,       -- as delivered
    crc INTEGER NOT NULL
);

CREATE TABLE position (
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (channel, name)
) WITHOUT ROWID;

-- Rows that no longer match their check sum, kept for whoever wants to look.
CREATE TABLE damaged (
    found_in TEXT NOT NULL,
    key INTEGER NOT NULL,
    content BLOB
);

-- One row: how many commits there were. The mark beside the database says how many were acknowledged.
CREATE TABLE state (commits INTEGER NOT NULL);
INSERT INTO state (commits) VALUES (0);
