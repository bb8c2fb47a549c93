-- Leases with fencing tokens.

-- Taken when there is none, it is over, or it is ours already (then it keeps its token).
--- one lease_take(name text, owner uuid, now time, until time) -> (token int)
insert into leases (name, owner, token, until) values (:name, :owner, 1, :until)
on conflict (name) do update set
	token = case when leases.owner = :owner then leases.token else leases.token + 1 end,
	owner = :owner, until = :until
where leases.until <= :now or leases.owner = :owner
returning token

--- exec lease_renew(name text, owner uuid, token int, now time, until time)
update leases set until = :until
where name = :name and owner = :owner and token = :token and until > :now

--- exec lease_drop(name text, owner uuid, token int, now time)
update leases set until = :now where name = :name and owner = :owner and token = :token

-- Changes nothing, but holds the row against whoever would take the lease before this transaction ends.
--- exec lease_hold(name text, token int)
update leases set token = token where name = :name and token = :token

--- one lease_get(name text) -> (owner uuid, token int, until time)
select owner, token, until from leases where name = :name
