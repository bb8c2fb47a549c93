-- The OpenID Connect provider: see oidc_store.c.

--- row key: kid text, alg text, sealed text, created_at time, signs_at time, until time?
--- row client: id text, name text, auth text, grants text, redirects text, logout_redirects text, scope text, audience text, trusted bool, rs256 bool, secret_hash bytes?, jwks text, created_at time
--- row code: hash bytes, grant_id uuid, redirect_uri text, challenge text, nonce text, until time, used_at time?
--- row grant: id uuid, client_id text, user_id uuid, session_id uuid, scope text, level int, methods text, auth_at time, offline bool, until time, ended_at time?, newest bytes?, last bytes?, last_used_at time?, before bytes?, before_used_at time?, sealed text?, active bool

-- Keys.

--- many oidc_keys(now time) -> key; scans
select kid, alg, sealed, created_at, signs_at, until from oidc_keys where until is null or until > :now order by signs_at, kid

--- exec oidc_key_add(key)
insert into oidc_keys (kid, alg, sealed, created_at, signs_at, until) values (:kid, :alg, :sealed, :created_at, :signs_at, :until)

--- exec oidc_key_signs(kid text, signs_at time)
update oidc_keys set signs_at = :signs_at where kid = :kid

--- exec oidc_key_ends(kid text, until time)
update oidc_keys set until = :until where kid = :kid and (until is null or until > :until)

--- exec oidc_keys_purge(now time); scans
delete from oidc_keys where until <= :now

-- Clients.

--- one oidc_client(id text) -> client
select id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at
from oidc_clients where id = :id

--- many oidc_clients() -> client; scans
select id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at
from oidc_clients order by id

-- Until the transaction's end nobody else changes it. SQLite has one writer.
--- one oidc_client_hold(id text) -> client
--- sqlite
select id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at
from oidc_clients where id = :id
--- postgres
select id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at
from oidc_clients where id = :id for update

--- many oidc_clients_after(after text, most int) -> client
select id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at
from oidc_clients where id > :after order by id limit :most

--- exec oidc_client_change(id text, name text, grants text, redirects text, logout_redirects text, scope text, audience text, trusted bool, rs256 bool, jwks text)
update oidc_clients set name = :name, grants = :grants, redirects = :redirects, logout_redirects = :logout_redirects, scope = :scope,
	audience = :audience, trusted = :trusted, rs256 = :rs256, jwks = :jwks
where id = :id

--- exec oidc_client_add(client)
insert into oidc_clients (id, name, auth, grants, redirects, logout_redirects, scope, audience, trusted, rs256, secret_hash, jwks, created_at)
values (:id, :name, :auth, :grants, :redirects, :logout_redirects, :scope, :audience, :trusted, :rs256, :secret_hash, :jwks, :created_at)

--- exec oidc_client_remove(id text)
delete from oidc_clients where id = :id

--- exec oidc_client_grants_remove(id text)
delete from oidc_grants where client_id = :id

--- exec oidc_client_consents_remove(id text)
delete from oidc_consents where client_id = :id

-- Grants and codes. (active: the person may log in.)

--- one oidc_session_hold(id uuid) -> (id uuid)
--- sqlite
select id from sessions where id = :id and ended_at is null
--- postgres
select id from sessions where id = :id and ended_at is null for share

--- exec oidc_grant_add(id uuid, client_id text, user_id uuid, session_id uuid, scope text, level int, methods text, auth_at time, offline bool, created_at time, until time)
insert into oidc_grants (id, client_id, user_id, session_id, scope, level, methods, auth_at, offline, created_at, until)
values (:id, :client_id, :user_id, :session_id, :scope, :level, :methods, :auth_at, :offline, :created_at, :until)

--- exec oidc_code_add(hash bytes, grant_id uuid, redirect_uri text, challenge text, nonce text, until time)
insert into oidc_codes (hash, grant_id, redirect_uri, challenge, nonce, until)
values (:hash, :grant_id, :redirect_uri, :challenge, :nonce, :until)

--- one oidc_code(hash bytes) -> code
select hash, grant_id, redirect_uri, challenge, nonce, until, used_at from oidc_codes where hash = :hash

--- one oidc_grant(id uuid) -> grant
select g.id, g.client_id, g.user_id, g.session_id, g.scope, g.level, g.methods, g.auth_at, g.offline, g.until, g.ended_at,
	g.newest, g.last, g.last_used_at, g.before, g.before_used_at, g.sealed, u.status = 'active'
from oidc_grants g join users u on u.id = g.user_id where g.id = :id

--- one oidc_grant_by_handle(handle bytes) -> grant
select g.id, g.client_id, g.user_id, g.session_id, g.scope, g.level, g.methods, g.auth_at, g.offline, g.until, g.ended_at,
	g.newest, g.last, g.last_used_at, g.before, g.before_used_at, g.sealed, u.status = 'active'
from oidc_grants g join users u on u.id = g.user_id where g.handle = :handle

-- (Nothing, where somebody else has used it.)
--- exec oidc_code_use(hash bytes, now time)
update oidc_codes set used_at = :now where hash = :hash and used_at is null

--- exec oidc_grant_refreshes(id uuid, handle bytes, newest bytes, until time)
update oidc_grants set handle = :handle, newest = :newest, until = :until where id = :id and ended_at is null

-- (Nothing, where somebody else has been quicker, or the family is over.)
--- exec oidc_grant_rotate(id uuid, old bytes, newest bytes, sealed text, now time)
update oidc_grants set newest = :newest, before = last, before_used_at = last_used_at, last = :old, last_used_at = :now, sealed = :sealed
where id = :id and newest = :old and ended_at is null

--- exec oidc_grant_end(id uuid, now time)
update oidc_grants set ended_at = :now where id = :id and ended_at is null

--- exec oidc_grants_end_of_user(user_id uuid, keep uuid, now time)
update oidc_grants set ended_at = :now where user_id = :user_id and ended_at is null and session_id <> :keep

--- exec oidc_grants_end_of_session(session_id uuid, now time)
update oidc_grants set ended_at = :now where session_id = :session_id and ended_at is null and not offline

--- exec oidc_grants_end_of_sessions(user_id uuid, keep uuid, now time)
update oidc_grants set ended_at = :now where user_id = :user_id and ended_at is null and not offline and session_id <> :keep

--- exec oidc_grants_end_of_client(user_id uuid, client_id text, now time)
update oidc_grants set ended_at = :now where user_id = :user_id and client_id = :client_id and ended_at is null

--- exec oidc_grants_purge(before time, most int)
delete from oidc_grants where id in (select id from oidc_grants where until < :before order by until limit :most)

-- Consents.

--- one oidc_consent(user_id uuid, client_id text) -> (scope text)
select scope from oidc_consents where user_id = :user_id and client_id = :client_id

--- exec oidc_consent_set(user_id uuid, client_id text, scope text, now time)
insert into oidc_consents (user_id, client_id, scope, given_at) values (:user_id, :client_id, :scope, :now)
on conflict (user_id, client_id) do update set scope = excluded.scope, given_at = excluded.given_at

--- exec oidc_consent_remove(user_id uuid, client_id text)
delete from oidc_consents where user_id = :user_id and client_id = :client_id

--- exec oidc_consents_remove(user_id uuid)
delete from oidc_consents where user_id = :user_id

--- many oidc_consents(user_id uuid) -> (client_id text, name text, scope text, given_at time)
select c.client_id, k.name, c.scope, c.given_at from oidc_consents c join oidc_clients k on k.id = c.client_id
where c.user_id = :user_id order by c.given_at desc, c.client_id

-- What was good once.

--- exec oidc_spend(hash bytes, until time)
insert into oidc_spent (hash, until) values (:hash, :until) on conflict do nothing

--- one oidc_is_spent(hash bytes) -> (until time)
select until from oidc_spent where hash = :hash

--- exec oidc_spent_purge(now time, most int)
delete from oidc_spent where hash in (select hash from oidc_spent where until < :now order by until limit :most)
