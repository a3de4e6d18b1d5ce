-- The tables of the ceiling on SQLite: those of pgbench/setup.sql.
CREATE TABLE users (
  tenant_id BLOB NOT NULL, id BLOB NOT NULL, user_name_key TEXT NOT NULL, display_name_key TEXT,
  active BOOLEAN NOT NULL, division_id BLOB NOT NULL, license_tier TEXT NOT NULL,
  document TEXT NOT NULL, search TEXT NOT NULL, version BIGINT NOT NULL,
  created_at BIGINT NOT NULL, modified_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX users_by_user_name ON users (tenant_id, user_name_key, id);
CREATE INDEX users_by_display_name ON users (tenant_id, display_name_key, id);
CREATE INDEX users_by_modified ON users (tenant_id, modified_at);
CREATE INDEX users_by_division ON users (tenant_id, division_id, id);
CREATE INDEX users_by_license_tier ON users (tenant_id, license_tier, id);
CREATE TABLE emails (
  tenant_id BLOB NOT NULL, user_id BLOB NOT NULL, position INTEGER NOT NULL,
  value_key TEXT NOT NULL, PRIMARY KEY (tenant_id, user_id, position)
) WITHOUT ROWID;
CREATE INDEX emails_by_value ON emails (tenant_id, value_key, user_id);
CREATE TABLE claims (
  tenant_id BLOB NOT NULL, kind TEXT NOT NULL, value_hash BLOB NOT NULL, user_id BLOB NOT NULL,
  burned BOOLEAN NOT NULL, PRIMARY KEY (tenant_id, value_hash, kind)
) WITHOUT ROWID;
CREATE TABLE external_ids (
  tenant_id BLOB NOT NULL, user_id BLOB NOT NULL, connection_id BLOB NOT NULL,
  external_id TEXT NOT NULL, PRIMARY KEY (tenant_id, user_id, connection_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX external_ids_are_unique
  ON external_ids (tenant_id, external_id, connection_id);
CREATE TABLE free_seats (
  tenant_id BLOB NOT NULL, license_tier TEXT NOT NULL, number BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, license_tier, number)
) WITHOUT ROWID;
CREATE TABLE change_log (
  tenant_id BLOB NOT NULL, id BLOB NOT NULL, at BIGINT NOT NULL, resource_id BLOB NOT NULL,
  version BIGINT NOT NULL, changes TEXT, mac BLOB NOT NULL, PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX change_log_by_version ON change_log (tenant_id, resource_id, version);
CREATE INDEX change_log_by_time ON change_log (tenant_id, at, id);
CREATE TABLE memberships (
  tenant_id BLOB NOT NULL, group_id BLOB NOT NULL, member_id BLOB NOT NULL,
  is_group BOOLEAN NOT NULL, added_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, group_id, member_id)
) WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (tenant_id, member_id, group_id);
