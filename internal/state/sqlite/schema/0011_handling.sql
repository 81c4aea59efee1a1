-- What a regrouping moved besides alerts, and how both incidents were handled before it, as JSON.
ALTER TABLE incident_change ADD COLUMN carried TEXT NOT NULL DEFAULT '';
