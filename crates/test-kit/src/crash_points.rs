//! The named places where a process can be told to die, as they stand in the code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What a named place looks like in the code.
const MARK: &str = "crash_point!(\"";

/// The names of all crash points in the sources of crates and services.
pub fn in_the_code() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders deep");
    let packages = ["crates", "services"].map(|folder| entries(&root.join(folder)));
    let sources_of_packages = packages.concat().into_iter().map(|package| package.join("src"));
    sources_of_packages
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| sources(&folder))
        .flat_map(|file| names(&fs::read_to_string(file).expect("a source can be read")))
        .collect()
}

fn names(source: &str) -> Vec<String> {
    let after_marks = source.split(MARK).skip(1);
    after_marks
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    files.into_iter().chain(below).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let source = "crash_point!(\"a.b\"); if x { event_bus::crash_point!(\"c.d\") }";
        assert_eq!(names(source), ["a.b", "c.d"]);
    }
}
