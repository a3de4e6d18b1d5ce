BEGIN;
INSERT INTO ceiling.users SELECT ceiling.tenant(), ceiling.id(n), ceiling.user_name(n),
    ceiling.beginning(n), true, ceiling.id(7), 'cx1', :document::text::json, :search::text::jsonb, 1, now(), now()
  FROM nextval('ceiling.users_made') AS n;
INSERT INTO ceiling.emails SELECT ceiling.tenant(), ceiling.id(n), 0, ceiling.user_name(n)
  FROM currval('ceiling.users_made') AS n;
INSERT INTO ceiling.claims
  SELECT ceiling.tenant(), kind, ceiling.hash(n, 'claim'), ceiling.id(n), false
  FROM currval('ceiling.users_made') AS n, unnest(ARRAY['userName', 'email']) AS kind;
INSERT INTO ceiling.external_ids
  SELECT ceiling.tenant(), ceiling.id(n), ceiling.id(9), 'ceiling' || n
  FROM currval('ceiling.users_made') AS n;
DELETE FROM ceiling.free_seats
  WHERE tenant_id = ceiling.tenant() AND license_tier = 'cx1' AND number = (
    SELECT number FROM ceiling.free_seats
    WHERE tenant_id = ceiling.tenant() AND license_tier = 'cx1'
    LIMIT 1 FOR UPDATE SKIP LOCKED);
INSERT INTO ceiling.change_log SELECT ceiling.tenant(), ceiling.id(nextval('ceiling.entries_made')),
    now(), ceiling.id(n), 1, :changes::text::json, ceiling.hash(n, 'mac')
  FROM currval('ceiling.users_made') AS n;
COMMIT;
