-- Reading the ledger: see ledger_list.c.

--- row ledger_line: seq int, id uuid, group_id uuid, kind text, source text, memo text, happened_at time, deed text, debit text, credit text, currency text, amount int, hold_id uuid?, until time?, created_at time

--- one ledger_line_by_id(id uuid) -> ledger_line
select t.seq, t.id, t.group_id, g.kind, g.source, g.memo, g.happened_at, t.deed, d.code, c.code, t.currency, t.amount,
	t.hold_id, t.until, t.created_at
from ledger_transfers t join ledger_groups g on g.id = t.group_id
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.id = :id

--- many ledger_lines_after(after int, most int) -> ledger_line; scans
select t.seq, t.id, t.group_id, g.kind, g.source, g.memo, g.happened_at, t.deed, d.code, c.code, t.currency, t.amount,
	t.hold_id, t.until, t.created_at
from ledger_transfers t join ledger_groups g on g.id = t.group_id
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.seq > :after order by t.seq limit :most

--- many ledger_lines_of_account(account_id uuid, after int, most int) -> ledger_line; scans
select t.seq, t.id, t.group_id, g.kind, g.source, g.memo, g.happened_at, t.deed, d.code, c.code, t.currency, t.amount,
	t.hold_id, t.until, t.created_at
from ledger_transfers t join ledger_groups g on g.id = t.group_id
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.seq in (select seq from (select seq from ledger_transfers where debit_id = :account_id and seq > :after
	union all select seq from ledger_transfers where credit_id = :account_id and seq > :after) s order by seq limit :most)
order by t.seq

-- What stands in ledger_hot is part of it.
--- many ledger_totals_now() -> (currency text, side text, accounts int, debits int, credits int, held_debits int, held_credits int); scans
select currency, side, sum(one), sum(debits), sum(credits), sum(held_debits), sum(held_credits) from (
	select currency, side, 1 as one, debits, credits, held_debits, held_credits from ledger_accounts
	union all
	select a.currency, a.side, 0, h.debits, h.credits, h.held_debits, h.held_credits
	from ledger_hot h join ledger_accounts a on a.id = h.account_id
) s group by currency, side order by currency, side

-- Of an export: groups in the order they were made, then all that these moved.
--- many ledger_groups_after(after uuid, most int) -> (id uuid)
select id from ledger_groups where id > :after order by id limit :most

--- many ledger_moves_between(after uuid, last uuid) -> (group_id uuid, kind text, source text, memo text, happened_at time, debit text, credit text, currency text, amount int)
select g.id, g.kind, g.source, g.memo, g.happened_at, d.code, c.code, t.currency, t.amount
from ledger_groups g join ledger_transfers t on t.group_id = g.id
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where g.id > :after and g.id <= :last and t.deed in ('post', 'settle') order by g.id, t.seq

--- one ledger_days() -> (first time?, last time?); scans
select min(happened_at), max(happened_at) from ledger_groups
