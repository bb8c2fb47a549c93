-- What happened, by whom, when: columns of events a day, and what is needed to take each event once. docs/guide/analytics.md,
-- docs/decisions/0047 says why events are not rows.

-- Who events belong to. ingest_key may only write, and stands in browsers: it is no secret.
create table projects (
	id :serial,
	name :text not null unique check (name <> ''),
	ingest_key :text not null unique,
	privacy :text not null check (privacy in ('open', 'consent', 'visitors')),
	created_at :time not null
) :strict;
create table project_domains (
	domain :text primary key check (domain <> ''),
	project :int not null references projects (id)
) :strict;

-- Sorted by time: `events` of one project and one day of UTC. A small one has all its columns in `packed`, another in segment_parts.
create table segments (
	id :serial,
	project :int not null references projects (id),
	day :int not null,
	events :int not null check (events > 0),
	first_ms :int not null,
	last_ms :int not null check (last_ms >= first_ms),
	created_at :time not null,
	packed :bytes
) :strict;
create index segments_by_day on segments (project, day);
create table segment_parts (
	segment :int not null references segments (id) on delete cascade,
	name :text not null,
	data :bytes not null,
	primary key (segment, name)
) :strict;

-- version rises with every change of the day's events: what was counted of an older version does not count.
create table days (
	project :int not null references projects (id),
	day :int not null,
	version :int not null,
	events :int not null,
	primary key (project, day)
) :strict;
create table rollups (
	project :int not null references projects (id),
	day :int not null,
	version :int not null,
	data :bytes not null,
	primary key (project, day)
) :strict;

-- Ids of events that were taken, for as long as they may come again. `at` tells one commit from another.
--- sqlite
create table seen (
	project integer not null,
	key blob not null,
	at integer not null,
	primary key (project, key)
) strict, without rowid;
--- postgres
create table seen (
	project bigint not null,
	key bytea not null,
	at bigint not null,
	primary key (project, key)
);
--- all

-- Whom a client names, as a number: dense, from 1, for ever. What was merged is one person: the smallest number of those connected.
create table ids (
	project :int not null references projects (id),
	name :text not null,
	number :int not null,
	first_seen :time not null,
	primary key (project, name),
	unique (project, number)
) :strict;
create table merges (
	project :int not null references projects (id),
	one :int not null,
	other :int not null,
	at :time not null,
	primary key (project, one, other)
) :strict;

-- Names of events and of their properties, as they are met: what there is to ask for, and a limit.
create table names (
	project :int not null references projects (id),
	kind :text not null check (kind in ('event', 'property')),
	name :text not null,
	first_seen :time not null,
	primary key (project, kind, name)
) :strict;

-- Of a day; gone two days later, and with it the way from an address to a visitor.
create table salts (
	day :int primary key,
	salt :bytes not null
) :strict;

-- What was no event, as it came, until somebody has looked at it.
create table failed_events (
	id :uuid primary key,
	project :int not null references projects (id),
	source :text not null,
	code :text not null,
	detail :text not null,
	body :text not null,
	received_at :time not null,
	tries :int not null
) :strict;
create index failed_events_by_project on failed_events (project, id);
