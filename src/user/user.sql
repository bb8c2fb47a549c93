-- Accounts: see accounts.h. Codes of mails, throttles and tokens of programs are in access.sql, sessions in session.sql.

--- row user: id uuid, status text, email text?, email_norm text?, email_verified_at time?, username text?, external text?, name text, locale text, profile json, roles text, version int, created_at time, updated_at time, login_at time?, password_at time?, totp_at time?

--- one user_by_id(id uuid) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users where id = :id

--- one user_by_email(norm text) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users where email_norm = :norm

--- one user_by_username(norm text) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users where username_norm = :norm

--- one user_by_external(external text) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users where external = :external

-- An address comes before a name that looks like one.
--- one user_by_login(email text, name text) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users
where email_norm = :email or username_norm = :name
order by case when email_norm = :email then 0 else 1 end limit 1

--- many users_after(after uuid, most int) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users
where id > :after order by id limit :most

--- many users_after_of(after uuid, status text, most int) -> user
select id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version,
created_at, updated_at, login_at, password_at, totp_at from users
where id > :after and status = :status order by id limit :most

--- one user_lock(id uuid) -> (id uuid, status text, version int, roles text)
--- sqlite
select id, status, version, roles from users where id = :id
--- postgres
select id, status, version, roles from users where id = :id for update

--- one user_name_taken(email_norm text, username_norm text, username_looks text, external text) -> (email bool, username bool, looks bool, external bool)
select exists (select 1 from users where email_norm = :email_norm) as email,
exists (select 1 from users where username_norm = :username_norm) as username,
exists (select 1 from users where username_looks = :username_looks) as looks,
exists (select 1 from users where external = :external) as external

--- exec user_add(id uuid, status text, email text?, email_norm text?, email_verified_at time?, username text?, username_norm text?, username_looks text?, external text?, name text, locale text, profile json, roles text, created_at time, updated_at time, login_at time?, password_at time?, totp_at time?)
insert into users (id, status, email, email_norm, email_verified_at, username, username_norm, username_looks, external, name,
locale, profile, roles, version, created_at, updated_at, login_at, password_at, totp_at)
values (:id, :status, :email, :email_norm, :email_verified_at, :username, :username_norm, :username_looks, :external, :name,
:locale, :profile, :roles, 1, :created_at, :updated_at, :login_at, :password_at, :totp_at)

-- What a profile has.
--- exec user_change(id uuid, name text, locale text, profile json, roles text, now time)
update users set name = :name, locale = :locale, profile = :profile, roles = :roles, version = version + 1, updated_at = :now
where id = :id and status <> 'erased'

--- exec user_rename(id uuid, username text?, username_norm text?, username_looks text?, now time)
update users set username = :username, username_norm = :username_norm, username_looks = :username_looks,
version = version + 1, updated_at = :now where id = :id and status <> 'erased'

--- exec user_readdress(id uuid, email text?, email_norm text?, verified_at time?, now time)
update users set email = :email, email_norm = :email_norm, email_verified_at = :verified_at,
version = version + 1, updated_at = :now where id = :id and status <> 'erased'

--- exec user_email_verified(id uuid, now time)
update users set email_verified_at = :now, version = version + 1, updated_at = :now
where id = :id and email is not null and email_verified_at is null

--- exec user_status_set(id uuid, status text, now time)
update users set status = :status, version = version + 1, updated_at = :now where id = :id and status <> 'erased'

--- exec user_logged_in(id uuid, now time)
update users set login_at = :now where id = :id

--- exec user_password_at(id uuid, at time?, now time)
update users set password_at = :at, version = version + 1, updated_at = :now where id = :id and status <> 'erased'

--- exec user_totp_at(id uuid, at time?, now time)
update users set totp_at = :at, version = version + 1, updated_at = :now where id = :id and status <> 'erased'

--- exec user_erase(id uuid, now time)
update users set status = 'erased', email = null, email_norm = null, email_verified_at = null, username = null,
username_norm = null, username_looks = null, external = null, name = '', locale = '', profile = '{}', roles = '',
login_at = null, password_at = null, totp_at = null, version = version + 1, updated_at = :now, erased_at = :now
where id = :id and status <> 'erased'

-- What other systems called those who were erased.
--- exec user_erased_add(hash bytes, now time)
insert into erased_names (hash, at) values (:hash, :now) on conflict do nothing

--- one user_erased(hash bytes) -> (at time)
select at from erased_names where hash = :hash

--- one user_counts() -> (active int, all_of_them int); scans
select coalesce(sum(case when status = 'active' then 1 else 0 end), 0) as active, count(*) as all_of_them from users

-- Passwords.

--- one password_of(user_id uuid) -> (stored text, source text, set_at time)
select stored, source, set_at from passwords where user_id = :user_id

-- A login: one look, whoever it is. known: it has logged in from there before.
--- one login_of(email text, name text, address text) -> (id uuid, status text, stored text?, source text?, known bool)
select u.id, u.status, p.stored, p.source, exists (select 1 from sessions s
where s.user_id = u.id and s.address = :address and s.level > 0) as known
from users u left join passwords p on p.user_id = u.id
where u.email_norm = :email or u.username_norm = :name
order by case when u.email_norm = :email then 0 else 1 end limit 1

--- exec password_put(user_id uuid, stored text, format text, source text, now time)
insert into passwords (user_id, stored, format, source, set_at) values (:user_id, :stored, :format, :source, :now)
on conflict (user_id) do update set stored = :stored, format = :format, source = :source, set_at = :now

-- Only if it is the one that was verified.
--- exec password_rehash(user_id uuid, before text, stored text, format text, now time)
update passwords set stored = :stored, format = :format, set_at = :now where user_id = :user_id and stored = :before

--- exec password_remove(user_id uuid)
delete from passwords where user_id = :user_id

-- For decoys: some of each format.
--- many password_sample(most int) -> (stored text); scans
select stored from passwords order by random() limit :most

-- Second factors.

--- row totp: user_id uuid, secret text, algorithm text, digits int, period_s int, step int, confirmed_at time?

--- one totp_of(user_id uuid) -> totp
select user_id, secret, algorithm, digits, period_s, step, confirmed_at from totps where user_id = :user_id

--- exec totp_put(user_id uuid, secret text, algorithm text, digits int, period_s int, step int, now time, confirmed_at time?)
insert into totps (user_id, secret, algorithm, digits, period_s, step, created_at, confirmed_at)
values (:user_id, :secret, :algorithm, :digits, :period_s, :step, :now, :confirmed_at)
on conflict (user_id) do update set secret = :secret, algorithm = :algorithm, digits = :digits, period_s = :period_s,
step = :step, created_at = :now, confirmed_at = :confirmed_at

-- Each step once: it only rises.
--- exec totp_use(user_id uuid, step int, secret text)
update totps set step = :step where user_id = :user_id and step < :step and secret = :secret

--- exec totp_confirm(user_id uuid, now time)
update totps set confirmed_at = :now where user_id = :user_id and confirmed_at is null

--- exec totp_remove(user_id uuid)
delete from totps where user_id = :user_id

--- exec recovery_code_add(user_id uuid, hash bytes)
insert into recovery_codes (user_id, hash) values (:user_id, :hash)

--- exec recovery_code_use(user_id uuid, hash bytes, now time)
update recovery_codes set used_at = :now where user_id = :user_id and hash = :hash and used_at is null

--- exec recovery_codes_remove(user_id uuid)
delete from recovery_codes where user_id = :user_id

--- one recovery_codes_left(user_id uuid) -> (left_over int)
select count(*) as left_over from recovery_codes where user_id = :user_id and used_at is null
