-- What clients asked for lately. It is written beside the requests, and forgets. `is_clear` tells
-- what may have personal data in it. Pages have the newest first.
CREATE TABLE provisioning_log (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  at BIGINT NOT NULL,
  connection_id BLOB NOT NULL,
  resource_id BLOB,
  status INTEGER NOT NULL,
  is_clear BOOLEAN NOT NULL,
  document TEXT NOT NULL,
  search TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX provisioning_log_by_time ON provisioning_log (tenant_id, at, id);
CREATE INDEX provisioning_log_by_connection ON provisioning_log (tenant_id, connection_id, id);
CREATE INDEX provisioning_log_by_resource ON provisioning_log (tenant_id, resource_id, at, id)
  WHERE resource_id IS NOT NULL;
