-- A small schema that has every type, for the tests of src/store.
create table shoppers (
	id :uuid primary key,
	email :text not null unique,
	since :time not null
) :strict;

create table orders (
	id :uuid primary key,
	shopper :uuid not null references shoppers (id),
	qty :int not null check (qty > 0),
	note :text
) :strict;
create index orders_by_shopper on orders (shopper, id);

create table kinds (
	id :int primary key,
	an_int :int,
	a_real :real,
	a_bool :bool,
	a_text :text,
	some_bytes :bytes,
	a_json :json,
	a_time :time,
	a_uuid :uuid
) :strict;
