use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{DAY, over_time, per_bucket};
use crate::family::METRIC_LOG;

/// Each row of the log counts since the row before it. The rows are evenly spaced, so n of them, of which the first and
/// the last lie `s` seconds apart, cover `s * n / (n - 1)` seconds. One row alone says nothing.
const CPU_USAGE: &str = "sum(ProfileEvent_OSCPUVirtualTimeMicroseconds) / 1000000 * (count() - 1) / count() / nullIf(\
                         dateDiff('millisecond', min(event_time_microseconds), max(event_time_microseconds)) / 1000, 0) \
                         AS cpu_usage";

pub(crate) fn panel() -> Panel {
    over_time("cpu-usage", Feature::Metrics, "toStartOfTenMinutes", DAY)
        .title("CPU")
        .summary("Seconds of processor time in each second: 1 is one core, fully used.")
        .drawing(Drawing::Area)
        .requires("system.metric_log")
        .optional()
        .query(per_bucket(METRIC_LOG, "true", CPU_USAGE, &[]))
        .column(Column::number("cpu_usage").nullable().summary("Cores in use; nothing where there is one sample only."))
}
