//! Panels, tools and a sink that break in every way a guest can, beside some that work.

mod breaking;
mod panels;
mod sink;
mod tools;

use panels::Broken;
use sink::Sink;
use tools::Tools;

chm_plugin::export!(panels: Broken, alert_sink: Sink, toolset: Tools);
