//! The envelope and the versioned payloads of our events.
