//! Tasks of one person that fulfil a search query. Text and values are bound; of the query only its shape becomes SQL.

use domain::{
    search::{Comparison, Expression, Filter, Term, TermKind},
    time::Zone,
};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use service_kit::database::time::Instant;
use sqlx::{FromRow as _, PgConnection, Postgres, QueryBuilder, Result, Row as _};

use super::row::{TaskRow, rank_of};

/// Matches that are ranked: the newest. Ranking reads every word of every match, and nobody reads so far.
pub(crate) const MAX_CANDIDATES: i64 = 5000;
/// Likeness from which a word of a title may be a misspelt one, 0 to 1.
const MIN_LIKENESS: f32 = 0.4;

/// What is asked for, by whom and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) user: &'a str,
    pub(crate) expression: &'a Expression,
    /// Language of the person's stems.
    pub(crate) language: &'a str,
    /// The zone in which a day of the query begins and ends.
    pub(crate) zone: &'a Zone,
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
}

/// How words are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By their stems and beginnings.
    Strict,
    /// By likeness to words of titles: for what was misspelt.
    Typo,
}

/// Where a page begins: behind the task with this rank and id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct After {
    pub(crate) rank: f32,
    pub(crate) id: i64,
}

/// A task that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) row: TaskRow,
    pub(crate) rank: f32,
    /// Whether more than [`MAX_CANDIDATES`] matched, so that older ones were not ranked.
    pub(crate) capped: bool,
}

/// The best matches behind `after`, best first; equals by their id, newest first.
pub(crate) async fn find(
    connection: &mut PgConnection,
    question: &Question<'_>,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Found>> {
    let mut sql = Sql {
        question,
        builder: QueryBuilder::new(""),
    };
    sql.write(after, limit);
    let rows = sql.builder.build().fetch_all(connection).await?;
    let found = rows.iter().map(|row| {
        Ok(Found {
            row: TaskRow::from_row(row)?,
            rank: row.try_get("rank")?,
            capped: row.try_get("capped")?,
        })
    });
    found.collect()
}

struct Sql<'a> {
    question: &'a Question<'a>,
    builder: QueryBuilder<Postgres>,
}

impl Sql<'_> {
    fn write(&mut self, after: Option<After>, limit: i64) {
        // Materialized, or the limit would lure the planner into reading everybody's tasks from the newest on.
        self.push("with matched as materialized (select task.id from chat.task as task where task.user_id = ");
        self.builder.push_bind(self.question.user.to_owned());
        self.push(" and ");
        self.condition(self.question.expression, self.question.mode);
        self.push("), ranked as (select task.id, ");
        self.rank();
        self.push(
            "::real as rank from chat.task as task
              join (select id from matched order by id desc limit ",
        );
        self.builder.push_bind(MAX_CANDIDATES);
        self.push(
            ") as candidate on candidate.id = task.id)
            select task.id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone,
                reminders, recurrence, series, occurrence, ordinal, version, created_at, updated_at, completed_at,
                rank, (select count(*) from matched) > ",
        );
        self.builder.push_bind(MAX_CANDIDATES);
        self.push(" as capped from ranked join chat.task as task on task.id = ranked.id");
        if let Some(After { rank, id }) = after {
            self.push(" where (rank, task.id) < (");
            self.builder.push_bind(rank);
            self.push("::real, ");
            self.builder.push_bind(id);
            self.push(")");
        }
        self.push(" order by rank desc, task.id desc limit ");
        self.builder.push_bind(limit);
    }

    fn push(&mut self, text: &'static str) {
        self.builder.push(text);
    }

    /// Whether a task fulfils the expression; never null.
    fn condition(&mut self, expression: &Expression, mode: Mode) {
        match expression {
            Expression::Term(term) => self.has(term, mode),
            Expression::Filter(filter) => self.filter(filter),
            Expression::Not(inner) => {
                self.push("not ");
                // What somebody does not want is not guessed at.
                self.condition(inner, Mode::Strict);
            }
            Expression::And(all) => self.joined(all, " and ", mode),
            Expression::Or(all) => self.joined(all, " or ", mode),
        }
    }

    fn joined(&mut self, all: &[Expression], word: &'static str, mode: Mode) {
        self.push("(");
        for (position, expression) in all.iter().enumerate() {
            if position > 0 {
                self.push(word);
            }
            self.condition(expression, mode);
        }
        self.push(")");
    }

    fn has(&mut self, term: &Term, mode: Mode) {
        match mode {
            Mode::Strict => {
                self.push("(task.plain_words @@ ");
                self.plain_query(term);
                self.push(" or task.stems @@ ");
                self.stem_query(term);
            }
            Mode::Typo => {
                self.push("(");
                self.likeness(term);
                self.push(" >= ");
                self.builder.push_bind(MIN_LIKENESS);
            }
        }
        self.push(")");
    }

    fn plain_query(&mut self, term: &Term) {
        self.text_query(term, |builder| {
            builder.push("'chat.plain'");
        });
    }

    fn stem_query(&mut self, term: &Term) {
        let language = self.question.language.to_owned();
        self.text_query(term, |builder| {
            builder.push_bind(language).push("::text::regconfig");
        });
    }

    /// The full-text query for one term. Words and phrases are bound as they are; a prefix is bound as a lexeme in
    /// quotes, in which only the quote and the backslash mean anything.
    fn text_query(&mut self, term: &Term, configuration: impl FnOnce(&mut QueryBuilder<Postgres>)) {
        let (function, text) = match term.kind() {
            TermKind::Word | TermKind::Phrase => ("phraseto_tsquery(", term.text().to_owned()),
            TermKind::Prefix => {
                let lexeme = term.text().replace('\\', r"\\").replace('\'', "''");
                ("to_tsquery(", format!("'{lexeme}':*"))
            }
        };
        self.push(function);
        configuration(&mut self.builder);
        self.push(", ");
        self.builder.push_bind(text);
        self.push(")");
    }

    fn likeness(&mut self, term: &Term) {
        self.push("chat.word_similarity(");
        self.builder.push_bind(term.text().to_owned());
        self.push(", task.title)");
    }

    /// How well a task answers: what speaks for it, in titles more than in descriptions, in short texts more than in
    /// long ones. Nothing but filters ranks nothing, so that the newest come first.
    fn rank(&mut self) {
        let wanted = self.question.expression.wanted_terms();
        if wanted.is_empty() {
            self.push("0");
            return;
        }
        self.push("(");
        for (position, term) in wanted.into_iter().enumerate() {
            if position > 0 {
                self.push(" + ");
            }
            match self.question.mode {
                Mode::Strict => {
                    self.push("greatest(ts_rank(task.plain_words, ");
                    self.plain_query(term);
                    self.push(", 1), ts_rank(task.stems, ");
                    self.stem_query(term);
                    self.push(", 1))");
                }
                Mode::Typo => self.likeness(term),
            }
        }
        self.push(")");
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Tag(tag) => {
                self.push("task.tags @> array[");
                self.builder.push_bind(tag.as_str().to_owned());
                self.push("]");
            }
            Filter::Priority(comparison, priority) => {
                self.push("task.priority ");
                self.push(operator(*comparison));
                self.builder.push_bind(rank_of(*priority));
            }
            Filter::Status(status) => {
                self.push("task.status = ");
                self.builder.push_bind(status.as_str());
            }
            Filter::Due(comparison, day) => {
                let today = self.question.zone.local(self.question.now).date();
                self.due(*comparison, day.date(today));
            }
            Filter::WithoutDue => self.push("task.due_at is null"),
            Filter::Overdue => {
                self.push("(task.status = 'open' and task.due_at is not null and task.due_at < ");
                self.builder.push_bind(Instant(self.question.now));
                self.push(")");
            }
            Filter::Recurring => self.push("task.recurrence is not null"),
        }
    }

    /// A day lasts from its first instant to that of the next, whatever the clocks do in between.
    fn due(&mut self, comparison: Comparison, day: Date) {
        let begin = |date: Date| {
            Instant(
                self.question
                    .zone
                    .instant(date.to_datetime(jiff::civil::Time::midnight())),
            )
        };
        let (first, next) = (begin(day), begin(day.saturating_add(1.day())));
        let (from, until) = match comparison {
            Comparison::Less => (None, Some(first)),
            Comparison::LessOrEqual => (None, Some(next)),
            Comparison::Equal => (Some(first), Some(next)),
            Comparison::GreaterOrEqual => (Some(first), None),
            Comparison::Greater => (Some(next), None),
        };
        self.push("(task.due_at is not null");
        if let Some(from) = from {
            self.push(" and task.due_at >= ");
            self.builder.push_bind(from);
        }
        if let Some(until) = until {
            self.push(" and task.due_at < ");
            self.builder.push_bind(until);
        }
        self.push(")");
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "< ",
        Comparison::LessOrEqual => "<= ",
        Comparison::Equal => "= ",
        Comparison::GreaterOrEqual => ">= ",
        Comparison::Greater => "> ",
    }
}
