-- Sessions: see accounts.h. One that has ended is never made live again: nothing sets ended_at back.

--- row session: id uuid, user_id uuid, level int, methods text, address text, agent text, created_at time, proved_at time, used_at time, idle_until time, until time, ended_at time?

--- one session_by_hash(token_hash bytes) -> session
select id, user_id, level, methods, address, agent, created_at, proved_at, used_at, idle_until, until, ended_at
from sessions where token_hash = :token_hash

--- many sessions_of(user_id uuid, now time) -> session
select id, user_id, level, methods, address, agent, created_at, proved_at, used_at, idle_until, until, ended_at
from sessions where user_id = :user_id and ended_at is null and level > 0 and until > :now and idle_until > :now
order by used_at desc, id limit 200

--- exec session_add(id uuid, token_hash bytes, user_id uuid, level int, methods text, address text, agent text, created_at time, proved_at time, used_at time, idle_until time, until time)
insert into sessions (id, token_hash, user_id, level, methods, address, agent, created_at, proved_at, used_at, idle_until, until)
values (:id, :token_hash, :user_id, :level, :methods, :address, :agent, :created_at, :proved_at, :used_at, :idle_until, :until)

--- exec session_used(id uuid, used_at time, idle_until time)
update sessions set used_at = :used_at, idle_until = :idle_until where id = :id and ended_at is null and used_at < :used_at

-- Another token for it: the one before is nobody's any more.
--- exec session_rise(id uuid, before bytes, token_hash bytes, level int, methods text, now time, idle_until time, until time)
update sessions set token_hash = :token_hash, level = :level, methods = :methods, proved_at = :now, used_at = :now,
idle_until = :idle_until, until = :until where id = :id and token_hash = :before and ended_at is null

--- exec session_end(id uuid, now time)
update sessions set ended_at = :now where id = :id and ended_at is null

--- exec session_end_one(user_id uuid, id uuid, now time)
update sessions set ended_at = :now where user_id = :user_id and id = :id and ended_at is null

--- exec session_end_others(user_id uuid, keep uuid, now time)
update sessions set ended_at = :now where user_id = :user_id and id <> :keep and ended_at is null

--- exec sessions_erase(user_id uuid, now time)
update sessions set ended_at = coalesce(ended_at, :now), address = '', agent = '' where user_id = :user_id

--- exec sessions_purge(before time)
delete from sessions where until < :before
