-- Requests that may come again: see stripe_once.c.

--- one once_find(who text, key text) -> (digest bytes, running bool, locked_until time, object_id uuid?, status int, body bytes)
select digest, running, locked_until, object_id, status, body from payment_requests where who = :who and key = :key

-- In the first of several transactions. One whose time is over may be taken over by whoever sends the same again.
--- exec once_claim(who text, key text, digest bytes, object_id uuid, locked_until time, body bytes, now time)
insert into payment_requests (who, key, digest, running, locked_until, object_id, status, body, created_at)
values (:who, :key, :digest, true, :locked_until, :object_id, 0, :body, :now)
on conflict (who, key) do update set locked_until = :locked_until
where payment_requests.running and payment_requests.locked_until <= :now and payment_requests.digest = :digest

-- In the only one, or in the last.
--- exec once_settle(who text, key text, digest bytes, status int, body bytes, now time)
insert into payment_requests (who, key, digest, running, locked_until, object_id, status, body, created_at)
values (:who, :key, :digest, false, :now, null, :status, :body, :now)
on conflict (who, key) do update set running = false, status = :status, body = :body
where payment_requests.running and payment_requests.digest = :digest

--- exec once_release(who text, key text, now time)
update payment_requests set locked_until = :now where who = :who and key = :key and running

--- exec once_forget(before time)
delete from payment_requests where created_at < :before
