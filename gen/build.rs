//! Collects the pages of the diagnostic codes, so that `gen --explain` needs no files at run time.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    println!("cargo::rerun-if-changed={}", pages.display());
    let mut files: Vec<_> = std::fs::read_dir(&pages)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let Some(code) = file.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if code.starts_with("TF") {
            let _ = writeln!(table, "({code:?}, include_str!({:?})),", file.display().to_string());
        }
    }
    table.push(']');
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("error_pages.rs"), table).expect("OUT_DIR is writable");
}
