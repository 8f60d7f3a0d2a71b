CREATE TABLE chm_keys (
    id           TEXT PRIMARY KEY,
    subject      TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    roles        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    revoked_by   TEXT,
    last_used_at INTEGER,
    replaced_by  TEXT
) STRICT;

CREATE TABLE chm_audit (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    time          INTEGER NOT NULL,
    action        TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_subject TEXT,
    address       TEXT,
    request_id    TEXT,
    target        TEXT,
    details       TEXT NOT NULL
) STRICT;

CREATE INDEX chm_audit_by_time ON chm_audit (time);
CREATE INDEX chm_audit_by_action ON chm_audit (action, id);
CREATE INDEX chm_audit_by_subject ON chm_audit (actor_subject, id);

CREATE TRIGGER chm_audit_refuses_update BEFORE UPDATE ON chm_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER chm_audit_refuses_delete BEFORE DELETE ON chm_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER chm_audit_refuses_replace BEFORE INSERT ON chm_audit
WHEN EXISTS (SELECT 1 FROM chm_audit WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
