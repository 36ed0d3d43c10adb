//! What a change changed, for the history that people see.

use domain::task::{Task, tags::Tag};
use serde_json::{Map, Value, json};

use crate::shape;

/// Each field that differs, with what it was and what it is; of a new task each field that says something. A description
/// is told by its length only: the history is not a second copy of every text.
pub(super) fn changed_fields(before: Option<&Task>, after: &Task) -> Value {
    let before = before.map(fields).unwrap_or_default();
    let mut changed = Map::new();
    for (name, to) in fields(after) {
        let from = before.get(&name).cloned().unwrap_or(Value::Null);
        let says_nothing = matches!(&to, Value::Null) || to == json!([]) || to == json!("");
        if from != to && !(from.is_null() && says_nothing) {
            changed.insert(name, json!({ "from": from, "to": to }));
        }
    }
    Value::Object(changed)
}

fn fields(task: &Task) -> Map<String, Value> {
    let reminders: Vec<_> = task.reminders.as_slice().iter().map(shape::Reminder::from).collect();
    let tags: Vec<_> = task.tags.as_slice().iter().map(Tag::as_str).collect();
    let fields = json!({
        "title": task.title.as_str(),
        "description_bytes": task.description.as_str().len(),
        "status": task.status.as_str(),
        "priority": task.priority.as_str(),
        "tags": tags,
        "due": task.due.as_ref().map(shape::Due::from),
        "reminders": reminders,
        "recurrence": task.recurrence.as_ref().map(shape::Recurrence::from),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
