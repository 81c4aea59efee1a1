-- Who exports follows changes: changed grows with every write, by transaction, and
-- is about the time of it in microseconds. See counter stamp.
ALTER TABLE alert       ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incident    ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session     ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run         ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE plan        ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notice      ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE suppression ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
-- When rows were written last is not known: they come in the order they were made in.
UPDATE alert       SET changed = created;
UPDATE incident    SET changed = created;
UPDATE session     SET changed = num;
UPDATE run         SET changed = created;
UPDATE plan        SET changed = created;
UPDATE notice      SET changed = created;
UPDATE suppression SET changed = created;
CREATE INDEX alert_changed       ON alert (changed, id);
CREATE INDEX incident_changed    ON incident (changed, id);
CREATE INDEX session_changed     ON session (changed, id);
CREATE INDEX run_changed         ON run (changed, id);
CREATE INDEX plan_changed        ON plan (changed, id);
CREATE INDEX notice_changed      ON notice (changed, id);
CREATE INDEX suppression_changed ON suppression (changed, id);

-- What people did to many alerts at once, for the time in which it can be taken back.
CREATE TABLE act (id TEXT PRIMARY KEY, at BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX act_at ON act (at);
