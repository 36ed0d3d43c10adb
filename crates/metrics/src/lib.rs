//! The metrics of a service, registered from the catalogue.
