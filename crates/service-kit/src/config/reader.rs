//! Reading variables, collecting what is wrong with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
};

use catalogue::{EnvironmentVariable, Presence, Service, environment_variables};

/// What the names of our own variables begin with.
const PREFIX: &str = "TASKFLOW_";
/// Variables for tests, which no service reads but every process of a test inherits.
const TEST_PREFIXES: &[&str] = &["TASKFLOW_TEST_", "TASKFLOW_CRASH_"];
/// How alike two names must be for one to be suggested for the other (0 to 1).
const LIKENESS: f64 = 0.85;

/// The variables of one process, and what was found wrong with them.
///
/// An empty value counts as not set. Blanks around a value, and line breaks at the end of a confidential one, are not
/// part of it.
pub struct Reader {
    service: &'static Service,
    variables: BTreeMap<String, String>,
    read: BTreeSet<&'static str>,
    errors: Vec<VariableError>,
}

impl Reader {
    /// Reads these variables for the service.
    pub fn new<N: Into<String>, V: Into<String>>(
        service: &'static Service,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self {
            service,
            variables: variables.collect(),
            read: BTreeSet::new(),
            errors: Vec::new(),
        }
    }

    /// Reads the variables of this process for the service.
    #[must_use]
    pub fn from_process(service: &'static Service) -> Self {
        // A value that is no text keeps a replacement character: no form accepts it but free text.
        let variables = env::vars_os().map(|(name, value)| {
            let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
            (text(name), text(value))
        });
        Self::new(service, variables)
    }

    /// The service that reads.
    #[must_use]
    pub fn service(&self) -> &'static Service {
        self.service
    }

    /// The value of a variable that must have one, its default included. `None` means that a problem is noted.
    ///
    /// # Panics
    /// When the catalogue does not say that the service reads it, or says that it is optional: a bug.
    pub fn required<T>(&mut self, variable: &EnvironmentVariable, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let default = match variable.presence {
            Presence::Default(value) => Some(value),
            Presence::Required | Presence::RequiredWhen(_) => None,
            Presence::Optional => panic!("`{}` is optional", variable.name),
        };
        let Some(value) = self.value(variable).or_else(|| default.map(str::to_owned)) else {
            self.errors.push(VariableError::missing(variable));
            return None;
        };
        self.parsed(variable, &value, parse)
    }

    /// The value of a variable that must have one under a condition, and is ignored otherwise. `None` means that the
    /// condition does not hold, or that a problem is noted.
    ///
    /// # Panics
    /// As [`Reader::required`].
    pub fn required_when<T>(
        &mut self,
        condition: bool,
        variable: &EnvironmentVariable,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if condition {
            return self.required(variable, parse);
        }
        self.note(variable);
        None
    }

    /// The value of a variable that may be left out. `None` means that it was, or that a problem is noted.
    ///
    /// # Panics
    /// When the catalogue does not say that the service reads it: a bug.
    pub fn optional<T>(&mut self, variable: &EnvironmentVariable, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.value(variable)?;
        self.parsed(variable, &value, parse)
    }

    /// Notes that the value of the variable cannot be used, for a reason that its form alone does not show. The reason
    /// follows the name: "is …", "does not …". It must not repeat a confidential value.
    pub fn refuse(&mut self, variable: &EnvironmentVariable, reason: impl Into<String>) {
        self.errors.push(VariableError {
            variable: variable.name,
            reason: reason.into(),
            help: variable.help,
        });
    }

    /// The settings, or every problem that was noted.
    ///
    /// # Errors
    /// When any variable was missing or wrong.
    ///
    /// # Panics
    /// When there are no settings and yet no problem: a bug.
    pub fn finish<T>(self, settings: Option<T>) -> Result<T, InvalidConfiguration> {
        if self.errors.is_empty() {
            return Ok(settings.expect("settings are missing only when a problem was noted"));
        }
        Err(InvalidConfiguration {
            service: self.service.app_id,
            errors: self.errors,
        })
    }

    /// Variables that look like ours and that no service reads: most likely misspelled.
    #[must_use]
    pub fn unknown(&self) -> Vec<UnknownVariable> {
        let ours = self
            .variables
            .keys()
            .filter(|name| name.starts_with(PREFIX) && !TEST_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        ours.filter(|name| environment_variables::ALL.iter().all(|it| it.name != name.as_str()))
            .map(|name| UnknownVariable {
                name: name.clone(),
                did_you_mean: self.closest(name),
            })
            .collect()
    }

    /// Variables that the catalogue says the service reads and that nobody has asked for: a service's test expects
    /// none.
    #[must_use]
    pub fn unread(&self) -> Vec<&'static str> {
        let own = environment_variables::ALL
            .iter()
            .filter(|it| it.read_by.contains(&self.service.app_id));
        own.map(|it| it.name).filter(|name| !self.read.contains(name)).collect()
    }

    fn closest(&self, name: &str) -> Option<&'static str> {
        let own = environment_variables::ALL
            .iter()
            .filter(|it| it.read_by.contains(&self.service.app_id));
        own.map(|it| (strsim::jaro_winkler(bare(it.name), bare(name)), it.name))
            .filter(|(likeness, _)| *likeness >= LIKENESS)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    }

    fn note(&mut self, variable: &EnvironmentVariable) {
        let allowed = variable.read_by.contains(&self.service.app_id);
        assert!(allowed, "`{}` must not read `{}`", self.service.app_id, variable.name);
        self.read.insert(variable.name);
    }

    fn value(&mut self, variable: &EnvironmentVariable) -> Option<String> {
        self.note(variable);
        let value = self.variables.get(variable.name)?;
        let value = if variable.is_secret() {
            value.trim_end_matches(['\r', '\n'])
        } else {
            value.trim()
        };
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn parsed<T>(
        &mut self,
        variable: &EnvironmentVariable,
        value: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(value);
        if parsed.is_none() {
            self.errors.push(VariableError::malformed(variable, value));
        }
        parsed
    }
}

/// A name without what all of ours begin with, which would make any two of them look alike.
fn bare(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Every problem with the configuration of a service.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfiguration {
    /// App id of the service.
    pub service: &'static str,
    /// The problems, in the order of reading; at least one.
    pub errors: Vec<VariableError>,
}

impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration of {} has problems", self.service)?;
        for error in &self.errors {
            write!(f, "\n  {error}\n    {}", error.help)?;
        }
        Ok(())
    }
}

/// What is wrong with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// Name of the variable.
    pub variable: &'static str,
    /// What is wrong; begins with a verb.
    pub reason: String,
    /// What the variable decides.
    pub help: &'static str,
}

impl VariableError {
    fn missing(variable: &EnvironmentVariable) -> Self {
        let when = match variable.presence {
            Presence::RequiredWhen(condition) => format!(" when {condition}"),
            _ => String::new(),
        };
        Self {
            variable: variable.name,
            reason: format!("must be set{when}: {}", variable.format),
            help: variable.help,
        }
    }

    fn malformed(variable: &EnvironmentVariable, value: &str) -> Self {
        let format = variable.format;
        let reason = if variable.is_secret() {
            format!("must be {format}; it is not, and is not shown")
        } else {
            format!("must be {format}; it is `{value}`")
        };
        Self {
            variable: variable.name,
            reason,
            help: variable.help,
        }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.variable, self.reason)
    }
}

/// A variable that looks like ours and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// A variable of the service with a name much like it.
    pub did_you_mean: Option<&'static str>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is read by no service", self.name)?;
        match self.did_you_mean {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}
