-- Who may come in, how they show it, and which logins hold.
CREATE TABLE account (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, role TEXT NOT NULL, disabled INTEGER NOT NULL,
  created BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX account_created ON account (created, id);

CREATE TABLE credential (id TEXT PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL, lookup TEXT NOT NULL, created BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX credential_account ON credential (account, kind, created, id);
CREATE UNIQUE INDEX credential_lookup ON credential (kind, lookup) WHERE lookup <> '';

CREATE TABLE login_session (id TEXT PRIMARY KEY, account TEXT NOT NULL, sum TEXT NOT NULL UNIQUE, since BIGINT NOT NULL, seen BIGINT NOT NULL, until BIGINT NOT NULL,
  doc TEXT NOT NULL);
CREATE INDEX login_session_account ON login_session (account, since, id);

CREATE TABLE login_try (id TEXT PRIMARY KEY, account TEXT NOT NULL, at BIGINT NOT NULL, good INTEGER NOT NULL, network TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX login_try_account ON login_try (account, at, id);
CREATE INDEX login_try_at ON login_try (at, id);

CREATE TABLE role (name TEXT PRIMARY KEY, doc TEXT NOT NULL);

CREATE TABLE api_key (id TEXT PRIMARY KEY, sum TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, created BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX api_key_owner ON api_key (owner) WHERE owner <> '';
