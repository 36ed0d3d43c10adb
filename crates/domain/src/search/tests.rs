//! What people type, and what it means: each row is a text, its structure, and what was ignored.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// The expression as text, with every structure visible.
fn meaning(expression: &Expression) -> String {
    let list = |mark: &str, parts: &[Expression]| {
        let parts: Vec<String> = parts.iter().map(meaning).collect();
        format!("{mark}[{}]", parts.join(" "))
    };
    match expression {
        Expression::Term(term) => match term.kind() {
            TermKind::Word => term.text().to_owned(),
            TermKind::Prefix => format!("{}*", term.text()),
            TermKind::Phrase => format!("\"{}\"", term.text()),
        },
        Expression::Filter(filter) => format!("{filter:?}"),
        Expression::Not(inner) => format!("not {}", meaning(inner)),
        Expression::And(all) => list("all", all),
        Expression::Or(any) => list("any", any),
    }
}

/// Compares a whole table at once, so that one run shows every row that differs.
fn check(table: &[(&str, &str, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, expected, ignored) in table {
        let query = parse(text);
        let found = query.expression.as_ref().map(meaning).unwrap_or_default();
        let printed = query.expression.as_ref().map(ToString::to_string).unwrap_or_default();
        if parse(&printed).expression != query.expression {
            wrong.push(format!("{text:?}: {printed:?} reads back differently"));
        }
        if found != *expected || query.ignored != *ignored {
            wrong.push(format!(
                "{text:?}: found {found} {:?}, expected {expected} {ignored:?}",
                query.ignored
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_three_forms_of_the_brief() {
    check(&[
        ("client & presentation", "all[client presentation]", &[]),
        ("'weekly team meeting'", "\"weekly team meeting\"", &[]),
        ("presen:*", "presen*", &[]),
    ]);
}

#[test]
fn what_people_type_is_never_an_error() {
    check(&[
        ("", "", &[]),
        ("  \t\r\n ", "", &[]),
        ("client presentation", "all[client presentation]", &[]),
        ("bob's birthday", "all[bob's birthday]", &[]),
        ("bob’s birthday", "all[bob's birthday]", &[]),
        ("a & ", "a", &["&"]),
        ("foo:bar", "foo:bar", &["foo:bar"]),
        ("(draft", "draft", &["("]),
        ("draft)", "draft", &[")"]),
        ("call mom!", "all[call mom!]", &[]),
        ("50% off", "all[50% off]", &[]),
        ("email: anna@example.org", "all[email anna@example.org]", &[]),
        ("\"weekly team meeting\"", "\"weekly team meeting\"", &[]),
        ("“weekly team meeting”", "\"weekly team meeting\"", &[]),
        ("foo | | bar", "any[foo bar]", &["|"]),
        ("foo & & & bar", "all[foo bar]", &["&"]),
        (
            "https://example.org/a?b=1&c=2|d#e",
            "https://example.org/a?b=1&c=2|d#e",
            &[],
        ),
        (
            "see (https://example.org/) now",
            "all[see https://example.org/ now]",
            &[],
        ),
        ("!", "", &["!"]),
        ("<3 love", "all[<3 love]", &[]),
        ("to be or not to be", "all[to be or not to be]", &[]),
        ("-urgent", "not urgent", &[]),
        ("a\\b", "a\\b", &[]),
        ("IT", "it", &[]),
        ("The Who", "all[the who]", &[]),
        ("C++ and C#", "all[c++ and c#]", &[]),
        ("R&D", "all[r d]", &[]),
        ("follow-up PROJ-123", "all[follow-up proj-123]", &[]),
        ("cafe\u{301} CAFÉ", "all[café café]", &[]),
        ("مرحبا 会议 करना", "all[مرحبا 会议 करना]", &[]),
        ("party 🎉", "party", &["🎉"]),
        ("report - draft", "all[report draft]", &["-"]),
        ("a\0b", "all[a b]", &[]),
        ("git --verbose ---x", "all[git verbose x]", &[]),
        ("12:30 meeting", "all[12:30 meeting]", &[]),
    ]);
}

#[test]
fn operators_bind_as_expected() {
    check(&[
        ("a b | c", "any[all[a b] c]", &[]),
        ("a & (b | c)", "all[a any[b c]]", &[]),
        ("(a (b c)) d", "all[a b c d]", &[]),
        ("a|b|(c|d)", "any[a b c d]", &[]),
        ("a && b || c", "any[all[a b] c]", &[]),
        ("a AND b OR NOT c", "any[all[a b] not c]", &[]),
        ("!(a | b) -c", "all[not any[a b] not c]", &[]),
        ("a & ! b", "all[a not b]", &[]),
        ("!!a", "a", &[]),
        ("!-!a", "not a", &[]),
        ("-(-a)", "a", &[]),
        ("-\"b c\"", "not \"b c\"", &[]),
        ("-'b c'", "not \"b c\"", &[]),
        ("foo(bar)", "all[foo bar]", &[]),
    ]);
}

#[test]
fn operators_without_a_side_are_dropped_or_words() {
    check(&[
        ("| a", "a", &["|"]),
        ("a & | b", "all[a b]", &["|"]),
        ("a !", "a", &["!"]),
        ("(a &) b", "all[a b]", &["&"]),
        ("& | !", "", &["&", "|", "!"]),
        ("OR", "or", &[]),
        ("OR a", "all[or a]", &[]),
        ("a NOT", "all[a not]", &[]),
        ("a & OR b", "all[a or b]", &[]),
        ("()", "", &["()"]),
        ("-() a", "a", &["()"]),
        ("a | (!)", "a", &["!", "()"]),
        ("a -> b", "all[a b]", &[">"]),
        (":(", "", &[":", "("]),
        (")(", "", &[")", "("]),
    ]);
}

#[test]
fn quotes_open_phrases_and_apostrophes_do_not() {
    check(&[
        ("'tis the season", "all[tis the season]", &[]),
        ("rock 'n' roll", "all[rock \"n\" roll]", &[]),
        ("the boys' room", "all[the boys room]", &[]),
        ("'bob's birthday' cake", "all[\"bob's birthday\" cake]", &[]),
        ("('a b')", "\"a b\"", &[]),
        ("'a \"b c\" d", "all[a \"b c\" d]", &[]),
        ("\"weekly team", "all[weekly team]", &["\""]),
        ("5\" screen \"", "all[5 \"screen\"]", &[]),
        ("5\" screen", "all[5 screen]", &["\""]),
        ("\"\" ''", "", &["\"\"", "''"]),
        ("\"OR\" \"tag:x\" \"pre*\"", "all[\"or\" \"tag:x\" \"pre*\"]", &[]),
        ("«a b»", "\"a b\"", &[]),
    ]);
}

#[test]
fn prefixes_need_two_letters() {
    check(&[
        ("presen*", "presen*", &[]),
        ("follow-up*", "follow-up*", &[]),
        ("会议*", "会议*", &[]),
        ("p*", "p", &["p*"]),
        ("p:*", "p", &["p:*"]),
        ("tag:*", "tag*", &[]),
        ("*", "", &["*"]),
        ("*port", "port", &["*port"]),
        ("a*b", "a*b", &[]),
    ]);
}

#[test]
fn filters_are_read_and_nonsense_in_them_is_said() {
    check(&[
        ("tag:Work", "Tag(Tag(\"work\"))", &[]),
        ("TAG:\"Deep  Work\" x", "all[Tag(Tag(\"deep work\")) x]", &[]),
        ("tag:“deep work”", "Tag(Tag(\"deep work\"))", &[]),
        ("tag:\"**\"", "Tag(Tag(\"**\"))", &[]),
        ("tag:\"a “b” c\"", "Tag(Tag(\"a “b” c\"))", &[]),
        ("tag:a|tag:b", "any[Tag(Tag(\"a\")) Tag(Tag(\"b\"))]", &[]),
        ("-tag:a", "not Tag(Tag(\"a\"))", &[]),
        ("priority:high", "Priority(Equal, High)", &[]),
        ("priority:>=medium", "Priority(GreaterOrEqual, Medium)", &[]),
        ("status:open is:completed", "all[Status(Open) Status(Completed)]", &[]),
        ("is:overdue", "Overdue", &[]),
        ("is:recurring", "Recurring", &[]),
        ("due:<2026-12-01", "Due(Less, On(2026-12-01))", &[]),
        ("due:<=2026-12-01", "Due(LessOrEqual, On(2026-12-01))", &[]),
        ("due:>2026-12-01", "Due(Greater, On(2026-12-01))", &[]),
        ("due:>=today", "Due(GreaterOrEqual, Today)", &[]),
        ("due:=2024-02-29", "Due(Equal, On(2024-02-29))", &[]),
        ("Due:Tomorrow", "Due(Equal, Tomorrow)", &[]),
        ("due:none", "WithoutDue", &[]),
        ("due:2026-02-30 a", "a", &["due:2026-02-30"]),
        ("due:1969-12-31", "", &["due:1969-12-31"]),
        (
            "due:soon priority:hihg is: tag:",
            "",
            &["due:soon", "priority:hihg", "is:", "tag:"],
        ),
        ("-due:soon a", "a", &["due:soon"]),
        ("tag:\"open", "open", &["tag:", "\""]),
    ]);
}

#[test]
fn a_query_is_bounded() {
    let words: Vec<String> = (0..1000).map(|number| format!("w{number}")).collect();
    let query = parse(&words.join(" "));
    assert!(matches!(&query.expression, Some(Expression::And(all)) if all.len() == MAX_LEAVES));
    assert_eq!(query.ignored.len(), 20);
    assert_eq!(query.ignored[0], "w64");

    let long = "x".repeat(201);
    let query = parse(&long);
    assert_eq!(query.expression, None);
    assert_eq!(query.ignored, [format!("{}…", "x".repeat(60))]);

    let deep = format!("{}a | b{} c", "(".repeat(16), ")".repeat(16));
    assert_eq!(parse(&deep).ignored, [""; 0]);
    let deeper = format!("({deep})");
    assert_eq!(parse(&deeper).ignored, ["(", ")"]);
}

#[test]
fn a_hundred_thousand_of_anything_is_read_in_no_time() {
    let pieces = [
        "(",
        ")",
        "()",
        "(a",
        "!",
        "-",
        "!(",
        "-(-",
        "'",
        "'a ",
        "\"",
        "\"a ",
        "“",
        "tag:\"a ",
        "tag:“a ",
        "&",
        "| a ",
        "OR ",
        "NOT ",
        "a*",
        "://&",
        "due:",
        "é",
        "\0",
        "a'\"",
    ];
    for piece in pieces {
        let text = piece.repeat(100_000);
        let begin = Instant::now();
        let query = parse(&text);
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(5), "{piece:?} took {took:?}");
        assert!(query.ignored.len() <= 20, "{piece:?}");
    }
}

/// Texts of the pieces that mean something, in any order.
fn tricky_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "(",
        ")",
        "!",
        "-",
        "&",
        "|",
        "'",
        "\"",
        "“",
        "’",
        "*",
        ":",
        " ",
        " ",
        " ",
        "a",
        "bc",
        "É",
        "会议",
        "OR",
        "AND",
        "NOT",
        "tag:",
        "due:",
        "is:",
        "foo:",
        "priority:",
        "<",
        ">=",
        "today",
        "high",
        "overdue",
        "2026-12-01",
        "://",
        "🎉",
        "\0",
        "\n",
        "e\u{301}",
        "İ",
        "ß",
        "\u{2001}",
        "\u{37e}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_printed_form_reads_back(text in prop_oneof![tricky_text(), any::<String>()]) {
        if let Some(expression) = parse(&text).expression {
            let printed = expression.to_string();
            let again = parse(&printed);
            prop_assert_eq!(again.expression.as_ref(), Some(&expression), "printed as {:?}", printed);
            prop_assert_eq!(again.expression.map(|again| again.to_string()), Some(printed));
        }
    }

    #[test]
    fn an_expression_keeps_its_promises(text in prop_oneof![tricky_text(), any::<String>()]) {
        let query = parse(&text);
        prop_assert!(query.ignored.len() <= 20);
        for ignored in &query.ignored {
            prop_assert!(ignored.chars().count() <= 61);
        }
        if let Some(expression) = &query.expression {
            prop_assert!(promises(expression) <= MAX_LEAVES);
        }
    }

    #[test]
    fn plain_words_are_all_wanted(words in prop::collection::vec("[a-z0-9]{1,12}", 1..MAX_LEAVES)) {
        let query = parse(&words.join(" "));
        let expression = query.expression.unwrap();
        let wanted: Vec<&str> = expression.wanted_terms().iter().map(|term| term.text()).collect();
        prop_assert_eq!(wanted, words);
        prop_assert!(query.ignored.is_empty());
    }
}

/// Asserts what the documentation promises of every node; answers the number of leaves.
fn promises(expression: &Expression) -> usize {
    match expression {
        Expression::Filter(_) => 1,
        Expression::Term(term) => {
            let text = term.text();
            assert!(text.contains(char::is_alphanumeric), "{text:?}");
            assert!(
                !text.contains(|c: char| c.is_control() || term::is_double_quote(c)),
                "{text:?}"
            );
            assert!(
                term.kind() == TermKind::Phrase || !text.contains(char::is_whitespace),
                "{text:?}"
            );
            1
        }
        Expression::Not(inner) => {
            assert!(!matches!(**inner, Expression::Not(_)));
            promises(inner)
        }
        Expression::And(all) => {
            assert!(all.len() > 1 && !all.iter().any(|part| matches!(part, Expression::And(_))));
            all.iter().map(promises).sum()
        }
        Expression::Or(any) => {
            assert!(any.len() > 1 && !any.iter().any(|part| matches!(part, Expression::Or(_))));
            any.iter().map(promises).sum()
        }
    }
}
