//! The forms of texts, for the document: what they are checked with is the domain's.

use domain::time::Zone;
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// What is to be done: 1 to 500 characters, none of them a control character. White space around it is taken off.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 500,
    pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$",
    example = "Pay the rent",
)]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct TitleText(String);

/// More about a task: up to 200,000 bytes in UTF-8. Tabs and line breaks are its only control characters.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 200_000, pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct DescriptionText(String);

/// What a task is filed under: words without double quotes. Upper and lower case are alike. White space is made one
/// space between words.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 50,
    pattern = r#"^[^"\s\x00-\x1f\x7f-\x9f]+( [^"\s\x00-\x1f\x7f-\x9f]+)*$"#,
    example = "work",
)]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct TagText(String);

/// IANA name of a time zone. In requests upper and lower case are alike.
///
/// All names are told, since the rules of all zones are compiled in: what is not here is refused.
pub(crate) struct ZoneName;

impl PartialSchema for ZoneName {
    fn schema() -> RefOr<Schema> {
        let names = Zone::names().into_iter().map(Value::from);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "IANA name of a time zone. In requests upper and lower case are alike.",
            ))
            .enum_values(Some(names))
            .examples([Value::from("Europe/Berlin")])
            .into()
    }
}

impl ToSchema for ZoneName {}
