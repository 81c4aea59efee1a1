-- Whoever was told about an incident is told when it is over; each channel has a queue of its own.
ALTER TABLE notice ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notice_told    ON notice (incident) WHERE told = 1;
CREATE INDEX notice_channel ON notice (channel, due, id) WHERE state = 'queued';
