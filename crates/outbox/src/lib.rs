//! A row and its event in one transaction, and the relay that publishes them.
