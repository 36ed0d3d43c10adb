//! The languages whose words have stems in searches.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! languages {
    ($($variant:ident = $code:tt, $configuration:literal;)*) => {
        /// A language by its code of ISO 639-1; `und` where words are to be taken as they are written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub(crate) enum Language {
            $(#[serde(rename = $code)] $variant,)*
        }

        impl Language {
            /// The configuration of text search in PostgreSQL that knows it.
            pub(crate) const fn configuration(self) -> &'static str {
                match self {
                    $(Self::$variant => $configuration,)*
                }
            }

            /// The language of a configuration.
            pub(crate) fn of_configuration(name: &str) -> Option<Self> {
                match name {
                    $($configuration => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Every language.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

languages! {
    Arabic = "ar", "arabic";
    Catalan = "ca", "catalan";
    Danish = "da", "danish";
    German = "de", "german";
    Greek = "el", "greek";
    English = "en", "english";
    Spanish = "es", "spanish";
    Basque = "eu", "basque";
    Finnish = "fi", "finnish";
    French = "fr", "french";
    Irish = "ga", "irish";
    Hindi = "hi", "hindi";
    Hungarian = "hu", "hungarian";
    Armenian = "hy", "armenian";
    Indonesian = "id", "indonesian";
    Italian = "it", "italian";
    Lithuanian = "lt", "lithuanian";
    Nepali = "ne", "nepali";
    Dutch = "nl", "dutch";
    Norwegian = "no", "norwegian";
    Portuguese = "pt", "portuguese";
    Romanian = "ro", "romanian";
    Russian = "ru", "russian";
    Serbian = "sr", "serbian";
    Swedish = "sv", "swedish";
    Tamil = "ta", "tamil";
    Turkish = "tr", "turkish";
    Undetermined = "und", "simple";
    Yiddish = "yi", "yiddish";
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema as _;

    use super::*;

    #[test]
    fn a_language_is_found_by_its_configuration() {
        for language in Language::ALL {
            assert_eq!(Language::of_configuration(language.configuration()), Some(*language));
        }
        assert_eq!(Language::of_configuration("klingon"), None);
    }

    #[test]
    fn the_document_names_the_codes() {
        let schema = serde_json::to_value(Language::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::to_value(Language::ALL).unwrap());
    }
}
