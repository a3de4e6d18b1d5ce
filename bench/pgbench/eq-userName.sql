\set n random(1, :rows)
SELECT document, version, created_at, modified_at FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND user_name_key = ceiling.user_name(:n);
