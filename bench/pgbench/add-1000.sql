-- A thousand members, spread over those who are in a group already, in a new group; and its entry.
BEGIN;
INSERT INTO ceiling.memberships
  SELECT ceiling.tenant(), ceiling.id(g), ceiling.id(m * greatest(least(:rows::bigint, 100000) / 1000, 1)), false, now()
  FROM nextval('ceiling.groups_made') AS g, generate_series(1, 1000) AS m;
INSERT INTO ceiling.change_log SELECT ceiling.tenant(), ceiling.id(v), now(), ceiling.id(v), v,
    :change::text::json, ceiling.hash(v, 'mac')
  FROM nextval('ceiling.entries_made') AS v;
COMMIT;
