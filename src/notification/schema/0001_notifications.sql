-- Notifications (docs/guide/notifications.md): what was asked for, what becomes of it for every recipient and channel, and what is known
-- about recipients. What must hold is said here too, not only in the program.

-- What kind of notification there is: its class (what may hold it), its category (what preferences are about), its channels in order.
create table workflows (
	name :text primary key check (name <> ''),
	class :text not null check (class in ('security', 'critical', 'transactional', 'bulk')),
	category :text not null,
	channels :text not null,
	template :text not null,
	locale :text not null,
	digest_s :int not null check (digest_s >= 0),
	digest_at :int check (digest_at between 0 and 1439),
	digest_key :text not null,
	expires_s :int not null check (expires_s >= 0),
	version :int not null,
	created_at :time not null,
	updated_at :time not null
) :strict;

-- A version of a template is never changed; `current` says which one is used.
create table templates (
	name :text primary key check (name <> ''),
	current :int not null,
	newest :int not null,
	version :int not null,
	created_at :time not null,
	updated_at :time not null,
	check (current between 1 and newest)
) :strict;
create table template_versions (
	name :text not null references templates (name),
	version :int not null check (version > 0),
	note :text not null,
	author :text not null,
	created_at :time not null,
	primary key (name, version)
) :strict;
create table template_parts (
	name :text not null,
	version :int not null,
	channel :text not null check (channel in ('email', 'sms', 'push', 'inbox')),
	locale :text not null,
	subject :text not null,
	text :text not null,
	html :text not null,
	url :text not null,
	icon :text not null,
	data :text not null,
	primary key (name, version, channel, locale),
	foreign key (name, version) references template_versions (name, version)
) :strict;

-- Those who get something, as whoever asks for notifications calls them ("usr_018f...", "42"). Quiet hours are minutes of a day in
-- the zone; from after to goes over midnight. quiet_days: a bit a weekday on which they begin, Sunday is 1.
create table recipients (
	id :text primary key check (id <> ''),
	name :text not null,
	locale :text not null,
	zone :text not null,
	quiet_from :int check (quiet_from between 0 and 1439),
	quiet_to :int check (quiet_to between 0 and 1439),
	quiet_days :int not null check (quiet_days between 0 and 127),
	quiet_channels :text not null,
	version :int not null,
	created_at :time not null,
	updated_at :time not null,
	check ((quiet_from is null) = (quiet_to is null))
) :strict;
create table contacts (
	recipient :text not null references recipients (id),
	channel :text not null check (channel in ('email', 'sms')),
	address :text not null check (address <> ''),
	address_hash :bytes not null,
	verified_at :time,
	state :text not null check (state in ('good', 'bounced', 'complained')),
	state_at :time not null,
	updated_at :time not null,
	primary key (recipient, channel)
) :strict;
create index contacts_by_address on contacts (address_hash);
create table devices (
	id :uuid primary key,
	recipient :text not null references recipients (id),
	platform :text not null check (platform in ('webpush', 'fcm', 'apns')),
	token :text not null,
	keys :json not null,
	name :text not null,
	failures :int not null,
	ok_at :time,
	created_at :time not null,
	updated_at :time not null,
	unique (platform, token)
) :strict;
create index devices_by_recipient on devices (recipient, id);

-- The most exact row counts: category and channel, category and any, any and channel, any and any ('*').
create table preferences (
	recipient :text not null references recipients (id),
	category :text not null,
	channel :text not null,
	allowed :bool not null,
	updated_at :time not null,
	primary key (recipient, category, channel)
) :strict;

create table topics (
	name :text primary key check (name <> ''),
	title :text not null,
	created_at :time not null
) :strict;
create table topic_members (
	topic :text not null references topics (name),
	recipient :text not null references recipients (id),
	created_at :time not null,
	primary key (topic, recipient)
) :strict;
create index topic_members_by_recipient on topic_members (recipient);

-- Addresses that get nothing more: of all categories ('*') or of one. Only the address's SHA-256 is kept, and a hint for people.
create table suppressions (
	channel :text not null check (channel in ('email', 'sms', 'push', 'inbox')),
	address_hash :bytes not null,
	scope :text not null check (scope <> ''),
	reason :text not null check (reason in ('bounce', 'complaint', 'unsubscribe', 'manual')),
	hint :text not null,
	detail :text not null,
	id :uuid not null unique,
	created_at :time not null,
	primary key (channel, address_hash, scope)
) :strict;

-- Several of one workflow that go out as one. One is open at most; each is closed once: notifications.digest_id is unique.
create table digests (
	id :uuid primary key,
	workflow :text not null,
	recipient :text not null,
	channel :text not null,
	key :text not null,
	window_start :time not null,
	closes_at :time not null,
	closed_at :time,
	unique (workflow, recipient, channel, key, window_start)
) :strict;
create unique index digests_open on digests (workflow, recipient, channel, key) where closed_at is null;

-- What was asked for. It is accepted with this row alone; its deliveries come in the background, `place` says how far they are.
create table notifications (
	id :uuid primary key,
	workflow :text not null,
	class :text not null,
	category :text not null,
	state :text not null check (state in ('accepted', 'expanding', 'expanded', 'cancelled')),
	recipients :json not null,
	channels :text not null,
	data :json not null,
	content :json,
	raw_ref :text,
	priority :int not null,
	send_at :time,
	expires_at :time,
	collapse_key :text not null,
	digest_id :uuid unique references digests (id),
	place :text not null,
	author :text not null,
	traceparent :text not null,
	created_at :time not null,
	expanded_at :time,
	cancelled_at :time
) :strict;
create index notifications_by_age on notifications (created_at);

-- One of it for one recipient by one channel (and device: target). Those to an address without a recipient have the address as target.
create table deliveries (
	id :uuid primary key,
	notification_id :uuid not null references notifications (id),
	recipient :text not null,
	channel :text not null check (channel in ('email', 'sms', 'push', 'inbox')),
	target :text not null,
	address :text not null,
	state :text not null check (state in ('queued', 'deferred', 'digesting', 'digested', 'suppressed', 'sending', 'accepted', 'delivered',
		'bounced_soft', 'bounced_hard', 'complained', 'failed', 'unknown', 'expired', 'cancelled', 'collapsed')),
	reason :text not null,
	class :text not null,
	category :text not null,
	workflow :text not null,
	locale :text not null,
	priority :int not null,
	attempts :int not null check (attempts >= 0),
	tried :text not null,
	template_version :int,
	collapse_key :text not null,
	digest_id :uuid references digests (id),
	due_at :time,
	expires_at :time,
	version :int not null,
	created_at :time not null,
	updated_at :time not null,
	unique (notification_id, recipient, channel, target)
) :strict;
create index deliveries_by_recipient on deliveries (recipient, id) where recipient <> '';
create index deliveries_unsent on deliveries (state, updated_at) where state in ('queued', 'deferred', 'digesting', 'sending');
create index deliveries_collapsing on deliveries (recipient, channel, collapse_key)
	where collapse_key <> '' and state in ('queued', 'deferred', 'digesting');
create index deliveries_of_digest on deliveries (digest_id) where digest_id is not null;

-- Every change of a delivery's state after the first; n is its version.
create table delivery_steps (
	delivery_id :uuid not null references deliveries (id),
	n :int not null,
	state :text not null,
	detail :text not null,
	at :time not null,
	primary key (delivery_id, n)
) :strict;

-- Written before the wire is touched; without `ended_at` nobody knows yet what came of it. One of a delivery is open at most.
create table attempts (
	delivery_id :uuid not null references deliveries (id),
	n :int not null check (n > 0),
	provider :text not null,
	started_at :time not null,
	ended_at :time,
	outcome :text check (outcome in ('accepted', 'soft', 'hard', 'refused', 'throttled', 'gone', 'unknown')),
	provider_id :text,
	code :text not null,
	detail :text not null,
	segments :int not null,
	primary key (delivery_id, n),
	check ((ended_at is null) = (outcome is null))
) :strict;
create unique index attempts_open on attempts (delivery_id) where ended_at is null;
create index attempts_by_provider_id on attempts (provider, provider_id) where provider_id is not null;

-- What the application shows. `seq` rises for a recipient in the order in which items can be seen.
create table inbox_items (
	seq :serial,
	id :uuid not null unique,
	recipient :text not null,
	delivery_id :uuid not null unique,
	category :text not null,
	title :text not null,
	text :text not null,
	url :text not null,
	icon :text not null,
	data :json not null,
	created_at :time not null,
	seen_at :time,
	read_at :time,
	archived_at :time
) :strict;
create index inbox_items_by_recipient on inbox_items (recipient, seq);
create index inbox_items_unread on inbox_items (recipient) where read_at is null and archived_at is null;

-- Keys that every process of the service shares: of the tokens that unsubscribe.
create table notification_secrets (
	name :text primary key,
	value :bytes not null,
	created_at :time not null
) :strict;
