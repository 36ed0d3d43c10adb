//! The metadata keys of Dapr's component `pubsub.kafka`, each with the Dapr release that brought it.
//!
//! Dapr ignores a key that the component does not have without a word, so the table is closed: what is not in it is
//! refused. Read from dapr/components-contrib at v1.18.4, the version that Dapr 1.18.3 is built with:
//! `common/component/kafka/{metadata,kafka}.go` and `pubsub/kafka/metadata.yaml` (where the two differ, the code wins),
//! `common/aws/auth/auth.go`, and dapr/dapr:`pkg/scopes/scopes.go`; the releases from the history of these files.

use std::fmt;
use std::str::FromStr;

/// A release of Dapr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DaprVersion(pub u16, pub u16, pub u16);

impl FromStr for DaprVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let spelling = || format!("a version of Dapr is written like `1.18.3`; `{text}` is not");
        let parts: Vec<u16> = text
            .split('.')
            .map(|part| part.parse().map_err(|_| spelling()))
            .collect::<Result<_, _>>()?;
        match parts.as_slice() {
            [major, minor, patch] => Ok(Self(*major, *minor, *patch)),
            _ => Err(spelling()),
        }
    }
}

impl fmt::Display for DaprVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The least Dapr that the services work with: stable jobs (`/v1.0/jobs`) and publishing to a given partition
/// (`partitionNumber`) begin with it (dapr/dapr:`pkg/api/http/jobs.go`, components-contrib:`partitioner.go`).
pub const LEAST_VERSION: DaprVersion = DaprVersion(1, 18, 0);

/// A metadata key of the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataKey {
    /// Its exact spelling: some keys are read case-sensitively.
    pub name: &'static str,
    /// The release of Dapr that brought it; 1.11.0 stands for "or earlier".
    pub since: DaprVersion,
}

/// The key with exactly this spelling.
pub fn key(name: &str) -> Option<&'static MetadataKey> {
    KEYS.iter().find(|key| key.name == name)
}

/// Every name, for suggestions.
pub fn names() -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).collect()
}

macro_rules! keys {
    ($($major:literal . $minor:literal . $patch:literal : $($name:ident)*;)*) => {
        /// Every key that the component has.
        pub const KEYS: &[MetadataKey] = &[
            $($(MetadataKey { name: stringify!($name), since: DaprVersion($major, $minor, $patch) },)*)*
        ];
    };
}

keys! {
    1 . 11 . 0 :
        brokers consumerGroup consumerID clientID authType authRequired
        saslUsername saslPassword saslMechanism
        oidcTokenEndpoint oidcClientID oidcClientSecret oidcScopes
        caCert clientCert clientKey disableTls skipVerify
        initialOffset version maxMessageBytes consumeRetryEnabled consumeRetryInterval
        backOffPolicy backOffDuration backOffInitialInterval backOffRandomizationFactor backOffMultiplier
        backOffMaxInterval backOffMaxElapsedTime backOffMaxRetries
        allowedTopics protectedTopics publishingScopes subscriptionScopes;
    1 . 12 . 0 : oidcExtensions;
    1 . 13 . 0 :
        channelBufferSize consumerFetchMin consumerFetchDefault
        schemaRegistryURL schemaRegistryAPIKey schemaRegistryAPISecret schemaCachingEnabled schemaLatestVersionCacheTTL
        awsRegion awsAccessKey awsSecretKey awsSessionToken awsIamRoleArn awsStsSessionName;
    1 . 14 . 0 :
        clientConnectionTopicMetadataRefreshInterval clientConnectionKeepAliveInterval
        heartbeatInterval sessionTimeout;
    1 . 14 . 2 : escapeHeaders;
    1 . 15 . 0 : region accessKey secretKey sessionToken assumeRoleArn sessionName trustAnchorArn trustProfileArn;
    1 . 16 . 0 : compression consumerGroupRebalanceStrategy excludeHeaderMetaRegex useAvroJSON;
    1 . 17 . 0 : oidcClientAssertionCert oidcClientAssertionKey oidcResource oidcAudience oidcKid;
    1 . 18 . 2 : dialTimeout readTimeout writeTimeout metadataTimeout producerRequiredAcks producerRetryMax;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_is_there_twice_in_whatever_spelling() {
        let folded: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_lowercase()).collect();
        assert_eq!(folded.len(), KEYS.len());
    }

    #[test]
    fn versions_compare_by_number() {
        let version = |text: &str| text.parse::<DaprVersion>().unwrap();
        assert!(version("1.9.0") < version("1.18.0"));
        assert!(version("1.18.3") >= LEAST_VERSION);
        assert!("1.18".parse::<DaprVersion>().is_err());
        assert!("v1.18.3".parse::<DaprVersion>().is_err());
    }
}
