//! Reading PromQL: which metrics and labels an expression uses, which labels it leaves, and whether it compares.

pub mod exporters;

use exporters::Metrics;
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorSelector};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Labels that Prometheus adds to every series of a scraped target (prometheus-operator: `PodMonitor`, `ServiceMonitor`).
pub const SCRAPE_LABELS: &[&str] = &[
    "container",
    "endpoint",
    "instance",
    "job",
    "namespace",
    "pod",
    "service",
];

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Nobody exports this metric here.
    UnknownMetric(String),
    /// The metric, or what is left of it there, does not have this label.
    UnknownLabel {
        /// The label.
        label: String,
        /// The metric, or the part of the expression.
        of: String,
        /// What it has.
        has: Vec<String>,
    },
    /// A sum over a lag that is -1 where nothing was committed.
    NegativeLagSummed,
}

/// An expression that was understood.
#[derive(Clone, Debug)]
pub struct Query {
    expr: Expr,
}

/// The labels that a result may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Nobody knows: a metric is unknown.
    Any,
    /// These.
    These(BTreeSet<String>),
}

impl Labels {
    /// Whether a result may carry this label.
    pub fn may_have(&self, label: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(labels) => labels.contains(label),
        }
    }

    fn of(labels: impl IntoIterator<Item = String>) -> Self {
        Self::These(labels.into_iter().collect())
    }

    fn none() -> Self {
        Self::These(BTreeSet::new())
    }

    fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, labels) | (labels, Self::Any) => labels,
            (Self::These(left), Self::These(right)) => Self::of(left.intersection(&right).cloned()),
        }
    }

    fn with(mut self, more: impl IntoIterator<Item = String>) -> Self {
        if let Self::These(labels) = &mut self {
            labels.extend(more);
        }
        self
    }

    fn listed(&self) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::These(labels) => labels.iter().cloned().collect(),
        }
    }
}

/// Reads an expression, once: several rules ask for the same one, and environments share most of theirs. Parsing compiles
/// every matcher's regular expression, which was half of the time that gen took.
///
/// # Errors
/// The parser's words.
pub fn parse(text: &str) -> Result<Arc<Query>, String> {
    static PARSED: Mutex<BTreeMap<String, Arc<Query>>> = Mutex::new(BTreeMap::new());
    let parsed = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(query) = parsed().get(text) {
        return Ok(Arc::clone(query));
    }
    let query = promql_parser::parser::parse(text).map(|expr| Arc::new(Query { expr }))?;
    parsed().insert(text.to_owned(), Arc::clone(&query));
    Ok(query)
}

impl Query {
    /// Names of the metrics that it selects, each once.
    pub fn metrics(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        selectors(&self.expr, &mut |selector| names.extend(name_of(selector)));
        names
    }

    /// Whether it says when to fire: somewhere on its way up a comparison filters, or absence is asked for.
    pub fn compares(&self) -> bool {
        compares(&self.expr)
    }

    /// Everything that is wrong with it, and the labels that its result may carry.
    pub fn check(&self, metrics: &Metrics) -> (BTreeSet<Problem>, Labels) {
        let mut flow = Flow {
            metrics,
            problems: BTreeSet::new(),
        };
        let labels = flow.labels(&self.expr);
        (flow.problems, labels)
    }
}

fn selectors(expr: &Expr, visit: &mut impl FnMut(&VectorSelector)) {
    match expr {
        Expr::VectorSelector(selector) => visit(selector),
        Expr::MatrixSelector(matrix) => visit(&matrix.vs),
        _ => children(expr).into_iter().for_each(|child| selectors(child, visit)),
    }
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(it) => it.param.iter().map(AsRef::as_ref).chain([it.expr.as_ref()]).collect(),
        Expr::Unary(it) => vec![&it.expr],
        Expr::Binary(it) => vec![&it.lhs, &it.rhs],
        Expr::Paren(it) => vec![&it.expr],
        Expr::Subquery(it) => vec![&it.expr],
        Expr::Call(it) => it.args.args.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// The name of a selector, written in front of the braces or as a matcher.
fn name_of(selector: &VectorSelector) -> Option<String> {
    let by_matcher = || {
        let mut matchers = selector.matchers.matchers.iter();
        matchers
            .find(|matcher| matcher.name == "__name__" && matcher.op == MatchOp::Equal)
            .map(|matcher| matcher.value.clone())
    };
    selector.name.clone().or_else(by_matcher)
}

fn compares(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(it) if it.op.is_comparison_operator() => {
            !it.modifier.as_ref().is_some_and(|modifier| modifier.return_bool)
        }
        // Every branch of `or` can make it fire.
        Expr::Binary(it) if it.op.is_set_operator() && it.op.to_string() == "or" => {
            compares(&it.lhs) && compares(&it.rhs)
        }
        Expr::Binary(it) if it.op.is_set_operator() => compares(&it.lhs) || compares(&it.rhs),
        Expr::Call(call) if call.func.name.starts_with("absent") => true,
        Expr::Call(call) if call.func.name.starts_with("label_") => {
            call.args.args.first().is_some_and(|first| compares(first))
        }
        Expr::Aggregate(it) => compares(&it.expr),
        Expr::Paren(it) => compares(&it.expr),
        _ => false,
    }
}

/// Follows labels from the selectors to the result.
struct Flow<'a> {
    metrics: &'a Metrics,
    problems: BTreeSet<Problem>,
}

impl Flow<'_> {
    fn labels(&mut self, expr: &Expr) -> Labels {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(it) => self.aggregate(it),
            Expr::Binary(it) => self.binary(it),
            Expr::Call(call) => self.call(call),
            Expr::Unary(it) => self.labels(&it.expr),
            Expr::Paren(it) => self.labels(&it.expr),
            Expr::Subquery(it) => self.labels(&it.expr),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Labels::none(),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> Labels {
        let Some(name) = name_of(selector) else {
            return Labels::Any;
        };
        let Some(own) = self.metrics.labels(&name) else {
            self.problems.insert(Problem::UnknownMetric(name));
            return Labels::Any;
        };
        let labels = match own {
            exporters::Known::Any => return Labels::Any,
            exporters::Known::These(own) => Labels::of(own.iter().cloned()).with(scrape_labels()),
        };
        for label in matched_labels(&selector.matchers) {
            self.require(&label, &labels, &name);
        }
        labels
    }

    fn aggregate(&mut self, it: &AggregateExpr) -> Labels {
        if let Some(param) = &it.param {
            self.labels(param);
        }
        let op = it.op.to_string();
        if matches!(op.as_str(), "sum" | "avg") && is_raw_lag(&it.expr) {
            self.problems.insert(Problem::NegativeLagSummed);
        }
        let inner = self.labels(&it.expr);
        let result = match &it.modifier {
            Some(LabelModifier::Include(by)) => {
                for label in &by.labels {
                    self.require(label, &inner, &it.expr.to_string());
                }
                Labels::of(by.labels.iter().cloned())
            }
            Some(LabelModifier::Exclude(without)) => match inner.clone() {
                Labels::Any => Labels::Any,
                Labels::These(mut labels) => {
                    labels.retain(|label| !without.labels.contains(label));
                    Labels::These(labels)
                }
            },
            None => Labels::none(),
        };
        match op.as_str() {
            // These choose series; they do not merge them.
            "topk" | "bottomk" | "limitk" | "limit_ratio" => inner,
            _ => result,
        }
    }

    fn binary(&mut self, it: &BinaryExpr) -> Labels {
        let left = self.labels(&it.lhs);
        let right = self.labels(&it.rhs);
        let matching = it.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref());
        if let Some(LabelModifier::Include(on)) = matching {
            for label in &on.labels {
                self.require(label, &left, &it.lhs.to_string());
                self.require(label, &right, &it.rhs.to_string());
            }
        }
        if it.op.is_set_operator() {
            return match it.op.to_string().as_str() {
                "or" => left.both(right),
                _ => left,
            };
        }
        if is_number(&it.lhs) {
            return right;
        }
        if is_number(&it.rhs) {
            return left;
        }
        let more = it.modifier.as_ref().and_then(|modifier| modifier.card.labels());
        if let Some(more) = more {
            let (many, one, side) = match it.modifier.as_ref().map(|modifier| &modifier.card) {
                Some(promql_parser::parser::VectorMatchCardinality::OneToMany(_)) => (right, left, &it.lhs),
                _ => (left, right, &it.rhs),
            };
            for label in &more.labels {
                self.require(label, &one, &side.to_string());
            }
            return many.with(more.labels.iter().cloned());
        }
        match matching {
            Some(LabelModifier::Include(on)) if it.op.is_comparison_operator() => {
                left.both(Labels::of(on.labels.iter().cloned()))
            }
            Some(LabelModifier::Include(on)) => Labels::of(on.labels.iter().cloned()),
            _ => left.both(right),
        }
    }

    fn call(&mut self, call: &Call) -> Labels {
        let mut inner = Labels::none();
        for argument in &call.args.args {
            let labels = self.labels(argument);
            if !is_number(argument) && !matches!(argument.as_ref(), Expr::StringLiteral(_)) {
                inner = labels;
            }
        }
        let text = |index: usize| match call.args.args.get(index).map(AsRef::as_ref) {
            Some(Expr::StringLiteral(literal)) => Some(literal.val.clone()),
            _ => None,
        };
        match call.func.name {
            "label_replace" | "label_join" => inner.with(text(1)),
            "histogram_quantile" | "histogram_fraction" => {
                let (Labels::Any | Labels::These(_)) = &inner;
                if let Labels::These(labels) = &mut inner {
                    labels.remove("le");
                }
                inner
            }
            "absent" | "absent_over_time" => absent_labels(call).map_or_else(Labels::none, Labels::of),
            "scalar" | "time" | "vector" | "pi" => Labels::none(),
            _ => inner,
        }
    }

    fn require(&mut self, label: &str, labels: &Labels, of: &str) {
        if !labels.may_have(label) {
            self.problems.insert(Problem::UnknownLabel {
                label: label.to_owned(),
                of: of.to_owned(),
                has: labels.listed(),
            });
        }
    }
}

fn scrape_labels() -> impl Iterator<Item = String> {
    SCRAPE_LABELS.iter().map(|&label| label.to_owned())
}

fn matched_labels(matchers: &Matchers) -> BTreeSet<String> {
    let all = matchers.matchers.iter().chain(matchers.or_matchers.iter().flatten());
    all.map(|matcher| matcher.name.clone())
        .filter(|name| name != "__name__")
        .collect()
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Paren(it) => is_number(&it.expr),
        Expr::Unary(it) => is_number(&it.expr),
        Expr::Binary(it) => is_number(&it.lhs) && is_number(&it.rhs),
        Expr::Call(call) => matches!(call.func.name, "scalar" | "time" | "pi"),
        _ => false,
    }
}

fn is_raw_lag(expr: &Expr) -> bool {
    match expr {
        Expr::VectorSelector(selector) => name_of(selector).as_deref() == Some("kafka_consumergroup_lag"),
        Expr::Paren(it) => is_raw_lag(&it.expr),
        _ => false,
    }
}

/// `absent` keeps the labels that a matcher fixes to one value, and no other.
fn absent_labels(call: &Call) -> Option<Vec<String>> {
    let matchers = match call.args.args.first()?.as_ref() {
        Expr::VectorSelector(selector) => &selector.matchers,
        Expr::MatrixSelector(matrix) => &matrix.vs.matchers,
        _ => return None,
    };
    let fixed = matchers.matchers.iter().filter(|matcher| matcher.op == MatchOp::Equal);
    Some(fixed.map(|matcher| matcher.name.clone()).collect())
}

#[cfg(test)]
mod tests;
