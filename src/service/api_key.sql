-- Keys of programs: see peer_api_key.c.

--- row api_key: id text, owner text, scopes text, hash bytes, created_at time, until time?, revoked_at time?

--- one api_key_by_id(id text) -> api_key
select id, owner, scopes, hash, created_at, until, revoked_at from api_key where id = :id

--- many api_keys_all() -> api_key; scans
select id, owner, scopes, hash, created_at, until, revoked_at from api_key order by created_at, id

--- exec api_key_add(id text, owner text, scopes text, hash bytes, created_at time, until time?)
insert into api_key (id, owner, scopes, hash, created_at, until) values (:id, :owner, :scopes, :hash, :created_at, :until)

--- exec api_key_revoke(id text, now time)
update api_key set revoked_at = :now where id = :id and revoked_at is null
