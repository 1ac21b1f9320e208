-- Tenants and keys are changed by `spanledger tenant` and `spanledger key`, and every such change leaves a row in admin_audit.

-- The name of a deleted tenant may be taken again; its number never is, so its spans stay its own.
ALTER TABLE spanledger.tenant DROP CONSTRAINT tenant_name_key;
CREATE UNIQUE INDEX tenant_name_key ON spanledger.tenant (name) WHERE deleted_at IS NULL;

-- Servers keep all keys that are in force in memory and look several times a second whether this number is still the same. It is a row, not a
-- sequence: who changes keys holds it until COMMIT, so that of two changes no server can see the later number without the earlier change.
INSERT INTO spanledger.setting (name, value) VALUES ('key_epoch', '0');

CREATE FUNCTION spanledger.advance_key_epoch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE spanledger.setting SET value = (value::int8 + 1)::text WHERE name = 'key_epoch';
    RETURN NULL;
END
$$;

-- By hand too. The day of the last use is written by servers and changes nothing.
CREATE TRIGGER api_key_epoch AFTER INSERT OR DELETE OR TRUNCATE
    OR UPDATE OF key_id, tenant_id, public, secret_digest, scopes, project, expires_at, revoked_at
    ON spanledger.api_key FOR EACH STATEMENT EXECUTE FUNCTION spanledger.advance_key_epoch();
CREATE TRIGGER tenant_key_epoch AFTER UPDATE OF deleted_at ON spanledger.tenant FOR EACH STATEMENT EXECUTE FUNCTION spanledger.advance_key_epoch();

-- What was done stays written: rows are added and never changed or removed, whoever asks.
CREATE FUNCTION spanledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed or removed', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER admin_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON spanledger.admin_audit
    FOR EACH STATEMENT EXECUTE FUNCTION spanledger.refuse_change();
