//! What Java finds of a package's and of layers' jars.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Below the code: where Lambda looks for a package's jars. Source: Lambda developer guide, "Deploy Java Lambda functions".
pub const PACKAGE_JARS: &str = "lib";
/// Below the layers: where it looks for theirs. Source: the same, "Working with layers for Java Lambda functions".
pub const LAYER_JARS: &str = "java/lib";

/// AWS's runtime interface client for Java, as it lies in a jar.
const CLIENT: &str = "com/amazonaws/services/lambda/runtime/api/client/AWSLambda.class";

/// The end of a zip: its record, and the longest comment that may follow. Source: APPNOTE.TXT 4.3.16.
const END_BYTES: u64 = 22;
const END_COMMENT_BYTES_MAX: u64 = u16::MAX as u64;
/// Of an entry of the list at a zip's end what stands before its name. Source: APPNOTE.TXT 4.3.12.
const ENTRY_BYTES: usize = 46;

/// The jars of one directory, in the order in which Lambda looks through them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Jars {
    pub names: Vec<String>,
    /// Whether AWS's runtime interface client is in one of them, or lies unpacked at the top.
    pub has_client: bool,
}

impl Jars {
    /// Reads the jars in `top/folder`.
    ///
    /// They are a stranger's: no link is followed, what can't be read counts as empty, and of each jar nothing is kept.
    pub fn read(top: &Path, folder: &str) -> Jars {
        let mut names = names(top, folder);
        names.sort_unstable();
        let is_unpacked = is_below(top, CLIENT, |found| found.is_file());
        let is_in = |name: &String| holds(&top.join(folder).join(name), CLIENT).unwrap_or(false);
        Jars { has_client: is_unpacked || names.iter().any(is_in), names }
    }
}

fn names(top: &Path, folder: &str) -> Vec<String> {
    if !is_below(top, folder, |found| found.is_dir()) {
        return Vec::new();
    }
    let entries = fs::read_dir(top.join(folder)).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".jar"))
        .collect()
}

/// Whether a path below `top` is so, without a link on the way to it.
fn is_below(top: &Path, path: &str, is_so: impl Fn(&fs::Metadata) -> bool) -> bool {
    let mut place = top.to_owned();
    let mut parts = Path::new(path).components().peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let Ok(found) = place.symlink_metadata() else { return false };
        let is_right = if parts.peek().is_some() { found.is_dir() } else { is_so(&found) };
        if !is_right {
            return false;
        }
    }
    true
}

/// Whether a zip lists an entry of this name. Reads its list from beginning to end at most, and keeps one entry of it.
fn holds(zip: &Path, name: &str) -> io::Result<bool> {
    let mut file = File::open(zip)?;
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    let tail_bytes = length.min(END_BYTES + END_COMMENT_BYTES_MAX);
    file.seek(SeekFrom::Start(length - tail_bytes))?;
    (&mut file).take(tail_bytes).read_to_end(&mut tail)?;
    // What looks like the end within the comment isn't followed by as much as it says.
    let mut ends = (0..=tail.len().saturating_sub(END_BYTES as usize)).rev();
    let is_end = |at: &usize| {
        let end = &tail[*at..];
        let comment = end.get(20..22).map(|length| usize::from(u16::from_le_bytes([length[0], length[1]])));
        end.starts_with(b"PK\x05\x06")
            && comment.is_some()
            && comment == end.len().checked_sub(END_BYTES as usize)
    };
    let Some(end) = ends.find(is_end) else { return Ok(false) };
    let number = |at: usize| u32::from_le_bytes(tail[end + at..end + at + 4].try_into().expect("four bytes"));
    let (list_bytes, list_start) = (number(12), number(16));
    file.seek(SeekFrom::Start(list_start.into()))?;
    let mut list = BufReader::new(file.take(list_bytes.into()));
    let mut entry = [0; ENTRY_BYTES];
    loop {
        match list.read_exact(&mut entry) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        if !entry.starts_with(b"PK\x01\x02") {
            return Ok(false);
        }
        let length = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        let mut found = vec![0; length(28)];
        list.read_exact(&mut found)?;
        if found == name.as_bytes() {
            return Ok(true);
        }
        io::copy(&mut (&mut list).take((length(30) + length(32)) as u64), &mut io::sink())?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn jar(path: &Path, entries: &[&str], comment: &str) {
        let mut writer = ZipWriter::new(File::create(path).unwrap());
        for entry in entries {
            writer.start_file(*entry, SimpleFileOptions::default()).unwrap();
            writer.write_all(b"content").unwrap();
        }
        writer.set_comment(comment).unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn jars_come_in_the_order_of_their_names_and_nothing_else_does() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("java/lib/deep.jar")).unwrap();
        for name in ["java/lib/b.jar", "java/lib/a.jar", "java/lib/Z.jar", "java/lib/notes.txt"] {
            fs::write(top.path().join(name), "").unwrap();
        }
        symlink("/etc/passwd", top.path().join("java/lib/link.jar")).unwrap();
        let jars = Jars::read(top.path(), LAYER_JARS);
        assert_eq!(
            jars,
            Jars { names: ["Z.jar", "a.jar", "b.jar"].map(str::to_owned).into(), has_client: false }
        );
        assert_eq!(Jars::read(top.path(), PACKAGE_JARS), Jars::default());
    }

    #[test]
    fn a_class_is_found_in_a_jar_or_unpacked() {
        let top = tempfile::tempdir().unwrap();
        let lib = top.path().join("lib");
        fs::create_dir(&lib).unwrap();
        let many: Vec<String> = (0..5000).map(|number| format!("other/{number}/{CLIENT}")).collect();
        let mut entries: Vec<&str> = many.iter().map(String::as_str).collect();
        jar(&lib.join("a.jar"), &entries, "");
        assert!(!Jars::read(top.path(), "lib").has_client);
        entries.push(CLIENT);
        jar(&lib.join("b.jar"), &entries, "PK\x05\x06 in a comment is none");
        assert!(Jars::read(top.path(), "lib").has_client);

        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join(CLIENT).parent().unwrap()).unwrap();
        fs::write(top.path().join(CLIENT), "").unwrap();
        assert!(Jars::read(top.path(), "lib").has_client);
    }

    #[test]
    fn what_is_no_jar_is_empty() {
        let top = tempfile::tempdir().unwrap();
        let lib = top.path().join("lib");
        fs::create_dir(&lib).unwrap();
        jar(&lib.join("whole.jar"), &[CLIENT], "");
        let whole = fs::read(lib.join("whole.jar")).unwrap();
        fs::remove_file(lib.join("whole.jar")).unwrap();
        // Lengths and places that lie, at every byte of what lists the entries.
        for at in whole.len() - 22 - 46 - CLIENT.len()..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xff;
            fs::write(lib.join("broken.jar"), &broken).unwrap();
            let _either = Jars::read(top.path(), "lib");
            fs::write(lib.join("broken.jar"), &whole[..at]).unwrap();
            assert!(!Jars::read(top.path(), "lib").has_client, "cut at {at}");
        }
        symlink("lib", top.path().join("linked")).unwrap();
        fs::write(lib.join("broken.jar"), &whole).unwrap();
        assert!(Jars::read(top.path(), "lib").has_client);
        assert!(!Jars::read(top.path(), "linked").has_client, "no link is followed");
    }
}
