//! The chart: rendered and installed by both Helms, admitted by a real cluster, and run as the kubelet would run it.

mod api;
mod cluster;
mod difference;
mod helm;
mod image;
mod manifest;
mod names;
mod pod;
mod prometheus;
mod readme;
mod refusals;
mod renders;
mod running;
mod schema;
mod selectors;
mod stored;
mod volume;
