-- The last picture of each place and person. `who` and `place` are digests; `body` names the picture, kept once.
CREATE UNLOGGED TABLE shown (
    who bytea NOT NULL,
    place bytea NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (who, place)
);
CREATE INDEX shown_by_age ON shown (at);
CREATE INDEX shown_by_body ON shown (body);

CREATE UNLOGGED TABLE picture (
    digest bytea PRIMARY KEY,
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE picture ALTER COLUMN body SET STORAGE EXTERNAL;
