-- What people keep from being blocked, and the answers to requests that act.
CREATE TABLE allowed (address TEXT PRIMARY KEY, created BIGINT NOT NULL, expires BIGINT NOT NULL, doc TEXT NOT NULL);

CREATE TABLE reply (id TEXT PRIMARY KEY, at BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX reply_at ON reply (at, id);
