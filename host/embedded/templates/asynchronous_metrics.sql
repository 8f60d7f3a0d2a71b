CREATE OR REPLACE VIEW system.asynchronous_metrics (metric String, value Float64, description String) AS
SELECT 'Uptime' AS metric, toFloat64(uptime()) AS value, 'Seconds since the engine started.' AS description
UNION ALL SELECT 'NumberOfDatabases', toFloat64(count()), 'Databases.' FROM system.databases
UNION ALL SELECT 'NumberOfTables', toFloat64(count()), 'Tables of all databases.' FROM system.tables
UNION ALL SELECT 'TotalPartsOfMergeTreeTables', toFloat64(count()), 'Active parts.' FROM system.parts WHERE active
UNION ALL SELECT 'TotalRowsOfMergeTreeTables', toFloat64(sum(rows)), 'Rows of active parts.' FROM system.parts WHERE active
UNION ALL SELECT 'TotalBytesOfMergeTreeTables', toFloat64(sum(bytes_on_disk)), 'Bytes of active parts.' FROM system.parts WHERE active
UNION ALL SELECT 'MaxPartCountForPartition', toFloat64(max(parts)), 'Active parts of the fullest partition.' FROM (SELECT count() AS parts FROM system.parts WHERE active GROUP BY database, table, partition_id)
UNION ALL SELECT 'MemoryResident', toFloat64OrZero(extract(file('/proc/self/statm'), '^\\d+ (\\d+)')) * 4096, 'Resident bytes of the engine.'
UNION ALL SELECT 'OSMemoryTotal', toFloat64OrZero(extract(file('/proc/meminfo'), 'MemTotal:\\s+(\\d+)')) * 1024, 'Bytes of memory of this machine.'
UNION ALL SELECT 'OSMemoryAvailable', toFloat64OrZero(extract(file('/proc/meminfo'), 'MemAvailable:\\s+(\\d+)')) * 1024, 'Bytes of memory that programs can still take.'
UNION ALL SELECT 'LoadAverage1', toFloat64OrZero(splitByChar(' ', file('/proc/loadavg'))[1]), 'Load of the last minute.'
UNION ALL SELECT 'LoadAverage5', toFloat64OrZero(splitByChar(' ', file('/proc/loadavg'))[2]), 'Load of the last 5 minutes.'
UNION ALL SELECT 'LoadAverage15', toFloat64OrZero(splitByChar(' ', file('/proc/loadavg'))[3]), 'Load of the last 15 minutes.'
