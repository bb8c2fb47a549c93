-- Checkouts against what was charged for them: see checkout_fsck.c. The key of the step that charges is the intent's.

--- many checkouts_uncharged() -> (saga uuid, state text, captured int, kept int); scans
select s.id, s.state, coalesce(sum(c.captured), 0), coalesce(sum(c.captured - c.refunded), 0)
from sagas s join saga_steps t on t.saga = s.id and t.name = 'charge' and t.direction = 'forward'
left join intents i on i.unique_key = t.idem_key left join charges c on c.intent_id = i.id
where s.type = 'checkout' and s.ended_at is not null group by s.id, s.state
having (s.state = 'done' and coalesce(sum(c.captured), 0) = 0)
	or (s.state = 'compensated' and coalesce(sum(c.captured - c.refunded), 0) <> 0)

--- one checkouts_ended() -> (count int); scans
select count(*) from sagas where type = 'checkout' and ended_at is not null
