-- What the tests of events and jobs write. Nothing here is unique but the entries: what is done twice is to be seen.
create table aggregates (
	name :text primary key,
	n :int not null
) :strict;
create table entries (
	aggregate :text not null,
	n :int not null,
	primary key (aggregate, n)
) :strict;
create table effects (
	pos :serial,
	consumer :text not null,
	aggregate :text not null,
	n :int not null
) :strict;
create table job_entries (
	job :uuid primary key
) :strict;
create table job_effects (
	pos :serial,
	job :uuid not null,
	fence :int not null
) :strict;
