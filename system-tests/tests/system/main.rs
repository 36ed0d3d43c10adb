//! The core as a whole: real services as processes, on real PostgreSQL and Kafka, killed wherever they can be.

mod bad_clients;
mod crashes;
mod engines;
mod journey;
mod load;
mod random;
mod traces;
