-- Requests that may come again: see idempotency.c.

--- one idempotency_find(who text, key text) -> (digest bytes, status int, headers json, body bytes)
select digest, status, headers, body from idempotency where who = :who and key = :key

--- exec idempotency_add(who text, key text, digest bytes, status int, headers json, body bytes, created_at time)
insert into idempotency (who, key, digest, status, headers, body, created_at)
values (:who, :key, :digest, :status, :headers, :body, :created_at)
on conflict do nothing

--- exec idempotency_forget(before time)
delete from idempotency where created_at < :before

--- one service_ping() -> (one int)
select 1 as one
