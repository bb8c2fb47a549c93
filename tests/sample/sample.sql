-- Statements of the sample schema: every kind of statement, every type.

--- row shopper: id uuid, email text, since time
--- row order: id uuid, shopper uuid, qty int, note text?
--- row kinds: id int, an_int int?, a_real real?, a_bool bool?, a_text text?, some_bytes bytes?, a_json json?, a_time time?, a_uuid uuid?

--- exec shopper_add(shopper)
insert into shoppers (id, email, since) values (:id, :email, :since)

--- one shopper_by_id(id uuid) -> shopper
select id, email, since from shoppers where id = :id

--- many shoppers_all() -> shopper; scans
select id, email, since from shoppers order by id

--- exec order_add(order)
insert into orders (id, shopper, qty, note) values (:id, :shopper, :qty, :note)

--- one order_by_id(id uuid) -> order
select id, shopper, qty, note from orders where id = :id

--- many orders_of(shopper uuid, most int) -> order
select id, shopper, qty, note from orders where shopper = :shopper order by id limit :most

--- many orders_all() -> order; scans
select id, shopper, qty, note from orders order by id

--- exec order_set_qty(id uuid, qty int)
update orders set qty = :qty where id = :id

--- exec orders_clear(); scans
delete from orders

--- load order_load(order) into orders

--- exec kinds_put(kinds)
insert into kinds (id, an_int, a_real, a_bool, a_text, some_bytes, a_json, a_time, a_uuid)
values (:id, :an_int, :a_real, :a_bool, :a_text, :some_bytes, :a_json, :a_time, :a_uuid)

--- one kinds_get(id int) -> kinds
select id, an_int, a_real, a_bool, a_text, some_bytes, a_json, a_time, a_uuid from kinds where id = :id

-- A column that the row does not allow to be NULL.
--- one kinds_strict(id int) -> (an_int int)
select an_int from kinds where id = :id

--- load kinds_load(kinds) into kinds

--- exec mark_add(writer int, n int)
insert into marks (writer, n) values (:writer, :n)

--- one marks_count() -> (count int); scans
select count(*) from marks

--- many marks_all() -> (writer int, n int); scans
select writer, n from marks order by writer, n

--- one counter_get(name text) -> (value int)
select value from counters where name = :name

--- exec counter_set(name text, value int)
update counters set value = :value where name = :name

--- one counter_add(name text, by int) -> (value int)
update counters set value = value + :by where name = :name returning value

-- For tests of being cancelled: reads for ever, or nearly so.
--- one long_read(most int) -> (count int); scans
with recursive n(i) as (select 1 union all select i + 1 from n where i < :most) select count(*) from n

--- exec long_write(writer int, most int); scans
insert into marks (writer, n)
with recursive n(i) as (select 1 union all select i + 1 from n where i < :most) select :writer, i from n

-- Two texts under one name.
--- one engine_name() -> (name text); scans
--- sqlite
select 'sqlite'
--- postgres
select 'postgres'

-- Does not fit the schema.
--- one no_such_table() -> (n int)
select n from nowhere
