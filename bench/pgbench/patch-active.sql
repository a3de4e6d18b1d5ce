-- One seat is taken or given back.
\set n random(1, :rows)
BEGIN;
SELECT document, version FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n) FOR UPDATE;
UPDATE ceiling.users SET active = NOT active, document = :document::text::json, search = :search::text::jsonb,
    version = nextval('ceiling.entries_made'), modified_at = now()
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n);
INSERT INTO ceiling.free_seats
  SELECT ceiling.tenant(), 'cx1', currval('ceiling.entries_made');
INSERT INTO ceiling.change_log SELECT ceiling.tenant(), ceiling.id(v), now(), ceiling.id(:n), v,
    :change::text::json, ceiling.hash(v, 'mac')
  FROM currval('ceiling.entries_made') AS v;
COMMIT;
