use std::path::{Path, PathBuf};

/// A program of the host's that runs functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Without links in its path.
    pub program: PathBuf,
    /// `3.11.7`.
    pub version: String,
    /// It is another version than the runtime's name asks for.
    pub is_substitute: bool,
    /// Directories that it needs: its own prefix, its library.
    pub needs: Vec<PathBuf>,
}

impl Interpreter {
    /// What the program needs to see that `visible` doesn't cover.
    pub fn paths_beside(&self, visible: &[PathBuf]) -> Vec<PathBuf> {
        let mut beside: Vec<PathBuf> = Vec::new();
        let is_covered = |path: &Path, by: &[PathBuf]| by.iter().any(|seen| path.starts_with(seen));
        for path in self.needs.iter().chain([&self.program]) {
            if !is_covered(path, visible) && !is_covered(path, &beside) {
                beside.push(path.clone());
            }
        }
        beside
    }
}
