//! File descriptors: every connection takes one, and a process that has none left can do nothing.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ConnectionLimits;

/// Descriptors kept for everything but connections to the listeners: the database, brokers, files.
const RESERVED: usize = 256;

/// Lets the process have as many descriptors as the system allows, and fewer connections than wanted where that is
/// not enough.
pub(super) fn fit(wanted: ConnectionLimits) -> ConnectionLimits {
    let open_files = raise();
    let fitting = within(wanted, open_files);
    if fitting != wanted {
        let connections = fitting.public;
        tracing::warn!(
            open_files,
            connections,
            "few open files are allowed: fewer connections are held"
        );
    }
    fitting
}

/// How many of these connections the process may hold, beside the reserve and those whose requests are being answered.
pub(super) fn fit_upgraded(wanted: usize) -> usize {
    let ConnectionLimits {
        public,
        internal,
        metrics,
        ..
    } = ConnectionLimits::default();
    let open_files = raise();
    let fitting = wanted.min(
        open_files
            .saturating_sub(RESERVED + public + internal + metrics)
            .max(16),
    );
    if fitting != wanted {
        tracing::warn!(
            open_files,
            connections = fitting,
            "few open files are allowed: fewer clients are let in"
        );
    }
    fitting
}

/// Lets the process have as many descriptors as the system allows, and says how many.
fn raise() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(error = %error, "the limit of open files could not be raised: {error}");
    }
    // No limit at all is one that nobody reaches.
    let open_files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(open_files).unwrap_or(usize::MAX)
}

/// The same limits, the public one lowered until all fit; some connections are always let in.
fn within(wanted: ConnectionLimits, open_files: usize) -> ConnectionLimits {
    let left = open_files.saturating_sub(RESERVED + wanted.internal + wanted.metrics);
    ConnectionLimits {
        public: wanted.public.min(left.max(16)),
        ..wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_as_many_connections_as_descriptors() {
        let wanted = ConnectionLimits {
            public: 1000,
            internal: 100,
            metrics: 10,
            ..ConnectionLimits::default()
        };
        let public = |open_files| within(wanted, open_files).public;
        assert_eq!(public(usize::MAX), 1000);
        assert_eq!(public(1366), 1000);
        assert_eq!(public(1365), 999);
        assert_eq!(public(100), 16);
    }
}
