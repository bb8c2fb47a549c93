-- What must be true of the ledger, each as a question for what is wrong: see ledger_fsck.c. They read everything, of one moment.

--- one ledger_count() -> (accounts int, groups int, transfers int, holds int); scans
select (select count(*) from ledger_accounts), (select count(*) from ledger_groups), (select count(*) from ledger_transfers),
	(select count(*) from ledger_holds)

--- many ledger_unbalanced() -> (currency text, debits int, credits int, held_debits int, held_credits int); scans
select currency, sum(debits), sum(credits), sum(held_debits), sum(held_credits) from (
	select currency, debits, credits, held_debits, held_credits from ledger_accounts
	union all
	select a.currency, h.debits, h.credits, h.held_debits, h.held_credits
	from ledger_hot h join ledger_accounts a on a.id = h.account_id
) s group by currency having sum(debits) <> sum(credits) or sum(held_debits) <> sum(held_credits)

-- An account's four sums, and the same out of its transfers. What resolves a hold takes away what that held.
--- many ledger_sums_wrong() -> (code text, currency text, debits int, credits int, held_debits int, held_credits int, want_debits int, want_credits int, want_held_debits int, want_held_credits int); scans
select a.code, a.currency, sum(s.d), sum(s.c), sum(s.hd), sum(s.hc), sum(s.wd), sum(s.wc), sum(s.whd), sum(s.whc) from (
	select id, debits as d, credits as c, held_debits as hd, held_credits as hc, 0 as wd, 0 as wc, 0 as whd, 0 as whc
	from ledger_accounts
	union all
	select account_id, debits, credits, held_debits, held_credits, 0, 0, 0, 0 from ledger_hot
	union all
	select t.debit_id, 0, 0, 0, 0, case when t.deed in ('post', 'settle') then t.amount else 0 end, 0,
		case when t.deed = 'hold' then t.amount when t.hold_id is not null then -h.amount else 0 end, 0
	from ledger_transfers t left join ledger_transfers h on h.id = t.hold_id
	union all
	select t.credit_id, 0, 0, 0, 0, 0, case when t.deed in ('post', 'settle') then t.amount else 0 end,
		0, case when t.deed = 'hold' then t.amount when t.hold_id is not null then -h.amount else 0 end
	from ledger_transfers t left join ledger_transfers h on h.id = t.hold_id
) s join ledger_accounts a on a.id = s.id group by a.id, a.code, a.currency
having sum(s.d) <> sum(s.wd) or sum(s.c) <> sum(s.wc) or sum(s.hd) <> sum(s.whd) or sum(s.hc) <> sum(s.whc)

--- many ledger_transfers_wrong() -> (id uuid, debit text, credit text, amount int); scans
select t.id, d.code, c.code, t.amount from ledger_transfers t
join ledger_groups g on g.id = t.group_id
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.debit_id = t.credit_id or t.amount <= 0 or d.currency <> t.currency or c.currency <> t.currency or g.currency <> t.currency

-- Transfers whose group or accounts are not there: only a database that was put together wrongly has them.
--- one ledger_orphans() -> (found int); scans
select count(*) from ledger_transfers t where not exists (select 1 from ledger_groups g where g.id = t.group_id)
	or not exists (select 1 from ledger_accounts a where a.id = t.debit_id)
	or not exists (select 1 from ledger_accounts a where a.id = t.credit_id)

--- many ledger_groups_wrong() -> (kind text, source text, found int, wanted int); scans
select g.kind, g.source, count(t.seq), g.transfers from ledger_groups g left join ledger_transfers t on t.group_id = g.id
group by g.id, g.kind, g.source, g.transfers having count(t.seq) <> g.transfers

-- What resolves a hold: one only, between the same accounts, no more than was held.
--- many ledger_resolved_wrong() -> (id uuid, times int, amount int, held int); scans
select h.id, count(*), max(t.amount), h.amount from ledger_transfers t join ledger_transfers h on h.id = t.hold_id
group by h.id, h.amount, h.deed
having count(*) > 1 or max(t.amount) > h.amount or h.deed <> 'hold'
	or sum(case when t.debit_id <> h.debit_id or t.credit_id <> h.credit_id or t.currency <> h.currency then 1 else 0 end) > 0

--- many ledger_open_wrong() -> (id uuid, open bool); scans
select t.id, o.transfer_id is not null from ledger_transfers t left join ledger_holds o on o.transfer_id = t.id
where t.deed = 'hold' and (o.transfer_id is not null) = exists (select 1 from ledger_transfers r where r.hold_id = t.id)

--- many ledger_limits_passed() -> (code text, currency text, debits int, credits int); scans
select code, currency, debits + held_debits, credits + held_credits from ledger_accounts
where (guard = 'credit' and debits + held_debits > credits) or (guard = 'debit' and credits + held_credits > debits)

