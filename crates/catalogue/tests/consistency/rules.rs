//! The rules: each reads a catalogue and tells what is wrong with it.

mod names;
mod services;
mod telemetry;
mod topics;

pub(crate) use names::{names_are_unique, names_follow_their_convention};
pub(crate) use services::{
    consumer_groups_are_unique, default_ports_agree, groups_of_services_agree, invocations_lead_somewhere,
    live_readers_keep_nothing, numbers_stay_in_their_ranges, owners_agree, ports_do_not_collide, probes_are_distinct,
    routes_are_unique,
};
pub(crate) use telemetry::{
    buckets_ascend, confidential_variables_say_so, exporters_and_readers_exist, labels_are_valid,
    metric_names_tell_kind_and_unit, span_attributes_are_valid,
};
pub(crate) use topics::{
    dead_letters_go_to_the_twin, event_types_are_published, topics_are_used, topics_exist, twins_fit_their_origins,
};
