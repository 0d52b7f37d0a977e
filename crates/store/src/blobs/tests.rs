use std::time::Duration;

use super::*;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn blobs() -> (tempfile::TempDir, Blobs) {
    let directory = tempfile::tempdir().expect("a directory");
    let blobs = Blobs::open(directory.path().join("blobs")).expect("a folder");
    (directory, blobs)
}

fn age(blobs: &Blobs, name: &str, seconds: u64) {
    let file = File::options().write(true).open(blobs.path(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_blob_is_found_under_the_hash_of_its_content() {
    let (_directory, blobs) = blobs();
    assert_eq!(blobs.put(b"abc").unwrap(), ABC);
    assert_eq!(blobs.get(ABC).unwrap(), "abc");
    assert_eq!(fs::read(blobs.path(ABC)).unwrap(), b"abc");
    assert_eq!(fs::read_dir(&blobs.directory).unwrap().count(), 1);
}

#[test]
fn putting_twice_keeps_one_and_leaves_it_alone() {
    let (_directory, blobs) = blobs();
    blobs.put(b"abc").unwrap();
    let reader = File::open(blobs.path(ABC)).unwrap();
    blobs.put(b"abc").unwrap();
    let inode = |metadata: fs::Metadata| std::os::unix::fs::MetadataExt::ino(&metadata);
    let now = fs::metadata(blobs.path(ABC)).unwrap();
    assert_eq!(inode(reader.metadata().unwrap()), inode(now), "the file is the same");
}

#[test]
fn many_puts_of_one_content_at_once_all_succeed() {
    let (_directory, blobs) = blobs();
    std::thread::scope(|scope| {
        let puts: Vec<_> = (0..8).map(|_| scope.spawn(|| blobs.put(b"abc").unwrap())).collect();
        puts.into_iter().for_each(|put| assert_eq!(put.join().unwrap(), ABC));
    });
    assert_eq!(blobs.get(ABC).unwrap(), "abc");
}

#[test]
fn a_blob_that_was_cut_off_is_noticed_and_mended_by_the_next_put() {
    let (_directory, blobs) = blobs();
    blobs.put(b"abc").unwrap();
    fs::write(blobs.path(ABC), "ab").unwrap();
    assert!(matches!(blobs.get(ABC), Err(Error::BlobDamaged(name)) if name == ABC));
    blobs.put(b"abc").unwrap();
    assert_eq!(blobs.get(ABC).unwrap(), "abc");
}

#[test]
fn what_is_no_name_leads_nowhere() {
    let (directory, blobs) = blobs();
    fs::write(directory.path().join("secret"), "s").unwrap();
    for name in ["", "../secret", "/etc/passwd", &ABC[1..], &ABC.to_uppercase(), &"0".repeat(64)] {
        assert!(matches!(blobs.get(name), Err(Error::NoSuchBlob(said)) if said == name), "{name}");
        assert_eq!(blobs.path(name).parent(), Some(blobs.directory.as_path()));
    }
}

#[test]
fn what_a_killed_process_left_unfinished_is_cleared_away() {
    let (directory, blobs) = blobs();
    blobs.put(b"abc").unwrap();
    let unfinished = blobs.directory.join(format!("{UNFINISHED}7"));
    fs::write(&unfinished, "ab").unwrap();
    let blobs = Blobs::open(directory.path().join("blobs")).unwrap();
    assert!(!unfinished.exists());
    assert_eq!(blobs.get(ABC).unwrap(), "abc");
}

#[test]
fn only_old_blobs_that_nobody_names_are_removed() {
    let (_directory, blobs) = blobs();
    let [named, old, young, renewed] =
        ["named", "old", "young", "renewed"].map(|content| blobs.put(content.as_bytes()).unwrap());
    [&named, &old, &renewed].into_iter().for_each(|name| age(&blobs, name, 100));
    blobs.put(b"renewed").unwrap();
    let live = HashSet::from([named.clone()]);
    let put_before = SystemTime::now() - Duration::from_secs(50);
    let removed = blobs.remove_unused(&live, put_before).unwrap();
    assert_eq!(removed, Removed { blobs: 1, bytes: 3 });
    assert!(matches!(blobs.get(&old), Err(Error::NoSuchBlob(_))));
    for name in [named, young, renewed] {
        assert!(blobs.get(&name).is_ok());
    }
}

#[test]
fn blobs_are_joined_and_seen_on_the_way() {
    let (_directory, blobs) = blobs();
    let long = vec![b'x'; PIECE_BYTES + 5];
    let names = [blobs.put(b"abc").unwrap(), blobs.put(&long).unwrap(), blobs.put(b"abc").unwrap()];
    let mut seen = Vec::new();
    let joined = blobs.join(&names, |piece| seen.extend_from_slice(piece)).unwrap();
    assert_eq!(seen, [b"abc", &long[..], b"abc"].concat());
    assert_eq!(blobs.get(&joined).unwrap(), seen, "under its own hash");
    assert_eq!(blobs.join(&names, |_| ()).unwrap(), joined, "again");
    assert_eq!(fs::read_dir(&blobs.directory).unwrap().count(), 3, "nothing is left unfinished");
}

#[test]
fn what_is_joined_must_be_there_and_whole() {
    let (_directory, blobs) = blobs();
    blobs.put(b"abc").unwrap();
    let missing = "0".repeat(64);
    let joined = blobs.join(&[ABC.into(), missing.clone()], |_| ());
    assert!(matches!(joined, Err(Error::NoSuchBlob(name)) if name == missing));
    fs::write(blobs.path(ABC), "abd").unwrap();
    assert!(matches!(blobs.join(&[ABC.into()], |_| ()), Err(Error::BlobDamaged(_))));
    assert_eq!(fs::read_dir(&blobs.directory).unwrap().count(), 1);
}

#[test]
fn some_of_a_blobs_bytes_can_be_read() {
    let (_directory, blobs) = blobs();
    blobs.put(b"abc").unwrap();
    assert_eq!(blobs.slice(ABC, 1, 2).unwrap(), "bc");
    assert_eq!(blobs.slice(ABC, 3, 0).unwrap(), "");
    assert!(matches!(blobs.slice(ABC, 2, 2), Err(Error::BlobDamaged(_))));
    assert!(matches!(blobs.slice("..", 0, 1), Err(Error::NoSuchBlob(_))));
}
