-- Words only: the text itself is in doc. rowid is num.
CREATE VIRTUAL TABLE alert_words    USING fts5(title, body, content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE incident_words USING fts5(title, body, content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE session_words  USING fts5(title, body, content = '', contentless_delete = 1);
