-- The tables of the ceiling: the rows that the service writes for a user, with the keys by which
-- they are found, in a schema of their own.
DROP SCHEMA IF EXISTS ceiling CASCADE;
CREATE SCHEMA ceiling;
SET search_path = ceiling;

CREATE FUNCTION id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lpad(to_hex(n), 32, '0')::uuid;
CREATE FUNCTION tenant() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '00000000-0000-0000-0000-000000000001'::uuid;
CREATE FUNCTION beginning(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (ARRAY['mira', 'jonas', 'aisha', 'pavel', 'lucia', 'tomas', 'ingrid', 'kwame', 'sofia',
    'hiroshi', 'elena', 'marcus', 'priya', 'liam', 'noor', 'anton'])[n % 16 + 1] || '.'
    || (ARRAY['okafor', 'lindqvist', 'haddad', 'novak', 'marino', 'berg', 'tanaka', 'mensah',
    'costa', 'fischer', 'petrov', 'walsh', 'nair', 'silva', 'jansen', 'moreau'])[n / 16 % 16 + 1];
CREATE FUNCTION user_name(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN beginning(n) || '.ceiling.' || lpad(n::text, 10, '0') || '@example.com';
CREATE FUNCTION hash(n bigint, kind text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN sha256((kind || n::text)::bytea);

-- Identifiers ascend, as the service's do. Those of the users that grow.sql makes are numbered from
-- 1 on, without a gap. Each connection takes some at once: a sequence is no part of what is measured.
CREATE SEQUENCE users_made START 1000000000 CACHE 100;
CREATE SEQUENCE entries_made START 2000000000 CACHE 100;
CREATE SEQUENCE groups_made;

CREATE TABLE users (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_name_key text COLLATE "C" NOT NULL,
  display_name_key text COLLATE "C",
  active boolean NOT NULL,
  division_id uuid NOT NULL,
  license_tier text COLLATE "C" NOT NULL,
  document json NOT NULL,
  search jsonb NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX users_by_user_name ON users (tenant_id, user_name_key, id);
CREATE INDEX users_by_display_name ON users (tenant_id, display_name_key, id);
CREATE INDEX users_by_modified ON users (tenant_id, modified_at);
CREATE INDEX users_by_division ON users (tenant_id, division_id, id);
CREATE INDEX users_by_license_tier ON users (tenant_id, license_tier, id);

CREATE TABLE emails (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  position integer NOT NULL,
  value_key text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, user_id, position)
);
CREATE INDEX emails_by_value ON emails (tenant_id, value_key, user_id);

CREATE TABLE claims (
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  value_hash bytea NOT NULL,
  user_id uuid NOT NULL,
  burned boolean NOT NULL,
  PRIMARY KEY (tenant_id, value_hash, kind)
);

CREATE TABLE external_ids (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, user_id, connection_id)
);
CREATE UNIQUE INDEX external_ids_are_unique
  ON external_ids (tenant_id, external_id, connection_id);

CREATE TABLE free_seats (
  tenant_id uuid NOT NULL,
  license_tier text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (tenant_id, license_tier, number)
);

CREATE TABLE change_log (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  resource_id uuid NOT NULL,
  version bigint NOT NULL,
  changes json,
  mac bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX change_log_by_version ON change_log (tenant_id, resource_id, version);
CREATE INDEX change_log_by_time ON change_log (tenant_id, at, id);

CREATE TABLE memberships (
  tenant_id uuid NOT NULL,
  group_id uuid NOT NULL,
  member_id uuid NOT NULL,
  is_group boolean NOT NULL,
  added_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, group_id, member_id)
);
CREATE INDEX memberships_by_member ON memberships (tenant_id, member_id, group_id);

-- Seats enough for all that a run creates.
INSERT INTO free_seats SELECT tenant(), 'cx1', n FROM generate_series(1, 200000) AS n;
