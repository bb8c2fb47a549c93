-- The audit log: see audit.h.

--- row audit_line: seq int, at time, actor text, action text, user_id uuid?, address text, detail json, before bytes, hash bytes

--- one audit_head_lock() -> (seq int, hash bytes)
--- sqlite
select seq, hash from audit_head where one = 1
--- postgres
select seq, hash from audit_head where one = 1 for update

--- one audit_head() -> (seq int, hash bytes)
select seq, hash from audit_head where one = 1

--- exec audit_head_set(seq int, hash bytes)
update audit_head set seq = :seq, hash = :hash where one = 1

--- exec audit_add(audit_line)
insert into audit (seq, at, actor, action, user_id, address, detail, before, hash)
values (:seq, :at, :actor, :action, :user_id, :address, :detail, :before, :hash)

--- many audit_all() -> audit_line; scans
select seq, at, actor, action, user_id, address, detail, before, hash from audit order by seq

--- many audit_page(before int, most int) -> audit_line
select seq, at, actor, action, user_id, address, detail, before, hash from audit
where seq < :before order by seq desc limit :most

--- many audit_page_of(user_id uuid, before int, most int) -> audit_line
select seq, at, actor, action, user_id, address, detail, before, hash from audit
where user_id = :user_id and seq < :before order by seq desc limit :most
