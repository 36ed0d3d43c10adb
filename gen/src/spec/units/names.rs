//! Names and addresses.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

macro_rules! text_newtype {
    ($type:ident, $doc:literal, $format:literal, $pattern:literal, $valid:expr, $spelling:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(pub String);
        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!(concat!("write ", $spelling, "; `{}` is not one"), text))
                }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        text_format!($type, $format, $pattern, $doc);
    };
}

fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_dns_label)
}

fn is_host_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        (is_dns_name(host) || is_dns_label(host)) && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn is_https_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let host_without_port = host.rsplit_once(':').map_or(host, |(host, _)| host);
    !rest.contains(['@', ' ', '"', '`', '\\']) && (is_dns_name(host_without_port) || is_dns_label(host_without_port))
}

text_newtype!(
    DnsLabel,
    "A name of lower-case letters, digits and `-`, at most 63 characters.",
    "dns-label",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_dns_label,
    "a name of lower-case letters, digits and `-` such as `taskflow`"
);
text_newtype!(
    DnsName,
    "A host name with a dot, lower case: `taskflow.example.org`.",
    "dns-name",
    r"^[a-z0-9][a-z0-9.-]*\.[a-z0-9-]*[a-z0-9]$",
    is_dns_name,
    "a host name such as `taskflow.example.org`"
);
text_newtype!(
    HostPort,
    "A host name and port: `seed.example.org:9092`.",
    "host-port",
    "^[a-z0-9][a-z0-9.-]*:[0-9]{1,5}$",
    is_host_port,
    "a host and port such as `seed.example.org:9092`"
);
text_newtype!(
    HttpsUrl,
    "An https address without user name or password: `https://vault.example.org`.",
    "https-url",
    "^https://[^@\\s]+$",
    is_https_url,
    "an address such as `https://vault.example.org`, without user name or password"
);
