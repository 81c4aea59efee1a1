-- Times are microseconds since 1970 UTC. doc is the whole value as JSON and opaque
-- here; what is filtered or sorted by has a column. num is the number of a short id.

CREATE TABLE counter (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE meta    (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE cursor  (consumer TEXT PRIMARY KEY, seq BIGINT NOT NULL, at BIGINT NOT NULL);

CREATE TABLE alert (
  num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  created BIGINT NOT NULL, last BIGINT NOT NULL, severity SMALLINT NOT NULL, status TEXT NOT NULL,
  rule TEXT NOT NULL, detector TEXT NOT NULL, src TEXT NOT NULL, session TEXT NOT NULL, attacker TEXT NOT NULL,
  incident TEXT NOT NULL, dedupe TEXT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX alert_dedupe ON alert (dedupe) WHERE dedupe <> '' AND status IN ('new', 'acknowledged', 'escalated');
CREATE INDEX alert_created  ON alert (created, id);
CREATE INDEX alert_status   ON alert (status, created, id, severity); -- severity: counts read the index alone
CREATE INDEX alert_rule     ON alert (rule, created, id);
CREATE INDEX alert_severe   ON alert (created, id) WHERE severity >= 4;
CREATE INDEX alert_src      ON alert (src, created, id) WHERE src <> '';
CREATE INDEX alert_session  ON alert (session, created, id) WHERE session <> '';
CREATE INDEX alert_attacker ON alert (attacker, created, id) WHERE attacker <> '';
CREATE INDEX alert_incident ON alert (incident, created, id) WHERE incident <> '';
CREATE INDEX alert_last     ON alert (last);
-- The bulk of an alert, which stops changing when it is full: {"event_ids", "evidence", "observables"}.
CREATE TABLE alert_evidence (alert INTEGER PRIMARY KEY REFERENCES alert (num) ON DELETE CASCADE, doc TEXT NOT NULL);
-- A sub-technique stands here under its parent, too.
CREATE TABLE alert_tech (tech TEXT NOT NULL, alert INTEGER NOT NULL REFERENCES alert (num) ON DELETE CASCADE, PRIMARY KEY (tech, alert));
CREATE INDEX alert_tech_alert ON alert_tech (alert);

CREATE TABLE incident (
  num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  created BIGINT NOT NULL, updated BIGINT NOT NULL, severity SMALLINT NOT NULL, status TEXT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX incident_open ON incident (name) WHERE status NOT IN ('resolved', 'closed');
CREATE INDEX incident_created ON incident (created, id);
CREATE INDEX incident_status  ON incident (status, created, id);
CREATE TABLE incident_attacker (attacker TEXT NOT NULL, incident INTEGER NOT NULL REFERENCES incident (num) ON DELETE CASCADE,
  PRIMARY KEY (attacker, incident));
CREATE INDEX incident_attacker_incident ON incident_attacker (incident);

CREATE TABLE session (
  num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started BIGINT NOT NULL, ended BIGINT NOT NULL, last BIGINT NOT NULL,
  severity SMALLINT NOT NULL, sensor TEXT NOT NULL, service TEXT NOT NULL, src TEXT NOT NULL, login TEXT NOT NULL,
  recorded SMALLINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX session_started  ON session (started, id);
CREATE INDEX session_src      ON session (src, started, id) WHERE src <> '';
CREATE INDEX session_login    ON session (login, started, id) WHERE login <> '';
CREATE INDEX session_recorded ON session (started, id) WHERE recorded = 1;
CREATE INDEX session_running  ON session (started, id) WHERE ended = 0;
CREATE INDEX session_last     ON session (last);

CREATE TABLE token (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, exposures BIGINT NOT NULL DEFAULT 0, uses BIGINT NOT NULL DEFAULT 0,
  exposed BIGINT NOT NULL DEFAULT 0, used BIGINT NOT NULL DEFAULT 0, doc TEXT NOT NULL);
-- n counts the rows of one token, so that the oldest can go.
CREATE TABLE exposure (token TEXT NOT NULL REFERENCES token (id) ON DELETE CASCADE, event TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,
  doc TEXT NOT NULL, PRIMARY KEY (token, event));
CREATE INDEX exposure_n  ON exposure (token, n);
CREATE INDEX exposure_at ON exposure (token, at, event);
CREATE TABLE token_use (token TEXT NOT NULL REFERENCES token (id) ON DELETE CASCADE, event TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (token, event));
CREATE INDEX token_use_n ON token_use (token, n);

CREATE TABLE plan (id TEXT PRIMARY KEY, created BIGINT NOT NULL, incident TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL,
  target TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX plan_created  ON plan (created, id);
CREATE INDEX plan_incident ON plan (incident, created, id);
CREATE INDEX plan_target   ON plan (target, created, id);
-- The newest block_ip plan of each address.
CREATE TABLE block (address TEXT PRIMARY KEY, created BIGINT NOT NULL, plan TEXT NOT NULL REFERENCES plan (id) ON DELETE CASCADE);
CREATE INDEX block_created ON block (created, address);
CREATE INDEX block_plan    ON block (plan);

CREATE TABLE dead_letter (id TEXT PRIMARY KEY, at BIGINT NOT NULL, source TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX dead_letter_at     ON dead_letter (at, id);
CREATE INDEX dead_letter_source ON dead_letter (source, at, id);

CREATE TABLE job (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, uniq TEXT NOT NULL, run_at BIGINT NOT NULL, lease BIGINT NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL, dead SMALLINT NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', arg BLOB NOT NULL);
CREATE UNIQUE INDEX job_uniq ON job (kind, uniq) WHERE uniq <> '' AND dead = 0;
CREATE INDEX job_due   ON job (run_at, id) WHERE dead = 0;
CREATE INDEX job_dead  ON job (run_at) WHERE dead = 1;
CREATE INDEX job_lease ON job (lease) WHERE dead = 0 AND lease > 0;
