use std::io::Write;

use proptest::prelude::*;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

enum Entry<'a> {
    File(&'a str, &'a [u8], u32),
    Link(&'a str, &'a str),
    Directory(&'a str),
}

fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for entry in entries {
        match *entry {
            Entry::File(name, content, mode) => {
                writer.start_file(name, options.unix_permissions(mode)).unwrap();
                writer.write_all(content).unwrap();
            }
            Entry::Link(name, target) => writer.add_symlink(name, target, options).unwrap(),
            Entry::Directory(name) => writer.add_directory(name, options).unwrap(),
        }
    }
    writer.finish().unwrap().into_inner()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_was_packed_is_there() {
    let zip = zip(&[
        Entry::File("bootstrap", b"#!/bin/sh\n", 0o700),
        Entry::File("./lib/deep/data.json", b"{}", 0o600),
        Entry::Directory("empty/"),
        Entry::Link("lib/run", "../bootstrap"),
    ]);
    let root = tempfile::tempdir().unwrap();
    let facts = unpack(&zip, root.path()).unwrap();
    assert_eq!(facts, ZipFacts { entries: 4, unpacked_bytes: 12 });
    assert_eq!(check_zip(&zip).unwrap(), facts);
    assert_eq!(fs::read(root.path().join("lib/deep/data.json")).unwrap(), b"{}");
    assert_eq!(mode(&root.path().join("bootstrap")), 0o755);
    assert_eq!(mode(&root.path().join("lib/deep/data.json")), 0o644);
    assert_eq!(mode(&root.path().join("lib/deep")), 0o755);
    assert!(root.path().join("empty").is_dir());
    assert_eq!(fs::read_link(root.path().join("lib/run")).unwrap(), Path::new("../bootstrap"));
}

#[test]
fn nothing_gets_out() {
    let file = |name| zip(&[Entry::File(name, b"x", 0o644)]);
    let link = |name, target| zip(&[Entry::Link(name, target)]);
    for (what, zip) in [
        ("parent", file("../out")),
        ("hidden parent", file("a/../../out")),
        ("absolute", file("/etc/out")),
        ("NUL", file("a\0b")),
        ("long name", file(&format!("a/{}", "n".repeat(256)))),
        ("long path", file(&"a/".repeat(513))),
        ("absolute link", link("a", "/etc/passwd")),
        ("climbing link", link("a/b", "../../etc/passwd")),
        ("link that climbs behind a name", link("a/b", "c/../x")),
        ("file below a link", zip(&[Entry::Link("a", "b"), Entry::File("a/x", b"", 0o644)])),
        ("file below a file", zip(&[Entry::File("a", b"", 0o644), Entry::File("a/x", b"", 0o644)])),
        ("link over a file", zip(&[Entry::File("a/b", b"", 0o644), Entry::Link("a/./b", "c")])),
    ] {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs::create_dir(&root).unwrap();
        let error = unpack(&zip, &root).expect_err(what);
        assert!(matches!(error, ZipError::Malformed(_)), "{what}: {error}");
        assert!(error.message().unwrap().starts_with("Could not unzip uploaded file."));
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1, "{what}");
    }
}

#[test]
fn names_may_be_as_long_as_disks_take_them() {
    let name = "n".repeat(255);
    let root = tempfile::tempdir().unwrap();
    unpack(&zip(&[Entry::File(&name, b"x", 0o644)]), root.path()).unwrap();
    assert!(root.path().join(name).is_file());
}

/// Bits that give rights, and kinds of files that are none, don't come out of a zip.
#[test]
fn what_is_special_becomes_a_plain_file() {
    for bits in [0o106_755, 0o102_755, 0o101_755, 0o060_755, 0o020_755, 0o010_755, 0o140_755] {
        let mut zip = zip(&[Entry::File("a", b"", 0o755)]);
        // In the central directory's entry: the mode is the upper half of the external attributes, at byte 38.
        let entry = zip.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        zip[entry + 40..entry + 42].copy_from_slice(&u16::try_from(bits).unwrap().to_le_bytes());
        let root = tempfile::tempdir().unwrap();
        unpack(&zip, root.path()).unwrap();
        let found = fs::symlink_metadata(root.path().join("a")).unwrap();
        assert!(found.is_file(), "{bits:o}");
        assert_eq!(found.permissions().mode() & 0o7777, 0o755, "{bits:o}");
    }
}

#[test]
fn a_bomb_goes_off_in_the_hand_that_made_it() {
    let zeros = vec![0; 1 << 20];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bomb", SimpleFileOptions::default()).unwrap();
    for _ in 0..251 {
        writer.write_all(&zeros).unwrap();
    }
    let mut bomb = writer.finish().unwrap().into_inner();
    let error = check_zip(&bomb).unwrap_err();
    assert!(matches!(error, ZipError::TooLarge), "{error}");
    assert_eq!(error.message(), Some("Unzipped size must be smaller than 262144000 bytes"));

    // Now it says that it is small: in the central directory, where the size stands before the name.
    let declared = (251u32 << 20).to_le_bytes();
    while let Some(at) = bomb.windows(4).position(|window| window == declared) {
        bomb[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    assert!(check_zip(&bomb).is_err());
}

#[test]
fn what_is_no_zip_is_refused() {
    for bytes in [&b""[..], b"PK", b"not a zip at all", &[0; 4096]] {
        assert!(matches!(check_zip(bytes), Err(ZipError::Malformed(_))));
    }
    let mut damaged = zip(&[Entry::File("a", &[7; 5000], 0o644)]);
    damaged[40] ^= 0x55;
    assert!(matches!(check_zip(&damaged), Err(ZipError::Malformed(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_harm(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = zip(&[
            Entry::File("bootstrap", b"#!/bin/sh\necho\n", 0o755),
            Entry::Link("l", "bootstrap"),
            Entry::Directory("d/"),
        ]);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs::create_dir(&root).unwrap();
        let _ = unpack(&bytes, &root);
        prop_assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    }
}
