//! What people know: every write that the core has acknowledged to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// All acknowledged writes of some people.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By the number of the task.
    pub tasks: BTreeMap<i64, Known>,
    /// By the number of a task that several devices write to: what each of them has added.
    pub additions: BTreeMap<i64, BTreeSet<String>>,
    /// Answers that contradict what was acknowledged before.
    pub contradictions: Vec<String>,
}

/// What was last acknowledged of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub user: String,
    /// The number of its changes.
    pub version: i64,
    /// Its title.
    pub title: String,
    /// Whether it was completed.
    pub completed: bool,
    /// Whether it comes back.
    pub recurring: bool,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Known {
    /// What an answer says of a task.
    ///
    /// # Panics
    /// When it holds no task.
    pub fn of(task: &Value) -> Self {
        let text = |name: &str| {
            task[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}: {task}"))
                .to_owned()
        };
        Self {
            user: text("user_id"),
            version: task["version"].as_i64().expect("a task has a version"),
            title: text("title"),
            completed: task["status"] == "completed",
            recurring: !task["recurrence"].is_null(),
            deleted: false,
        }
    }

    /// The entity tag of its version.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

impl Ledger {
    /// Puts together what several people know.
    pub fn join(&mut self, other: Self) {
        self.tasks.extend(other.tasks);
        for (task, added) in other.additions {
            self.additions.entry(task).or_default().extend(added);
        }
        self.contradictions.extend(other.contradictions);
    }
}
