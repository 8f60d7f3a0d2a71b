//! The chm-host server: configuration, plugins, auth chain, API, alerts, telemetry.
//!
//! A request's way, forwards only: identity ([`auth`]) → gate ([`api`]) → operation → descriptor in memory ([`plugins`]) → guard
//! and stream (`chm-clickhouse`).

pub mod actions;
pub mod alerts;
pub mod answers;
pub mod api;
pub mod app;
pub mod audit;
pub mod auth;
pub mod capabilities;
pub mod commands;
pub mod config;
pub mod connections;
pub mod doctor;
pub mod edge;
pub mod hosts;
pub mod keys;
pub mod panels;
pub mod plugins;
pub mod query;
pub mod serve;
pub mod services;
mod settle;
pub mod sinks;
pub mod telemetry;
