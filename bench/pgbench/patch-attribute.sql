-- What is there is read and locked before it is changed.
\set n random(1, :rows)
BEGIN;
SELECT document, version FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n) FOR UPDATE;
UPDATE ceiling.users SET document = :document::text::json, search = :search::text::jsonb,
    version = nextval('ceiling.entries_made'), modified_at = now()
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n);
INSERT INTO ceiling.change_log SELECT ceiling.tenant(), ceiling.id(v), now(), ceiling.id(:n), v,
    :change::text::json, ceiling.hash(v, 'mac')
  FROM currval('ceiling.entries_made') AS v;
COMMIT;
