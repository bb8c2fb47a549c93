-- Answers that were given to requests with an Idempotency-Key, written in the transaction of what the request did.
create table idempotency (
	who :text not null,
	key :text not null,
	digest :bytes not null,
	status :int not null,
	headers :json not null,
	body :bytes not null,
	created_at :time not null,
	primary key (who, key)
) :strict;
create index idempotency_by_age on idempotency (created_at);
