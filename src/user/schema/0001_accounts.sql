-- Accounts and how their people come in (docs/guide/users.md). What must hold is said here too, not only in the program.

-- An erased account stays as its id, so that what others keep about it points to something; all else of it is gone. What it is called
-- stands in the row, so that an account is read by one look into one index: *_norm is what is compared, `looks` is the same for names that
-- look alike, external is what another system calls it ("shop:42"). roles: sorted, a blank between them.
create table users (
	id :uuid primary key,
	status :text not null check (status in ('invited', 'active', 'suspended', 'erased')),
	email :text,
	email_norm :text unique check (email_norm <> ''),
	email_verified_at :time,
	username :text,
	username_norm :text unique check (username_norm <> ''),
	username_looks :text unique,
	external :text unique check (external <> ''),
	name :text not null,
	locale :text not null,
	profile :json not null,
	roles :text not null,
	version :int not null,
	created_at :time not null,
	updated_at :time not null,
	login_at :time,
	password_at :time,
	totp_at :time,
	erased_at :time,
	check ((email is null) = (email_norm is null)),
	check ((username is null) = (username_norm is null)),
	check (email_verified_at is null or email is not null),
	check (status <> 'erased' or (email is null and username is null and external is null and name = '' and locale = '' and
		roles = '' and password_at is null and totp_at is null and erased_at is not null))
) :strict;

-- Passwords as they are stored: our own, or those of the system that the account came from. `format` counts alike ones together.
create table passwords (
	user_id :uuid primary key references users (id),
	stored :text not null check (stored <> ''),
	format :text not null,
	source :text not null,
	set_at :time not null
) :strict;

-- Authenticators: the secret is sealed; `step` is the last one that was taken, and only rises. Not confirmed: it counts for nothing yet.
create table totps (
	user_id :uuid primary key references users (id),
	secret :text not null,
	algorithm :text not null check (algorithm in ('SHA1', 'SHA256', 'SHA512')),
	digits :int not null check (digits between 6 and 8),
	period_s :int not null check (period_s between 15 and 120),
	step :int not null,
	created_at :time not null,
	confirmed_at :time
) :strict;

create table recovery_codes (
	user_id :uuid not null references users (id),
	hash :bytes not null,
	used_at :time,
	primary key (user_id, hash)
) :strict;

-- Of a token only the SHA-256 is kept. level 0: a second factor is due.
create table sessions (
	id :uuid primary key,
	token_hash :bytes not null unique,
	user_id :uuid not null references users (id),
	level :int not null check (level between 0 and 2),
	methods :text not null,
	address :text not null,
	agent :text not null,
	created_at :time not null,
	proved_at :time not null,
	used_at :time not null,
	idle_until :time not null,
	until :time not null,
	ended_at :time,
	check (idle_until <= until)
) :strict;
create index sessions_by_user on sessions (user_id);
create index sessions_over on sessions (until);

-- Codes that go out by mail, once usable. `proof`: what else must be shown by whoever uses it. purpose 'none': nothing comes of it,
-- but whoever asked for it cannot tell.
create table mail_codes (
	hash :bytes primary key,
	purpose :text not null check (purpose in ('registration', 'email', 'recovery', 'invitation', 'none')),
	user_id :uuid references users (id),
	email :text not null,
	proof :bytes,
	data :json not null,
	created_at :time not null,
	until :time not null,
	used_at :time
) :strict;
create index mail_codes_by_user on mail_codes (user_id) where user_id is not null;
create index mail_codes_by_email on mail_codes (email);
create index mail_codes_over on mail_codes (until);

-- What was tried too often (throttle.h): `level` tries at `at`, which become less by themselves.
create table throttles (
	scope :text not null,
	hash :bytes not null,
	level :real not null,
	at :time not null,
	primary key (scope, hash)
) :strict;
create index throttles_over on throttles (at);

-- For programs that ask: of the token only the SHA-256.
create table service_tokens (
	id :uuid primary key,
	name :text not null unique,
	token_hash :bytes not null unique,
	scopes :text not null,
	created_at :time not null,
	until :time,
	ended_at :time
) :strict;

-- Who did what. Every line holds the hash of the one before: audit.h.
create table audit (
	seq :int primary key,
	at :time not null,
	actor :text not null,
	action :text not null,
	user_id :uuid,
	address :text not null,
	detail :json not null,
	before :bytes not null,
	hash :bytes not null unique
) :strict;
create index audit_by_user on audit (user_id, seq) where user_id is not null;
create table audit_head (
	one :int primary key check (one = 1),
	seq :int not null,
	hash :bytes not null
) :strict;
--- sqlite
insert into audit_head (one, seq, hash) values (1, 0, x'');
--- postgres
insert into audit_head (one, seq, hash) values (1, 0, '');
