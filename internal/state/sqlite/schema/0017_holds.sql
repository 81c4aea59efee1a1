-- What must stay whatever its age. until and released are 0 while they have not come.
CREATE TABLE hold (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, object TEXT NOT NULL,
  until BIGINT NOT NULL, released BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX hold_active ON hold (num) WHERE released = 0;

-- What was done with the evidence of an incident: a chain of steps, each with the hash of the one before.
CREATE TABLE custody (incident TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (incident, n)) WITHOUT ROWID;

-- Archives of evidence, made here or imported.
CREATE TABLE bundle (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, incident TEXT NOT NULL, manifest TEXT NOT NULL, imported SMALLINT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX bundle_manifest ON bundle (manifest) WHERE manifest <> '';
CREATE INDEX bundle_at       ON bundle (at, id);
CREATE INDEX bundle_incident ON bundle (incident, at, id);
