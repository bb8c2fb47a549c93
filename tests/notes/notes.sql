-- Statements of the sample service: see notes.c.

--- row note: id uuid, owner text, title text, body text, mood int, version int, created_at time

--- one note_by_id(id uuid) -> note
select id, owner, title, body, mood, version, created_at from notes where id = :id

--- many notes_after(owner text, after uuid, most int) -> note
select id, owner, title, body, mood, version, created_at from notes
where owner = :owner and id > :after order by id limit :most

--- exec note_add(note)
insert into notes (id, owner, title, body, mood, version, created_at)
values (:id, :owner, :title, :body, :mood, :version, :created_at)

-- (One row, while it is that version.)
--- exec note_change(id uuid, title text, body text, mood int, version int, before int)
update notes set title = :title, body = :body, mood = :mood, version = :version where id = :id and version = :before

--- exec note_remove(id uuid)
delete from notes where id = :id

--- one notes_count() -> (count int); scans
select count(*) as count from notes

--- many notes_odd() -> (title text, version int); scans
select title, version from notes order by id
