CREATE DATABASE IF NOT EXISTS demo ENGINE = Atomic COMMENT 'Written by chm-host so that a first look has something to show';

CREATE TABLE IF NOT EXISTS demo.events
(
    time DateTime,
    service LowCardinality(String),
    path String,
    status UInt16,
    duration_ms Float32,
    bytes UInt32
)
ENGINE = MergeTree PARTITION BY toDate(time) ORDER BY (service, time)
TTL time + INTERVAL 3 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Requests of a shop that does not exist, kept for three days';

CREATE TABLE IF NOT EXISTS demo.orders
(
    id UInt32,
    state LowCardinality(String),
    amount Decimal(9, 2),
    updated DateTime
)
ENGINE = ReplacingMergeTree(updated) ORDER BY id
COMMENT 'Each order has many versions, merges keep the last one';

CREATE TABLE IF NOT EXISTS demo.imports
(
    line UInt32,
    price String,
    cents UInt32 DEFAULT 0
)
ENGINE = MergeTree ORDER BY line
COMMENT 'Holds a price that is no number, so its mutation never finishes';
