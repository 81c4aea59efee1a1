-- What attackers left behind: one row for each source, sealed.
CREATE TABLE world (
  id   BLOB    PRIMARY KEY, -- keyed hash of persona and source
  seen INTEGER NOT NULL,    -- microseconds since 1970, of the last change
  size INTEGER NOT NULL,    -- bytes of body
  body BLOB    NOT NULL     -- nonce and sealed, compressed world
);
CREATE INDEX world_seen ON world (seen, id, size);
