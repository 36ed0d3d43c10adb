//! Names for what a test owns: readable, and never taken twice.

/// Letters, digits and single underscores, at most 40 characters: the name of the running test, and eight digits by
/// chance. It can be part of a database's name and of a topic's.
pub(crate) fn unique() -> String {
    let thread = std::thread::current();
    let test = thread
        .name()
        .unwrap_or_default()
        .rsplit("::")
        .next()
        .unwrap_or_default();
    let readable: String = test
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '_')
        .take(31)
        .collect();
    format!("{readable}_{:08x}", rand::random::<u32>())
}
