-- How far sources have come.
CREATE TABLE checkpoint (source TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (source, name));
