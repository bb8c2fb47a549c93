-- Keys of programs that may ask the service: `banyan NAME key`. Of the secret only a hash is kept.
create table api_key (
	id :text primary key,
	owner :text not null,
	scopes :text not null, -- with blanks between them
	hash :bytes not null,
	created_at :time not null,
	until :time,
	revoked_at :time
) :strict;
