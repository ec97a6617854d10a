-- The applied migrations. A server must know migration `needs` to use the tables.
CREATE TABLE migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    needs integer NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
);
