-- Unpublished content files. A draft that was dropped keeps its row, so that its revisions never come again. A body that is
-- NULL deletes the file.
CREATE TABLE draft (
    path text COLLATE "C" PRIMARY KEY,
    body bytea,
    base text NOT NULL,
    revision bigint NOT NULL,
    author text NOT NULL,
    at bigint NOT NULL,
    live boolean NOT NULL
);
