-- What must be true of accounts: see user_fsck.c.

--- one fsck_user_counts() -> (erased int, sessions int); scans
select (select count(*) from users where status = 'erased'), (select count(*) from sessions where ended_at is null)

--- many fsck_erased_left() -> (id uuid, what text); scans
select u.id, case
	when exists (select 1 from passwords p where p.user_id = u.id) then 'a password'
	when exists (select 1 from totps t where t.user_id = u.id) then 'an authenticator'
	when exists (select 1 from recovery_codes r where r.user_id = u.id) then 'recovery codes'
	when exists (select 1 from sessions s where s.user_id = u.id and s.ended_at is null) then 'a session'
	when exists (select 1 from oidc_grants g where g.user_id = u.id and g.ended_at is null) then 'a grant'
	when exists (select 1 from oidc_consents c where c.user_id = u.id) then 'a consent'
	else '' end as what
from users u
where u.status = 'erased' and (
	exists (select 1 from passwords p where p.user_id = u.id) or
	exists (select 1 from totps t where t.user_id = u.id) or
	exists (select 1 from recovery_codes r where r.user_id = u.id) or
	exists (select 1 from sessions s where s.user_id = u.id and s.ended_at is null) or
	exists (select 1 from oidc_grants g where g.user_id = u.id and g.ended_at is null) or
	exists (select 1 from oidc_consents c where c.user_id = u.id))

--- many fsck_sessions_of_none() -> (id uuid, status text); scans
select s.id, u.status from sessions s join users u on u.id = s.user_id where s.ended_at is null and u.status in ('suspended', 'erased')
