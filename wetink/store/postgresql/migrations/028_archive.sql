-- What opens got, in the order of time: `id` has the milliseconds first, `recipient` is a fingerprint, `body` the decision
-- and the moment as msgpack. `block_part` and `template_part` name texts, each kept once.
CREATE TABLE record (
    id bigint PRIMARY KEY,
    recipient bigint NOT NULL,
    block text COLLATE "C" NOT NULL,
    block_part bigint NOT NULL,
    template_part bigint NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX record_by_recipient ON record (recipient, id);
CREATE INDEX record_by_block ON record (block, id);

-- `used` is an hour (since 1970) at or after that of every record that has the text.
CREATE TABLE source_text (
    id bigint PRIMARY KEY,
    used bigint NOT NULL,
    body bytea NOT NULL
);

-- The bytes of the records of each hour, since deleted rows give their space back only later.
CREATE TABLE record_size (
    hour bigint PRIMARY KEY,
    bytes bigint NOT NULL
) WITH (fillfactor = 50);
