-- Identifiers are 16 bytes, instants microseconds since 1970, documents JSON text.

-- Secrets that all servers of the installation share.
CREATE TABLE installation_keys (
  purpose TEXT NOT NULL PRIMARY KEY,
  key_bytes BLOB NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE tenants (
  id BLOB NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- The resources that have no table of their own. `variant` divides a type into parts in each of
-- which names are unique.
CREATE TABLE objects (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  resource_type TEXT NOT NULL,
  variant TEXT NOT NULL,
  name TEXT,
  name_key TEXT,
  document TEXT NOT NULL,
  search TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  created_at BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX objects_by_name ON objects (tenant_id, resource_type, name_key, variant)
  WHERE deleted_at IS NULL;
CREATE INDEX objects_by_type ON objects (tenant_id, resource_type, id);

CREATE TABLE tokens (
  tenant_id BLOB NOT NULL,
  id TEXT NOT NULL,
  connection_id BLOB NOT NULL,
  secret_hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES objects (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX tokens_by_id ON tokens (id);

-- What administrators define is kept in memory under this version. Rehire cases are made by what
-- clients do, and are not kept.
CREATE TABLE catalogue_versions (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  -- Whether a group was ever in another: where none was, the groups of a person are one step away.
  nests BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE TRIGGER objects_count_up_when_added AFTER INSERT ON objects
  WHEN NEW.resource_type <> 'RehireCase'
BEGIN
  INSERT INTO catalogue_versions (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER objects_count_up_when_changed AFTER UPDATE ON objects
  WHEN NEW.resource_type <> 'RehireCase'
BEGIN
  INSERT INTO catalogue_versions (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER tokens_count_up_when_added AFTER INSERT ON tokens
BEGIN
  INSERT INTO catalogue_versions (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER tokens_count_up_when_changed AFTER UPDATE ON tokens
BEGIN
  INSERT INTO catalogue_versions (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = version + 1;
END;

-- `document` is what clients sent, in its kept form; `search` the same as it is compared. The
-- other columns repeat what has an index or a rule. There is no reference to the tenant: checking
-- it would make every write of a tenant lock one row.
CREATE TABLE users (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  user_name_key TEXT NOT NULL,
  display_name_key TEXT,
  display TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  division_id BLOB NOT NULL,
  license_tier TEXT NOT NULL,
  pending_tier TEXT,
  seat_since BIGINT,
  capacity_rule_id BLOB,
  is_agent BOOLEAN NOT NULL,
  employee_number_key TEXT,
  is_employee_number_unique BOOLEAN NOT NULL,
  manager_key TEXT,
  activated_at BIGINT,
  activation_sent_at BIGINT,
  activation_expires_at BIGINT,
  deactivated_at BIGINT,
  locked_until BIGINT,
  document TEXT NOT NULL,
  search TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  created_at BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  deleted_at BIGINT,
  erased_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  -- Rules R11 and R12.
  CHECK (active = (seat_since IS NOT NULL)),
  CHECK (NOT active OR deleted_at IS NULL),
  -- Rule R59.
  CHECK (erased_at IS NULL OR deleted_at IS NOT NULL)
);
-- The id makes what is found come in the order of a page, so that no planner prefers to read the
-- whole tenant in that order.
-- With what tells whether a user is to be seen, whoever counts users, or looks for a part of a
-- name, reads the index alone. Not with `active`: a change of that would write the index.
CREATE INDEX users_by_user_name ON users (tenant_id, user_name_key, id, deleted_at);
CREATE INDEX users_by_display_name ON users (tenant_id, display_name_key, id, deleted_at);
CREATE INDEX users_by_modified ON users (tenant_id, modified_at);
CREATE UNIQUE INDEX users_have_their_own_employee_numbers
  ON users (tenant_id, employee_number_key)
  WHERE is_employee_number_unique AND employee_number_key IS NOT NULL;
CREATE INDEX users_by_employee_number ON users (tenant_id, employee_number_key, id)
  WHERE employee_number_key IS NOT NULL;
CREATE INDEX users_by_manager ON users (tenant_id, manager_key, id) WHERE manager_key IS NOT NULL;
CREATE INDEX users_by_division ON users (tenant_id, division_id, id);
CREATE INDEX users_by_license_tier ON users (tenant_id, license_tier, id);

-- Rule R51: who is deleted is a tombstone.
CREATE TRIGGER users_are_kept BEFORE DELETE ON users
BEGIN
  SELECT RAISE(ABORT, 'users are never deleted');
END;

-- No reference to the user here and in identity_claims: its row never goes, and is written by the
-- transaction that writes these; checking it would look it up once for each of them.
CREATE TABLE user_emails (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  position INTEGER NOT NULL,
  value_key TEXT,
  type_key TEXT,
  is_primary BOOLEAN,
  PRIMARY KEY (tenant_id, user_id, position)
) WITHOUT ROWID;
CREATE INDEX user_emails_by_value ON user_emails (tenant_id, value_key, type_key, user_id);

-- Rules R1 to R6. A row never changes its account, and is deleted only to release a name that nobody
-- ever worked with (R5). The name itself is not in it, only its keyed hash: a row keeps blocking the
-- name when nothing else of the person is left.
CREATE TABLE identity_claims (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  value_hash BLOB NOT NULL,
  user_id BLOB NOT NULL,
  is_current BOOLEAN NOT NULL,
  burned BOOLEAN NOT NULL,
  first_used_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, value_hash, kind)
) WITHOUT ROWID;
CREATE TRIGGER identity_claims_are_kept BEFORE DELETE ON identity_claims
WHEN OLD.burned OR OLD.is_current
BEGIN
  SELECT RAISE(ABORT, 'identity claims that are burned or current are never deleted');
END;
CREATE TRIGGER identity_claims_stay_burned BEFORE UPDATE OF burned ON identity_claims
WHEN OLD.burned AND NOT NEW.burned
BEGIN
  SELECT RAISE(ABORT, 'identity claims stay burned');
END;
CREATE TRIGGER identity_claims_keep_their_account
  BEFORE UPDATE OF tenant_id, kind, value_hash, user_id ON identity_claims
WHEN OLD.tenant_id IS NOT NEW.tenant_id OR OLD.kind IS NOT NEW.kind
  OR OLD.value_hash IS NOT NEW.value_hash OR OLD.user_id IS NOT NEW.user_id
BEGIN
  SELECT RAISE(ABORT, 'identity claims never change their account');
END;

CREATE TABLE groups (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  display_name_key TEXT NOT NULL,
  display TEXT NOT NULL,
  kind TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  capacity_rule_id BLOB,
  priority INTEGER NOT NULL,
  document TEXT NOT NULL,
  search TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  created_at BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX groups_by_display_name ON groups (tenant_id, display_name_key)
  WHERE deleted_at IS NULL;

-- No reference to the group: its row is locked by whoever changes its members, and never goes; and
-- a reference is checked once for each of them.
CREATE TABLE memberships (
  tenant_id BLOB NOT NULL,
  group_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  is_group BOOLEAN NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, group_id, member_id)
) WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (tenant_id, member_id, group_id);
-- The few groups that are in others, by which those in a group indirectly are found.
CREATE INDEX memberships_of_groups ON memberships (tenant_id, group_id, member_id) WHERE is_group;
CREATE TRIGGER memberships_nest AFTER INSERT ON memberships WHEN NEW.is_group
BEGIN
  INSERT INTO catalogue_versions (tenant_id, version, nests) VALUES (NEW.tenant_id, 1, TRUE)
    ON CONFLICT (tenant_id) DO UPDATE SET nests = TRUE WHERE NOT nests;
END;

-- Rule R13: a seat that is free in a pool of a limited size. Taking one deletes its row; what is
-- not there cannot be taken.
CREATE TABLE free_seats (
  tenant_id BLOB NOT NULL,
  license_tier TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, license_tier, number)
) WITHOUT ROWID;

-- Which roles a user or group holds in which division; in all of them if `division_id` is null,
-- and then `scope_id` is zero. The role that a client calls primary is so in each of its rows.
CREATE TABLE grants (
  tenant_id BLOB NOT NULL,
  subject_id BLOB NOT NULL,
  role_id BLOB NOT NULL,
  scope_id BLOB NOT NULL,
  division_id BLOB,
  is_group BOOLEAN NOT NULL,
  source TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  dormant BOOLEAN NOT NULL,
  is_primary BOOLEAN NOT NULL,
  purge_at BIGINT,
  PRIMARY KEY (tenant_id, subject_id, role_id, scope_id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES objects (tenant_id, id),
  FOREIGN KEY (tenant_id, division_id) REFERENCES objects (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX grants_by_role ON grants (tenant_id, role_id, subject_id);
CREATE INDEX grants_by_division ON grants (tenant_id, division_id, subject_id);
CREATE INDEX grants_that_end ON grants (tenant_id, purge_at) WHERE dormant;

-- What the policies of a role give, and in which licence tiers it is blocked: a bit for each, in
-- the order of the catalogue.
CREATE TABLE role_permissions (
  tenant_id BLOB NOT NULL,
  role_id BLOB NOT NULL,
  permission TEXT NOT NULL,
  division_aware BOOLEAN NOT NULL,
  blocked_tiers INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, role_id, permission),
  FOREIGN KEY (tenant_id, role_id) REFERENCES objects (tenant_id, id)
) WITHOUT ROWID;

-- Rule R70. The proficiency is in tenths.
CREATE TABLE skill_assignments (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  skill_id BLOB NOT NULL,
  proficiency INTEGER NOT NULL CHECK (proficiency BETWEEN 0 AND 50),
  active BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, user_id, skill_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES objects (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX skill_assignments_by_skill ON skill_assignments (tenant_id, skill_id, user_id);

-- Beside the accounts, because logging in changes no version.
CREATE TABLE last_logins (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) WITHOUT ROWID;

-- What other systems say depends on a person.
CREATE TABLE dependencies (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  disposition TEXT NOT NULL,
  PRIMARY KEY (tenant_id, user_id, kind, reference),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) WITHOUT ROWID;

-- Rule R7: unique in a connection and resource type.
CREATE TABLE external_ids (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id BLOB NOT NULL,
  external_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, connection_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX external_ids_are_unique
  ON external_ids (tenant_id, external_id, connection_id, resource_type);

-- Rule R81: append only. The identifiers ascend with time; there is no counter to wait for. Only what
-- an entry says of an account that is erased is taken away (R59); the digest of it stays, and `mac`, which
-- is of the digest and of all other columns.
CREATE TABLE change_log (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  at BIGINT NOT NULL,
  actor_type TEXT NOT NULL,
  actor_id BLOB,
  source TEXT NOT NULL,
  request_id BLOB NOT NULL,
  action TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id BLOB NOT NULL,
  version BIGINT NOT NULL,
  rule TEXT,
  reason TEXT,
  changes TEXT,
  changes_digest BLOB NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
-- One entry for every version.
CREATE UNIQUE INDEX change_log_by_version ON change_log (tenant_id, resource_id, version);
CREATE INDEX change_log_by_resource ON change_log (tenant_id, resource_id, id);
CREATE INDEX change_log_by_time ON change_log (tenant_id, at, id);
-- Rule R57: who left by which connection, and when.
CREATE INDEX change_log_by_departure ON change_log (tenant_id, actor_id, at, resource_id)
  WHERE action IN ('deactivate', 'tombstone') AND resource_type = 'User';
CREATE TRIGGER change_log_is_kept BEFORE DELETE ON change_log
BEGIN
  SELECT RAISE(ABORT, 'the change log is append-only');
END;
CREATE TRIGGER change_log_is_not_edited BEFORE UPDATE ON change_log
WHEN NOT (NEW.changes IS NULL AND NEW.reason IS NULL
  AND NEW.tenant_id IS OLD.tenant_id AND NEW.id IS OLD.id
  AND NEW.at IS OLD.at AND NEW.actor_type IS OLD.actor_type
  AND NEW.actor_id IS OLD.actor_id AND NEW.source IS OLD.source
  AND NEW.request_id IS OLD.request_id AND NEW.action IS OLD.action
  AND NEW.resource_type IS OLD.resource_type AND NEW.resource_id IS OLD.resource_id
  AND NEW.version IS OLD.version AND NEW.rule IS OLD.rule
  AND NEW.changes_digest IS OLD.changes_digest AND NEW.mac IS OLD.mac
  AND EXISTS (SELECT 1 FROM users WHERE users.tenant_id = OLD.tenant_id
    AND users.id = OLD.resource_id AND users.erased_at IS NOT NULL))
BEGIN
  SELECT RAISE(ABORT, 'the change log is append-only');
END;

-- How often each connection did something beyond the standard. It is apart from the connections, so
-- that counting changes no version.
CREATE TABLE leniency_uses (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  leniency TEXT NOT NULL,
  uses BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, leniency)
);

-- What the clients of connections prove themselves with besides tokens: the hash of a secret, an
-- issuer that is trusted, a certificate. `lookup` is by what it is found when a client shows it.
CREATE TABLE client_credentials (
  tenant_id BLOB NOT NULL,
  id TEXT NOT NULL,
  connection_id BLOB NOT NULL,
  lookup TEXT NOT NULL,
  proof TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES objects (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX client_credentials_by_id ON client_credentials (id);
CREATE INDEX client_credentials_by_lookup ON client_credentials (lookup);

-- When tokens and credentials were last used, about. It is apart from them, so that using one changes
-- no version.
CREATE TABLE credential_uses (
  tenant_id BLOB NOT NULL,
  id TEXT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

-- What accounts log in with: beside them, because failing to log in changes no version. The password
-- is an Argon2 hash, as a PHC string; there is none while nobody can log in with one.
CREATE TABLE logins (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  password TEXT,
  must_change BOOLEAN NOT NULL,
  failures BIGINT NOT NULL CHECK (failures >= 0),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) WITHOUT ROWID;

-- Links that are to be mailed, or were: `due_at` is when the mail is to be sent, and none once it was.
-- Only the hash of the secret is kept, which is made when the mail is.
CREATE TABLE mailed_links (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  purpose TEXT NOT NULL,
  secret_hash BLOB,
  asked_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  due_at BIGINT,
  attempts BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, user_id, purpose),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX mailed_links_by_due ON mailed_links (due_at) WHERE due_at IS NOT NULL;

-- People who are logged in. What ends a session deletes its row.
CREATE TABLE sessions (
  tenant_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  secret_hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, user_id, secret_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (tenant_id, expires_at);
CREATE INDEX sessions_by_use ON sessions (tenant_id, seen_at);
