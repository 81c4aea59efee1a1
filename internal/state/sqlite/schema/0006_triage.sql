-- What analysts said of an alert; "" is nothing.
ALTER TABLE alert ADD COLUMN verdict TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_verdict ON alert (verdict, created, id) WHERE verdict <> '';
-- Each time somebody said something. standing = 1: nothing was said of the alert since. It outlives the alert.
CREATE TABLE verdict (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, alert TEXT NOT NULL, rule TEXT NOT NULL, source TEXT NOT NULL, word TEXT NOT NULL,
  at BIGINT NOT NULL, standing SMALLINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX verdict_at    ON verdict (at, id);
CREATE INDEX verdict_alert ON verdict (alert, at, id);
CREATE INDEX verdict_rule  ON verdict (rule, at, id);
CREATE INDEX verdict_stand ON verdict (at, rule, source, word) WHERE standing = 1;
-- Models of triage. state is one of shadow, active, retired, refused; the newest number is the youngest.
CREATE TABLE triage_model (num INTEGER PRIMARY KEY, state TEXT NOT NULL, at BIGINT NOT NULL, doc TEXT NOT NULL, model BLOB NOT NULL);
CREATE UNIQUE INDEX triage_model_one ON triage_model (state) WHERE state IN ('shadow', 'active');
-- What triage remembered of the log up to seq.
CREATE TABLE triage_memory (consumer TEXT PRIMARY KEY, seq BIGINT NOT NULL, memory BLOB NOT NULL);
