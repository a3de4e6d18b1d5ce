-- Who is active leaves, with the names that are nobody else's from then on, and gives a seat back; who
-- is not comes back and takes one.
\set n random(1, :rows)
\set place random(1, 200000)
BEGIN;
SELECT document, version FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n) FOR UPDATE;
UPDATE ceiling.users SET active = NOT active, document = :document::text::json, search = :search::text::jsonb,
    version = nextval('ceiling.entries_made'), modified_at = now()
  WHERE tenant_id = ceiling.tenant() AND id = ceiling.id(:n) RETURNING active AS comes \gset
\if :comes
DELETE FROM ceiling.free_seats
  WHERE tenant_id = ceiling.tenant() AND license_tier = 'cx1' AND number = (
    SELECT number FROM ceiling.free_seats
    WHERE tenant_id = ceiling.tenant() AND license_tier = 'cx1' AND number >= :place
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED);
\else
UPDATE ceiling.claims SET burned = true
  WHERE tenant_id = ceiling.tenant() AND value_hash = ceiling.hash(:n, 'claim') AND NOT burned;
INSERT INTO ceiling.free_seats
  SELECT ceiling.tenant(), 'cx1', currval('ceiling.entries_made');
\endif
INSERT INTO ceiling.change_log SELECT ceiling.tenant(), ceiling.id(v), now(), ceiling.id(:n), v,
    :change::text::json, ceiling.hash(v, 'mac')
  FROM currval('ceiling.entries_made') AS v;
COMMIT;
