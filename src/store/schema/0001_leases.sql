-- Leases (db_lease.h): who may do something alone, until when, and the token that says which holder came later.
create table leases (
	name :text primary key,
	owner :uuid not null,
	token :int not null,
	until :time not null
) :strict;
