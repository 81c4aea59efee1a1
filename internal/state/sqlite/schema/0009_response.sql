-- Plans live on after they were made: they belong to a run, change, and hold.
ALTER TABLE plan ADD COLUMN run      TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN playbook TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN updated  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE plan ADD COLUMN applied  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE plan ADD COLUMN acts     SMALLINT NOT NULL DEFAULT 0; -- mode apply
ALTER TABLE plan ADD COLUMN holds    SMALLINT NOT NULL DEFAULT 0; -- mode apply and in force
CREATE INDEX plan_run     ON plan (run, created, id) WHERE run <> '';
CREATE INDEX plan_holds   ON plan (action, target, id) WHERE holds = 1;
CREATE INDEX plan_updated ON plan (action, updated, id) WHERE acts = 1;
CREATE INDEX plan_applied ON plan (action, applied) WHERE acts = 1 AND applied > 0;

CREATE TABLE run (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created BIGINT NOT NULL, playbook TEXT NOT NULL, state TEXT NOT NULL,
  incident TEXT NOT NULL, open SMALLINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX run_created  ON run (created, id);
CREATE INDEX run_playbook ON run (playbook, created, id);
CREATE INDEX run_state    ON run (state, created, id);
CREATE INDEX run_incident ON run (incident, created, id) WHERE incident <> '';
CREATE INDEX run_open     ON run (created, id) WHERE open = 1;

CREATE TABLE timeline (id TEXT PRIMARY KEY, incident TEXT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX timeline_incident ON timeline (incident, at, id);
CREATE INDEX timeline_at       ON timeline (at, id);

CREATE TABLE notice (id TEXT PRIMARY KEY, created BIGINT NOT NULL, due BIGINT NOT NULL, sent BIGINT NOT NULL, channel TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL, incident TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX notice_created  ON notice (created, id);
CREATE INDEX notice_due      ON notice (due, id) WHERE state = 'queued';
CREATE INDEX notice_key      ON notice (channel, name, created, id);
CREATE INDEX notice_sent     ON notice (channel, sent) WHERE sent > 0;
CREATE INDEX notice_incident ON notice (incident, created, id) WHERE incident <> '';
