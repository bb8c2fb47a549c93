-- What comparing the two sides of a subject has found, of each gateway (one JSON value, differences.h), and what people have
-- accepted of it, of all of them.
create table shift_differences (
	subject :text not null,
	gateway :text not null,
	shadows :int not null,
	kept_at :time not null,
	differences :json not null,
	primary key (subject, gateway)
) :strict;

create table shift_accepted (
	subject :text not null,
	path :text not null,
	kind :text not null,
	who :text not null,
	accepted_at :time not null,
	primary key (subject, path, kind)
) :strict;
