-- Ids are compared byte by byte, so that pages have one order whatever the database's language is.
CREATE TABLE chm_keys (
    id           TEXT COLLATE "C" PRIMARY KEY,
    subject      TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    roles        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    revoked_by   TEXT,
    last_used_at BIGINT,
    replaced_by  TEXT
);

CREATE TABLE chm_audit (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time          BIGINT NOT NULL,
    action        TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_subject TEXT,
    address       TEXT,
    request_id    TEXT,
    target        TEXT,
    details       TEXT NOT NULL
);

CREATE INDEX chm_audit_by_time ON chm_audit (time);
CREATE INDEX chm_audit_by_action ON chm_audit (action, id);
CREATE INDEX chm_audit_by_subject ON chm_audit (actor_subject, id);

CREATE FUNCTION chm_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

CREATE TRIGGER chm_audit_refuses_change BEFORE UPDATE OR DELETE ON chm_audit
    FOR EACH ROW EXECUTE FUNCTION chm_audit_is_append_only();

CREATE TRIGGER chm_audit_refuses_truncate BEFORE TRUNCATE ON chm_audit
    FOR EACH STATEMENT EXECUTE FUNCTION chm_audit_is_append_only();
