-- After the emitted tenancy.sql: its rule for the tables it does not know, and for a login, which knows no tenant yet.
DO $body$
DECLARE
  name text;
  own text := $rule$ tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::text $rule$;
BEGIN
  FOREACH name IN ARRAY ARRAY['workrooms', 'workroom_members', 'messages'] LOOP
    EXECUTE format('ALTER TABLE %I OWNER TO app_owner', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO app_user', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (%s) WITH CHECK (%s)', name, own, own);
    EXECUTE format('CREATE POLICY owner_migrates ON %I TO app_owner USING (true)', name);
  END LOOP;
END
$body$;
GRANT USAGE ON SEQUENCE messages_id_seq TO app_user;
CREATE POLICY login ON users FOR SELECT TO app_user USING (NULLIF(current_setting('app.tenant_id', true), '') IS NULL);
VACUUM ANALYZE;
