-- Alerts that a suppression hides name it. Those of one DedupeKey and one
-- suppression gather in one row, as open ones do.
ALTER TABLE alert ADD COLUMN suppression TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_suppression ON alert (suppression, created, id) WHERE suppression <> '';
CREATE INDEX alert_suppressed  ON alert (suppression, dedupe) WHERE suppression <> '' AND status = 'suppressed';

CREATE TABLE suppression (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created BIGINT NOT NULL, expires BIGINT NOT NULL,
  lifted BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX suppression_created ON suppression (created, id);
CREATE INDEX suppression_holds   ON suppression (expires) WHERE lifted = 0;

-- What was moved between incidents, so that it can be moved back.
CREATE TABLE incident_change (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, giver TEXT NOT NULL, taker TEXT NOT NULL,
  doc TEXT NOT NULL);
CREATE INDEX incident_change_at    ON incident_change (at, id);
CREATE INDEX incident_change_giver ON incident_change (giver);
CREATE INDEX incident_change_taker ON incident_change (taker);
CREATE TABLE incident_change_alert (change INTEGER NOT NULL REFERENCES incident_change (num) ON DELETE CASCADE, alert TEXT NOT NULL,
  PRIMARY KEY (change, alert));
