//! The core as a whole: real services as processes, on real PostgreSQL and Kafka, killed wherever they can be.

mod bad_clients;
mod crashes;
mod data_model;
mod engines;
mod journey;
mod live;
mod load;
mod migrated;
mod random;
mod releases;
mod traces;
