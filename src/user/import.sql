-- Accounts as they go out: see export.c.

--- many export_after(after uuid, most int) -> (id uuid, status text, email text?, email_verified_at time?, username text?, external text?, name text, locale text, profile json, roles text, created_at time, login_at time?, stored text?, source text?, secret text?, algorithm text?, digits int?, period_s int?); scans
select u.id, u.status, u.email, u.email_verified_at, u.username, u.external, u.name, u.locale, u.profile, u.roles, u.created_at,
u.login_at, p.stored, p.source, t.secret, t.algorithm, t.digits, t.period_s
from users u left join passwords p on p.user_id = u.id
left join totps t on t.user_id = u.id and t.confirmed_at is not null
where u.id > :after and u.status <> 'erased' order by u.id limit :most

-- Only what is still the other system's: a password that was set here is nobody else's.
--- exec import_password_renew(user_id uuid, source text, stored text, format text, now time)
update passwords set stored = :stored, format = :format, set_at = :now
where user_id = :user_id and source = :source and source <> 'native' and stored <> :stored
