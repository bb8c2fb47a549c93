-- Which steps of which schema a database has had.

--- row step: schema text, number int, name text, checksum text, expands bool, applied_at time

--- one schema_there() -> (there int); scans
--- sqlite
select count(*) from sqlite_schema where type = 'table' and name = 'banyan_schema'
--- postgres
select count(*) from pg_class where oid = to_regclass('banyan_schema')

--- many schema_steps(schema text) -> step
select schema, number, name, checksum, expands, applied_at from banyan_schema where schema = :schema order by number

--- exec schema_add(step)
insert into banyan_schema (schema, number, name, checksum, expands, applied_at)
values (:schema, :number, :name, :checksum, :expands, :applied_at)

-- About how many rows a table has; none when there is no such table.
--- one table_rows(name text) -> (count int); scans
--- sqlite
select coalesce((select count(*) from sqlite_schema where type = 'table' and name = :name), 0)
--- postgres
select greatest(reltuples::bigint, 0) from pg_class where oid = to_regclass(:name)

-- Indexes whose building failed.
--- many invalid_indexes() -> (name text); scans
--- sqlite
select '' where false
--- postgres
select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relnamespace = current_schema()::regnamespace
