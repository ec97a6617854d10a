-- Steps of a sign-in that are under way: SHA-256 of what the browser holds, and when it ends in Unix ms.
CREATE TABLE challenge (
    id bytea PRIMARY KEY,
    kind text NOT NULL,
    account text COLLATE "C" NOT NULL,
    data text NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX challenge_by_end ON challenge (until);
