-- Who holds which right. Only the server's clock counts.
CREATE TABLE lease (
    name text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL,
    ttl interval NOT NULL
);
