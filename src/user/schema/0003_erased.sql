-- What other systems call the people who were erased here, as SHA-256: their next list still has them, and must not bring them back.
create table erased_names (
	hash :bytes primary key,
	at :time not null
) :strict;
