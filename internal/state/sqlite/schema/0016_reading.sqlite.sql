-- What a console reads at once is counted while it is written: alerts, sessions and
-- response times by what they have in common, for each quarter of an hour (kind
-- alert only), hour and day. at is when the step begins and step its length, in
-- seconds; step 0 is what stands now. n is n0 + ... + n5, one for each severity;
-- weight is what the kind says: events, or milliseconds.
CREATE TABLE tally (kind TEXT NOT NULL, step BIGINT NOT NULL, at BIGINT NOT NULL, name TEXT NOT NULL, n BIGINT NOT NULL,
  n0 BIGINT NOT NULL, n1 BIGINT NOT NULL, n2 BIGINT NOT NULL, n3 BIGINT NOT NULL, n4 BIGINT NOT NULL, n5 BIGINT NOT NULL, weight BIGINT NOT NULL,
  PRIMARY KEY (kind, step, at, name)) WITHOUT ROWID;
-- Attackers choose how many sources there are: only the busiest of each step are read.
CREATE INDEX tally_source ON tally (kind, step, at, n) WHERE kind = 'source';

-- When an incident that nobody has answered is late; 0 once its clock has stopped.
ALTER TABLE incident ADD COLUMN due  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN warn BIGINT NOT NULL DEFAULT 0; -- when four fifths of its time are over
CREATE INDEX incident_due ON incident (due, warn) WHERE due > 0;

-- Saved views of the console, and what each principal prefers.
CREATE TABLE view (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created BIGINT NOT NULL, owner TEXT NOT NULL, room TEXT NOT NULL,
  shared SMALLINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX view_created ON view (created, id);
CREATE INDEX view_owner   ON view (owner, created, id);
CREATE INDEX view_shared  ON view (created, id) WHERE shared = 1;
CREATE TABLE preference (owner TEXT PRIMARY KEY, edition BIGINT NOT NULL, at BIGINT NOT NULL, doc TEXT NOT NULL);
-- What people wrote about an attacker.
CREATE TABLE attacker_note (id TEXT PRIMARY KEY, attacker TEXT NOT NULL, at BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX attacker_note_attacker ON attacker_note (attacker, at, id);

-- Count what is there.
CREATE TEMP TABLE counted AS SELECT status, min(max(severity, 0), 5) AS sev, created / 1000000 AS at, rule, src, json_extract(doc, '$.src.country') AS country,
  json_extract(doc, '$.sensor') AS sensor, json_extract(doc, '$.count') AS events, json_extract(doc, '$.attacks') AS attacks,
  detector, json_extract(doc, '$.category') AS category, session, verdict,
  max(0, created / 1000 - CAST(unixepoch(json_extract(doc, '$.time'), 'subsec') * 1000 AS INTEGER)) AS delay
  FROM alert;
CREATE TEMP TABLE steps AS SELECT 3600 AS step UNION ALL SELECT 86400;
INSERT INTO tally SELECT 'open', 0, 0, status, count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0 FROM counted GROUP BY status;
DELETE FROM counted WHERE status = 'suppressed';
INSERT INTO tally SELECT 'alert', step, at / step * step, '', count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, (SELECT step FROM steps UNION ALL SELECT 900) GROUP BY step, at / step;
INSERT INTO tally SELECT 'rule', step, at / step * step, rule, count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, steps GROUP BY step, at / step, rule;
INSERT INTO tally SELECT 'source', step, at / step * step, src, count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, steps WHERE src <> '' GROUP BY step, at / step, src;
INSERT INTO tally SELECT 'sensor', step, at / step * step, coalesce(sensor, ''), count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, steps GROUP BY step, at / step, coalesce(sensor, '');
INSERT INTO tally SELECT 'country', step, at / step * step, coalesce(country, ''), count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, steps GROUP BY step, at / step, coalesce(country, '');
INSERT INTO tally SELECT 'technique', step, at / step * step, upper(json_extract(x.value, '$.id')) AS tech, count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), sum(events)
  FROM counted, json_each(attacks) AS x, steps WHERE tech <> '' GROUP BY step, at / step, tech;
INSERT INTO tally SELECT 'detect', step, at / step * step, CAST(CAST(ln(1 + delay) * 20 AS INTEGER) AS TEXT) AS bucket, count(*), sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), sum(delay)
  FROM counted, steps WHERE delay IS NOT NULL GROUP BY step, at / step, bucket;
INSERT INTO tally SELECT 'never', step, at / step * step, CASE WHEN detector = 'violation' THEN 'escapes' ELSE 'exfiltrations' END AS what, count(*),
  sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), 0
  FROM counted, steps WHERE verdict NOT IN ('false_positive', 'benign') AND (detector = 'violation' OR category = 'data_exfiltration' AND session = '') GROUP BY step, at / step, what;
INSERT INTO tally SELECT 'session', step, started / 1000000 / step * step, coalesce(json_extract(doc, '$.src.country'), ''), count(*), 0, count(*), 0, 0, 0, 0, 0
  FROM session, steps GROUP BY step, started / 1000000 / step, coalesce(json_extract(doc, '$.src.country'), '');
CREATE TEMP TABLE answered AS SELECT num, created, min(max(severity, 0), 5) AS sev, status, json_extract(doc, '$.joined') AS joined,
  CAST(unixepoch(json_extract(doc, '$.due_at'), 'subsec') * 1000000 AS INTEGER) AS due,
  CAST(unixepoch(nullif(min(coalesce(json_extract(doc, '$.clock.contained_at'), 'z'), coalesce(json_extract(doc, '$.clock.qualified_at'), 'z')), 'z'), 'subsec') * 1000 AS INTEGER) - created / 1000 AS took
  FROM incident;
INSERT INTO tally SELECT 'respond', step, created / 1000000 / step * step, CAST(CAST(ln(1 + took) * 20 AS INTEGER) AS TEXT) AS bucket, count(*),
  sum(sev = 0), sum(sev = 1), sum(sev = 2), sum(sev = 3), sum(sev = 4), sum(sev = 5), sum(took)
  FROM answered, steps WHERE took >= 0 AND coalesce(joined, '') = '' GROUP BY step, created / 1000000 / step, bucket;
UPDATE incident SET due = (SELECT max(0, x.due) FROM answered AS x WHERE x.num = incident.num),
  warn = (SELECT x.due - max(0, x.due - x.created) / 5 FROM answered AS x WHERE x.num = incident.num)
  WHERE num IN (SELECT num FROM answered WHERE took IS NULL AND due > 0 AND coalesce(joined, '') = '' AND status IN ('new', 'in_progress'));
DROP TABLE counted;
DROP TABLE steps;
DROP TABLE answered;
