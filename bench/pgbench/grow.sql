-- Users from one number to another, as the service would have written them.
SET search_path = ceiling;
INSERT INTO users SELECT tenant(), id(n), user_name(n), beginning(n), true, id(7), 'cx1', :'document',
  :'search', 1, now(), now() FROM generate_series(:first, :last) AS n;
INSERT INTO emails SELECT tenant(), id(n), 0, user_name(n) FROM generate_series(:first, :last) AS n;
INSERT INTO claims SELECT tenant(), kind, hash(n, 'claim'), id(n), false
  FROM generate_series(:first, :last) AS n, unnest(ARRAY['userName', 'email']) AS kind;
INSERT INTO external_ids SELECT tenant(), id(n), id(9), 'ceiling' || n
  FROM generate_series(:first, :last) AS n;
INSERT INTO change_log SELECT tenant(), id(n), now(), id(n), 1, :'changes', hash(n, 'mac')
  FROM generate_series(:first, :last) AS n;
-- A group of at most 100,000, as the service has one: what more members cost depends on how many there are.
INSERT INTO memberships SELECT tenant(), id(0), id(n), false, now()
  FROM generate_series(:first, least(:last, 100000)) AS n;
VACUUM ANALYZE users, emails, claims, external_ids, change_log, free_seats, memberships;
CHECKPOINT;
-- Reading that finds nobody would be too fast a ceiling.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM users JOIN emails ON user_id = id
    WHERE user_name_key = user_name(1) AND value_key = user_name(1)
      AND user_name_key >= beginning(1) AND user_name_key < beginning(1) || '/') THEN
    RAISE 'the users cannot be found by their names';
  END IF;
END $$;
