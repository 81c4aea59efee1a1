-- What attackers brought. The document holds what is not asked by.
CREATE TABLE sample (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first BIGINT NOT NULL, last BIGINT NOT NULL, seen BIGINT NOT NULL,
  type TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX sample_first ON sample (first, id);
CREATE INDEX sample_last  ON sample (last);
-- n counts the rows of one sample, so that the oldest can go. A run is a row without a document.
CREATE TABLE sighting (sample TEXT NOT NULL REFERENCES sample (id) ON DELETE CASCADE, event TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,
  session TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (sample, event));
CREATE INDEX sighting_n       ON sighting (sample, n);
CREATE INDEX sighting_session ON sighting (session, sample);
