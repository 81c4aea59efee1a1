-- What services said about a value: one row for each service.
CREATE TABLE enrichment (id TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, provider TEXT NOT NULL, verdict TEXT NOT NULL,
  at BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (type, value, provider));
CREATE INDEX enrichment_at       ON enrichment (at, id);
CREATE INDEX enrichment_provider ON enrichment (provider, at, id);
