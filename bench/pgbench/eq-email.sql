\set n random(1, :rows)
SELECT document, version, created_at, modified_at FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND id IN (SELECT user_id FROM ceiling.emails
    WHERE tenant_id = ceiling.tenant() AND value_key = ceiling.user_name(:n));
