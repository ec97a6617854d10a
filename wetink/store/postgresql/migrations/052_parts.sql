-- The device class of an open or click, as `core.signals.device_class` has it.
CREATE FUNCTION device_of(fetch_class text, facts text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN fetch_class = 'scanner' THEN 'machine'
        WHEN facts::json ->> 'client' IN ('gmail-proxy', 'gmail-prefetch') THEN 'gmail'
        WHEN fetch_class = 'prefetch' AND facts::json ->> 'client' = 'bare-mozilla' THEN 'apple-mail'
        WHEN fetch_class = 'proxy' AND facts::json ->> 'client' IN ('apple-mail', 'safari')
            AND lower(facts::json ->> 'owner') ~ 'akamai|cloudflare|fastly' THEN 'apple-mail'
        WHEN fetch_class IN ('proxy', 'prefetch') THEN 'proxy'
        WHEN facts::json ->> 'device' = 'mobile' THEN 'phone'
        WHEN facts::json ->> 'device' IN ('tablet', 'desktop') THEN facts::json ->> 'device'
        ELSE 'unknown'
    END
$$;

-- The audiences (JSON) that the person was in when the open or click was stored.
ALTER TABLE contact ADD COLUMN audiences text NOT NULL DEFAULT '';

-- The parts of the crowd that an open or click counts for: its device class, and `@` and each audience.
CREATE FUNCTION parts_in(fetch_class text, facts text, audiences text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN audiences = '' THEN ARRAY[device_of(fetch_class, facts)] ELSE
        device_of(fetch_class, facts) || ARRAY(SELECT '@' || name FROM json_array_elements_text(audiences::json) AS name)
    END
$$;

-- As `daily` without pictures, once for each part that they count for. Servers of the version before do not count here:
-- `wetink opens classify` counts all of them again.
CREATE TABLE part_daily (
    day bigint NOT NULL,
    block text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    opens bigint NOT NULL DEFAULT 0,
    unique_opens bigint NOT NULL DEFAULT 0,
    machine_opens bigint NOT NULL DEFAULT 0,
    unique_machine_opens bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    unique_clicks bigint NOT NULL DEFAULT 0,
    machine_clicks bigint NOT NULL DEFAULT 0,
    implied_opens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, block, variant, campaign, part)
) WITH (fillfactor = 50);
CREATE TRIGGER part_daily_inserted AFTER INSERT ON part_daily REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();
CREATE TRIGGER part_daily_updated AFTER UPDATE ON part_daily REFERENCING NEW TABLE AS added OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();
CREATE TRIGGER part_daily_deleted AFTER DELETE ON part_daily REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();

INSERT INTO part_daily
SELECT at - mod(mod(at, 900000) + 900000, 900000), block, variant, campaign, part,
    count(*) FILTER (WHERE kind = 0 AND human), count(*) FILTER (WHERE first AND kind = 0 AND human),
    count(*) FILTER (WHERE kind = 0 AND NOT human), count(*) FILTER (WHERE first AND kind = 0 AND NOT human),
    count(*) FILTER (WHERE kind = 1 AND human), count(*) FILTER (WHERE first AND kind = 1 AND human),
    count(*) FILTER (WHERE kind = 1 AND NOT human), count(*) FILTER (WHERE implied)
FROM (
    SELECT *, row_number() OVER (PARTITION BY recipient, block, campaign, kind, human ORDER BY at, id) = 1 AS first
    FROM contact
) AS each CROSS JOIN LATERAL unnest(parts_in(fetch_class, facts, audiences)) AS part GROUP BY 1, 2, 3, 4, 5;
