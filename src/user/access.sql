-- Codes of mails, throttles, tokens of programs.

--- row mail_code: hash bytes, purpose text, user_id uuid?, email text, proof bytes?, data json, created_at time, until time, used_at time?

--- one mail_code_of(hash bytes) -> mail_code
select hash, purpose, user_id, email, proof, data, created_at, until, used_at from mail_codes where hash = :hash

--- exec mail_code_add(hash bytes, purpose text, user_id uuid?, email text, proof bytes?, data json, created_at time, until time)
insert into mail_codes (hash, purpose, user_id, email, proof, data, created_at, until)
values (:hash, :purpose, :user_id, :email, :proof, :data, :created_at, :until)

-- What it was for is not kept any longer than it is good for something.
--- exec mail_code_use(hash bytes, now time)
update mail_codes set used_at = :now, email = '', data = '{}' where hash = :hash and used_at is null and until > :now

-- Codes that another makes useless: an older recovery, an older change of address.
--- exec mail_codes_void(user_id uuid, now time)
update mail_codes set used_at = :now where user_id = :user_id and used_at is null

--- exec mail_codes_erase(user_id uuid)
delete from mail_codes where user_id = :user_id
or email = (select email from users where id = :user_id and email is not null)

--- exec mail_codes_purge(before time)
delete from mail_codes where until < :before

--- row throttle: scope text, hash bytes, level real, at time

--- exec throttle_add(scope text, hash bytes, now time)
insert into throttles (scope, hash, level, at) values (:scope, :hash, 0, :now) on conflict do nothing

--- one throttle_lock(scope text, hash bytes) -> throttle
--- sqlite
select scope, hash, level, at from throttles where scope = :scope and hash = :hash
--- postgres
select scope, hash, level, at from throttles where scope = :scope and hash = :hash for update

--- exec throttle_set(scope text, hash bytes, level real, now time)
update throttles set level = :level, at = :now where scope = :scope and hash = :hash

--- exec throttles_purge(before time)
delete from throttles where at < :before

--- row service_token: id uuid, name text, scopes text, created_at time, until time?, ended_at time?

--- one service_token_by_hash(token_hash bytes) -> service_token
select id, name, scopes, created_at, until, ended_at from service_tokens where token_hash = :token_hash

--- many service_tokens_all() -> service_token; scans
select id, name, scopes, created_at, until, ended_at from service_tokens order by name

--- exec service_token_add(id uuid, name text, token_hash bytes, scopes text, now time, until time?)
insert into service_tokens (id, name, token_hash, scopes, created_at, until)
values (:id, :name, :token_hash, :scopes, :now, :until)

--- exec service_token_end(name text, now time)
update service_tokens set ended_at = :now where name = :name and ended_at is null
