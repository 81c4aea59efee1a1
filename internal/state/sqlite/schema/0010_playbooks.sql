-- Every text a playbook ever had: runs name the version they follow.
CREATE TABLE playbook_version (playbook TEXT NOT NULL, version TEXT NOT NULL, loaded BIGINT NOT NULL, doc TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (playbook, version));
CREATE INDEX playbook_version_loaded ON playbook_version (playbook, loaded, version);
