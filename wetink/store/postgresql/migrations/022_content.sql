-- Files of the content by their SHA-256 in hexadecimal. `files` of a version is JSON: path -> digest.
CREATE TABLE blob (
    digest text COLLATE "C" PRIMARY KEY,
    body bytea NOT NULL
);

CREATE TABLE version (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    author text NOT NULL,
    message text NOT NULL,
    files text NOT NULL
);

-- A revision of an upload begins with its time (Unix ms, 13 digits). One without an upload is on its way in, or was left
-- by a killed process.
CREATE TABLE upload (
    name text COLLATE "C" PRIMARY KEY,
    revision text COLLATE "C" NOT NULL
);

CREATE TABLE part (
    revision text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (revision, number)
);
