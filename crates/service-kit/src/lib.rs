//! What every service does the same way: configuration, telemetry, health, problems, tokens, shutdown.
