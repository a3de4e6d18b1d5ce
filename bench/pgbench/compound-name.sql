-- The first page, and the total that RFC 7644 section 3.4.2 wants with it.
\set n random(1, :rows)
SELECT id, document, version, created_at, modified_at FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND active
    AND user_name_key >= ceiling.beginning(:n) AND user_name_key < ceiling.beginning(:n) || '/'
  ORDER BY id LIMIT 100;
SELECT count(*) FROM ceiling.users
  WHERE tenant_id = ceiling.tenant() AND active
    AND user_name_key >= ceiling.beginning(:n) AND user_name_key < ceiling.beginning(:n) || '/';
