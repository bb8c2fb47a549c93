-- What the tests of durability write: each mark is one acknowledged write.
create table marks (
	writer :int not null,
	n :int not null,
	primary key (writer, n)
) :strict;

create table counters (
	name :text primary key,
	value :int not null
) :strict;
insert into counters (name, value) values ('one', 0), ('two', 0);
