-- The OpenID Connect provider: clients, what people granted them, and the keys it signs with. docs/guide/openid.md says more.

-- Keys that sign. One signs from `signs_at` until the next of its algorithm does; it is published from its first day to `until`.
create table oidc_keys (
	kid :text primary key,
	alg :text not null check (alg in ('ES256', 'RS256')),
	sealed :text not null,
	created_at :time not null,
	signs_at :time not null,
	until :time
) :strict;

-- Lists are words with a blank between. secret_hash: SHA-256 of a secret of 256 random bits.
create table oidc_clients (
	id :text primary key,
	name :text not null,
	auth :text not null check (auth in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
	grants :text not null,
	redirects :text not null,
	logout_redirects :text not null,
	scope :text not null,
	audience :text not null,
	trusted :bool not null,
	rs256 :bool not null,
	secret_hash :bytes,
	jwks :text not null,
	created_at :time not null
) :strict;

-- What a person granted a client at one time: the family of all tokens that came of it. Of refresh tokens only the newest and the two
-- before it are known, by their hash; who shows the family's handle with another secret has an older one, or has made it up.
-- sealed: the newest one for whoever shows the one before it within the grace.
create table oidc_grants (
	id :uuid primary key,
	client_id :text not null,
	user_id :uuid not null,
	session_id :uuid not null,
	scope :text not null,
	level :int not null,
	methods :text not null,
	auth_at :time not null,
	offline :bool not null,
	created_at :time not null,
	until :time not null,
	ended_at :time,
	handle :bytes unique,
	newest :bytes,
	last :bytes,
	last_used_at :time,
	before :bytes,
	before_used_at :time,
	sealed :text
) :strict;
create index oidc_grants_by_user on oidc_grants (user_id);
create index oidc_grants_by_session on oidc_grants (session_id);
create index oidc_grants_by_client on oidc_grants (client_id);
create index oidc_grants_over on oidc_grants (until);

-- Codes, by the SHA-256 of each. A used one is kept for as long as its grant: who shows it again ends that.
create table oidc_codes (
	hash :bytes primary key,
	grant_id :uuid not null references oidc_grants (id) on delete cascade,
	redirect_uri :text not null,
	challenge :text not null,
	nonce :text not null,
	until :time not null,
	used_at :time
) :strict;
create index oidc_codes_by_grant on oidc_codes (grant_id);

create table oidc_consents (
	user_id :uuid not null,
	client_id :text not null,
	scope :text not null,
	given_at :time not null,
	primary key (user_id, client_id)
) :strict;
create index oidc_consents_by_client on oidc_consents (client_id);

-- What is good once, or no longer, until it would not be good anyway: SHA-256 of an access token's id, or of a client's assertion's.
create table oidc_spent (
	hash :bytes primary key,
	until :time not null
) :strict;
create index oidc_spent_over on oidc_spent (until);
