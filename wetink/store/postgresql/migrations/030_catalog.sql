-- How far each projection has followed the log. `build` names the rows that reads use; `generation` counts what was
-- written out of turn.
CREATE TABLE projection (
    name text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0,
    build bigint NOT NULL,
    generation bigint NOT NULL DEFAULT 0
);
CREATE SEQUENCE projection_build;
INSERT INTO projection (name, build) VALUES ('catalog', nextval('projection_build'));

-- The catalog: what trusted events and imports have said of products, field -> [when it was last said, value], as
-- msgpack, and the words that it is searched by. A rebuild writes rows of a new build beside those of the old one.
CREATE TABLE product (
    key text COLLATE "C" NOT NULL,
    build bigint NOT NULL,
    facts bytea NOT NULL,
    words tsvector NOT NULL DEFAULT '',
    PRIMARY KEY (key, build)
) WITH (fillfactor = 80);
CREATE INDEX product_by_words ON product USING gin (words);

-- What was said of a product's price and stock, from `at` on.
CREATE TABLE product_change (
    key text COLLATE "C" NOT NULL,
    build bigint NOT NULL,
    at bigint NOT NULL,
    price double precision,
    availability text COLLATE "C" NOT NULL,
    stock bigint,
    PRIMARY KEY (key, build, at)
);

-- Which sku a product id goes with.
CREATE TABLE product_alias (
    product_id text COLLATE "C" NOT NULL,
    build bigint NOT NULL,
    sku text COLLATE "C" NOT NULL,
    PRIMARY KEY (product_id, build)
);
CREATE INDEX product_alias_by_sku ON product_alias (sku, build);

-- What imports said that was new, compressed, at their positions in the log: facts, as events are.
CREATE TABLE product_import (
    seq bigint NOT NULL,
    at bigint NOT NULL,
    products bytea NOT NULL
);
CREATE INDEX product_import_by_seq ON product_import (seq);

-- Which version of each catalog feed was imported last.
CREATE TABLE catalog_feed (
    feed text COLLATE "C" PRIMARY KEY,
    version text COLLATE "C" NOT NULL
);
