-- Text that is compared has the collation "C", so that both databases order it by code point.

-- Secrets that all servers of the installation share.
CREATE TABLE installation_keys (
  purpose text NOT NULL PRIMARY KEY,
  key_bytes bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE tenants (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL,
  name_key text COLLATE "C" NOT NULL UNIQUE,
  created_at timestamptz NOT NULL
);

-- The resources that have no table of their own. `variant` divides a type into parts in each of
-- which names are unique.
CREATE TABLE objects (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  resource_type text COLLATE "C" NOT NULL,
  variant text COLLATE "C" NOT NULL,
  name text,
  name_key text COLLATE "C",
  document json NOT NULL,
  search jsonb NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX objects_by_name ON objects (tenant_id, resource_type, name_key, variant)
  WHERE deleted_at IS NULL;
CREATE INDEX objects_by_type ON objects (tenant_id, resource_type, id);

CREATE TABLE tokens (
  tenant_id uuid NOT NULL,
  id text NOT NULL,
  connection_id uuid NOT NULL,
  secret_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES objects (tenant_id, id)
);
CREATE INDEX tokens_by_id ON tokens (id);

-- What administrators define is kept in memory under this version. It is counted up when the
-- transaction ends, so that two writers wait for each other no longer than for a commit. Rehire
-- cases are made by what clients do, and are not kept.
CREATE TABLE catalogue_versions (
  tenant_id uuid NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  -- Whether a group was ever in another: where none was, the groups of a person are one step away.
  nests boolean NOT NULL DEFAULT FALSE
);
CREATE FUNCTION count_catalogue_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalogue_versions AS c (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = c.version + 1;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER objects_count_up AFTER INSERT OR UPDATE ON objects
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.resource_type <> 'RehireCase')
  EXECUTE FUNCTION count_catalogue_up();
CREATE CONSTRAINT TRIGGER tokens_count_up AFTER INSERT OR UPDATE ON tokens
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_catalogue_up();

-- Shares a lock until the transaction ends, and says which version the catalogue has then, twice it, and
-- one more if groups are in others: each statement of a function sees what was committed before it.
CREATE FUNCTION hold_shared(number bigint, tenant uuid) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(number);
  RETURN (SELECT version * 2 + CASE WHEN nests THEN 1 ELSE 0 END
    FROM catalogue_versions WHERE tenant_id = tenant);
END $$;

-- `document` is what clients sent, in its kept form; `search` the same as it is compared. The
-- other columns repeat what has an index or a rule. There is no reference to the tenant: checking
-- it would make every write of a tenant lock one row.
CREATE TABLE users (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_name_key text COLLATE "C" NOT NULL,
  display_name_key text COLLATE "C",
  display text NOT NULL,
  active boolean NOT NULL,
  division_id uuid NOT NULL,
  license_tier text COLLATE "C" NOT NULL,
  pending_tier text COLLATE "C",
  seat_since timestamptz,
  capacity_rule_id uuid,
  is_agent boolean NOT NULL,
  employee_number_key text COLLATE "C",
  is_employee_number_unique boolean NOT NULL,
  manager_key text COLLATE "C",
  activated_at timestamptz,
  activation_sent_at timestamptz,
  activation_expires_at timestamptz,
  deactivated_at timestamptz,
  locked_until timestamptz,
  document json NOT NULL,
  search jsonb NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  deleted_at timestamptz,
  erased_at timestamptz,
  -- With what tells whether a user is to be seen, many members are looked for in the key alone.
  PRIMARY KEY (tenant_id, id) INCLUDE (deleted_at),
  -- Rules R11 and R12.
  CHECK (active = (seat_since IS NOT NULL)),
  CHECK (NOT active OR deleted_at IS NULL),
  -- Rule R59.
  CHECK (erased_at IS NULL OR deleted_at IS NOT NULL)
);
-- The id makes what is found come in the order of a page, so that no planner prefers to read the
-- whole tenant in that order.
-- With what tells whether a user is to be seen, whoever counts users, or looks for a part of a
-- name, reads the index alone. A change writes every index anyhow.
CREATE INDEX users_by_user_name ON users (tenant_id, user_name_key, id)
  INCLUDE (deleted_at, active);
CREATE INDEX users_by_display_name ON users (tenant_id, display_name_key, id)
  INCLUDE (deleted_at, active);
CREATE INDEX users_by_modified ON users (tenant_id, modified_at);
CREATE UNIQUE INDEX users_have_their_own_employee_numbers
  ON users (tenant_id, employee_number_key)
  WHERE is_employee_number_unique AND employee_number_key IS NOT NULL;
CREATE INDEX users_by_employee_number ON users (tenant_id, employee_number_key, id)
  WHERE employee_number_key IS NOT NULL;
CREATE INDEX users_by_manager ON users (tenant_id, manager_key, id) WHERE manager_key IS NOT NULL;
CREATE INDEX users_by_division ON users (tenant_id, division_id, id);
CREATE INDEX users_by_license_tier ON users (tenant_id, license_tier, id);

-- Ends a transaction that locks what it has read before, and finds that it has changed since.
CREATE FUNCTION refuse_stale() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'it has changed since it was read' USING ERRCODE = 'serialization_failure';
END $$;

-- No reference to the user here and in identity_claims: its row never goes, and is written by the
-- transaction that writes these; checking it would lock that row once for each of them.
CREATE TABLE user_emails (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  position integer NOT NULL,
  value_key text COLLATE "C",
  type_key text COLLATE "C",
  is_primary boolean,
  PRIMARY KEY (tenant_id, user_id, position)
);
CREATE INDEX user_emails_by_value ON user_emails (tenant_id, value_key, type_key, user_id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0];
END $$;
-- Rule R51: who is deleted is a tombstone.
CREATE TRIGGER users_are_kept BEFORE DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION refuse_change('users are never deleted');
CREATE TRIGGER users_are_not_emptied BEFORE TRUNCATE ON users
  EXECUTE FUNCTION refuse_change('users are never deleted');

-- Rules R1 to R6. A row never changes its account, and is deleted only to release a name that nobody
-- ever worked with (R5). The name itself is not in it, only its keyed hash: a row keeps blocking the
-- name when nothing else of the person is left.
CREATE TABLE identity_claims (
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  value_hash bytea NOT NULL,
  user_id uuid NOT NULL,
  is_current boolean NOT NULL,
  burned boolean NOT NULL,
  first_used_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, value_hash, kind)
);
CREATE TRIGGER identity_claims_are_kept BEFORE DELETE ON identity_claims
  FOR EACH ROW WHEN (OLD.burned OR OLD.is_current)
  EXECUTE FUNCTION refuse_change('identity claims that are burned or current are never deleted');
CREATE TRIGGER identity_claims_stay_burned BEFORE UPDATE OF burned ON identity_claims
  FOR EACH ROW WHEN (OLD.burned AND NOT NEW.burned)
  EXECUTE FUNCTION refuse_change('identity claims stay burned');
CREATE TRIGGER identity_claims_keep_their_account
  BEFORE UPDATE OF tenant_id, kind, value_hash, user_id ON identity_claims
  FOR EACH ROW WHEN ((OLD.tenant_id, OLD.kind, OLD.value_hash, OLD.user_id)
    IS DISTINCT FROM (NEW.tenant_id, NEW.kind, NEW.value_hash, NEW.user_id))
  EXECUTE FUNCTION refuse_change('identity claims never change their account');
CREATE TRIGGER identity_claims_are_not_emptied BEFORE TRUNCATE ON identity_claims
  EXECUTE FUNCTION refuse_change('identity claims are never deleted');

CREATE TABLE "groups" (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  display_name_key text COLLATE "C" NOT NULL,
  display text NOT NULL,
  kind text COLLATE "C" NOT NULL,
  enabled boolean NOT NULL,
  capacity_rule_id uuid,
  priority integer NOT NULL,
  document json NOT NULL,
  search jsonb NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX groups_by_display_name ON "groups" (tenant_id, display_name_key)
  WHERE deleted_at IS NULL;

-- No reference to the group: its row is locked by whoever changes its members, and never goes; and
-- a reference is checked once for each of them.
CREATE TABLE memberships (
  tenant_id uuid NOT NULL,
  group_id uuid NOT NULL,
  member_id uuid NOT NULL,
  is_group boolean NOT NULL,
  added_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, group_id, member_id)
);
CREATE INDEX memberships_by_member ON memberships (tenant_id, member_id, group_id);
-- The few groups that are in others, by which those in a group indirectly are found.
CREATE INDEX memberships_of_groups ON memberships (tenant_id, group_id, member_id) WHERE is_group;
CREATE FUNCTION tell_of_nesting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalogue_versions AS c (tenant_id, version, nests) VALUES (NEW.tenant_id, 1, TRUE)
    ON CONFLICT (tenant_id) DO UPDATE SET nests = TRUE WHERE NOT c.nests;
  RETURN NULL;
END $$;
CREATE TRIGGER memberships_nest AFTER INSERT ON memberships FOR EACH ROW WHEN (NEW.is_group)
  EXECUTE FUNCTION tell_of_nesting();

-- Rule R13: a seat that is free in a pool of a limited size. Taking one deletes its row; what is
-- not there cannot be taken.
CREATE TABLE free_seats (
  tenant_id uuid NOT NULL,
  license_tier text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (tenant_id, license_tier, number)
);

-- Which roles a user or group holds in which division; in all of them if `division_id` is null,
-- and then `scope_id` is zero. The role that a client calls primary is so in each of its rows.
CREATE TABLE grants (
  tenant_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  role_id uuid NOT NULL,
  scope_id uuid NOT NULL,
  division_id uuid,
  is_group boolean NOT NULL,
  source text NOT NULL,
  granted_at timestamptz NOT NULL,
  dormant boolean NOT NULL,
  is_primary boolean NOT NULL,
  purge_at timestamptz,
  PRIMARY KEY (tenant_id, subject_id, role_id, scope_id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES objects (tenant_id, id),
  FOREIGN KEY (tenant_id, division_id) REFERENCES objects (tenant_id, id)
);
CREATE INDEX grants_by_role ON grants (tenant_id, role_id, subject_id);
CREATE INDEX grants_by_division ON grants (tenant_id, division_id, subject_id);
CREATE INDEX grants_that_end ON grants (tenant_id, purge_at) WHERE dormant;

-- What the policies of a role give, and in which licence tiers it is blocked: a bit for each, in
-- the order of the catalogue.
CREATE TABLE role_permissions (
  tenant_id uuid NOT NULL,
  role_id uuid NOT NULL,
  permission text COLLATE "C" NOT NULL,
  division_aware boolean NOT NULL,
  blocked_tiers integer NOT NULL,
  PRIMARY KEY (tenant_id, role_id, permission),
  FOREIGN KEY (tenant_id, role_id) REFERENCES objects (tenant_id, id)
);

-- Rule R70. The proficiency is in tenths.
CREATE TABLE skill_assignments (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  skill_id uuid NOT NULL,
  proficiency integer NOT NULL CHECK (proficiency BETWEEN 0 AND 50),
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, user_id, skill_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES objects (tenant_id, id)
);
CREATE INDEX skill_assignments_by_skill ON skill_assignments (tenant_id, skill_id, user_id);

-- Beside the accounts, because logging in changes no version.
CREATE TABLE last_logins (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- What other systems say depends on a person.
CREATE TABLE dependencies (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL,
  disposition text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, user_id, kind, reference),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- Rule R7: unique in a connection and resource type.
CREATE TABLE external_ids (
  tenant_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  resource_type text NOT NULL,
  resource_id uuid NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, connection_id)
);
CREATE UNIQUE INDEX external_ids_are_unique
  ON external_ids (tenant_id, external_id, connection_id, resource_type);

-- Rule R81: append only. The identifiers ascend with time; there is no counter to wait for. Only what
-- an entry says of an account that is erased is taken away (R59); the digest of it stays, and `mac`, which
-- is of the digest and of all other columns.
CREATE TABLE change_log (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  actor_type text COLLATE "C" NOT NULL,
  actor_id uuid,
  source text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  action text COLLATE "C" NOT NULL,
  resource_type text COLLATE "C" NOT NULL,
  resource_id uuid NOT NULL,
  version bigint NOT NULL,
  rule text COLLATE "C",
  reason text,
  changes json,
  changes_digest bytea NOT NULL,
  mac bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
-- Whoever changes a thousand members would wait half a millisecond for the compression that PostgreSQL
-- has by itself; a server may be built without the other one.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE change_log ALTER COLUMN changes SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE 'this PostgreSQL is built without lz4; the change log is compressed by pglz';
END $$;
-- One entry for every version.
CREATE UNIQUE INDEX change_log_by_version ON change_log (tenant_id, resource_id, version);
CREATE INDEX change_log_by_resource ON change_log (tenant_id, resource_id, id);
CREATE INDEX change_log_by_time ON change_log (tenant_id, at, id);
-- Rule R57: who left by which connection, and when.
CREATE INDEX change_log_by_departure ON change_log (tenant_id, actor_id, at, resource_id)
  WHERE action IN ('deactivate', 'tombstone') AND resource_type = 'User';
CREATE TRIGGER change_log_is_kept BEFORE DELETE ON change_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change('the change log is append-only');
CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.changes IS NULL AND NEW.reason IS NULL
    AND (NEW.tenant_id, NEW.id, NEW.at, NEW.actor_type, NEW.actor_id, NEW.source, NEW.request_id,
      NEW.action, NEW.resource_type, NEW.resource_id, NEW.version, NEW.rule, NEW.changes_digest,
      NEW.mac)
    IS NOT DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.at, OLD.actor_type, OLD.actor_id, OLD.source,
      OLD.request_id, OLD.action, OLD.resource_type, OLD.resource_id, OLD.version, OLD.rule,
      OLD.changes_digest, OLD.mac)
    AND EXISTS (SELECT 1 FROM users WHERE users.tenant_id = OLD.tenant_id
      AND users.id = OLD.resource_id AND users.erased_at IS NOT NULL)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the change log is append-only';
END $$;
CREATE TRIGGER change_log_is_not_edited BEFORE UPDATE ON change_log
  FOR EACH ROW EXECUTE FUNCTION refuse_edit();
CREATE TRIGGER change_log_is_not_emptied BEFORE TRUNCATE ON change_log
  EXECUTE FUNCTION refuse_change('the change log is append-only');

-- How often each connection did something beyond the standard. It is apart from the connections, so
-- that counting changes no version.
CREATE TABLE leniency_uses (
  tenant_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  leniency text COLLATE "C" NOT NULL,
  uses bigint NOT NULL,
  last_seen timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, leniency)
);

-- What clients asked for lately. It is written beside the requests, and forgets. `is_clear` tells
-- what may have personal data in it. Pages have the newest first.
CREATE TABLE provisioning_log (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  connection_id uuid NOT NULL,
  resource_id uuid,
  status integer NOT NULL,
  is_clear boolean NOT NULL,
  document json NOT NULL,
  search jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX provisioning_log_by_time ON provisioning_log (tenant_id, at, id);
CREATE INDEX provisioning_log_by_connection ON provisioning_log (tenant_id, connection_id, id);
CREATE INDEX provisioning_log_by_resource ON provisioning_log (tenant_id, resource_id, at, id)
  WHERE resource_id IS NOT NULL;

-- What the clients of connections prove themselves with besides tokens: the hash of a secret, an
-- issuer that is trusted, a certificate. `lookup` is by what it is found when a client shows it.
CREATE TABLE client_credentials (
  tenant_id uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  connection_id uuid NOT NULL,
  lookup text COLLATE "C" NOT NULL,
  proof json NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES objects (tenant_id, id)
);
CREATE INDEX client_credentials_by_id ON client_credentials (id);
CREATE INDEX client_credentials_by_lookup ON client_credentials (lookup);

-- When tokens and credentials were last used, about. It is apart from them, so that using one changes
-- no version.
CREATE TABLE credential_uses (
  tenant_id uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- What accounts log in with: beside them, because failing to log in changes no version. The password
-- is an Argon2 hash, as a PHC string; there is none while nobody can log in with one.
CREATE TABLE logins (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  password text,
  must_change boolean NOT NULL,
  failures bigint NOT NULL CHECK (failures >= 0),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- Links that are to be mailed, or were: `due_at` is when the mail is to be sent, and none once it was.
-- Only the hash of the secret is kept, which is made when the mail is.
CREATE TABLE mailed_links (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  secret_hash bytea,
  asked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  due_at timestamptz,
  attempts bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id, purpose),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX mailed_links_by_due ON mailed_links (due_at) WHERE due_at IS NOT NULL;

-- People who are logged in. What ends a session deletes its row.
CREATE TABLE sessions (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  secret_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, secret_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sessions_by_end ON sessions (tenant_id, expires_at);
CREATE INDEX sessions_by_use ON sessions (tenant_id, seen_at);
