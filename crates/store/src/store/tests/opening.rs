//! Directories that can't be opened say why.

use std::os::unix::fs::{FileExt, PermissionsExt};

use rusqlite::Connection;

use super::*;

fn refusal(directory: &TempDir) -> String {
    match Store::open(&directory.path().join("data")) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

fn database(directory: &TempDir) -> PathBuf {
    schema::path(&directory.path().join("data"))
}

/// A data directory whose database holds `content`.
fn with_file(content: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("data")).unwrap();
    fs::write(database(&directory), content).unwrap();
    directory
}

#[test]
fn a_second_store_on_one_directory_is_told_who_holds_it() {
    let (directory, store) = open();
    let said = refusal(&directory);
    assert!(said.ends_with(&format!("data is in use by process {}", std::process::id())), "{said}");
    let clone = store.clone();
    drop(store);
    assert!(refusal(&directory).contains("is in use by"));
    drop(clone);
    reopen(&directory);
}

#[test]
fn a_stale_lock_file_is_no_hindrance() {
    let (directory, store) = open();
    drop(store);
    let lock = directory.path().join("data/lock");
    assert!(lock.exists());
    fs::write(lock, "4194305 and some longer text than a process id would be\n").unwrap();
    let _store = reopen(&directory);
    assert!(refusal(&directory).ends_with(&format!("process {}", std::process::id())));
}

#[test]
fn what_is_no_database_is_said_to_be_damaged() {
    let directory = with_file(&b"certainly not a database ".repeat(1000));
    let said = refusal(&directory);
    assert!(said.contains("pitbird.db is damaged or not a database: file is not a database"), "{said}");
    assert_eq!(fs::read(database(&directory)).unwrap().len(), 25_000, "and left as it was");
}

/// Each damage is done to a whole database of its own; opening it must name the damage, never panic.
#[test]
fn a_damaged_database_is_refused() {
    let page = 8192;
    for (what, from, bytes) in [("the first table", page, 8192), ("the middle", 20 * page, 9 * 8192)] {
        let (directory, store) = open();
        for n in 0..50 {
            put(&store, note(&n.to_string(), &"x".repeat(4000))).unwrap();
        }
        drop(store);
        let file = fs::File::options().write(true).open(database(&directory)).unwrap();
        file.write_all_at(&vec![0xa5; bytes], from).unwrap();
        let said = refusal(&directory);
        assert!(said.contains("is damaged or not a database"), "{what}: {said}");
    }
}

#[test]
fn a_truncated_database_is_refused() {
    let (directory, store) = open();
    for n in 0..50 {
        put(&store, note(&n.to_string(), &"x".repeat(4000))).unwrap();
    }
    drop(store);
    let file = fs::File::options().write(true).open(database(&directory)).unwrap();
    for bytes in [5 * 8192, 4096, 1000, 50] {
        file.set_len(bytes).unwrap();
        assert!(refusal(&directory).contains("is damaged"), "{bytes}");
        assert_eq!(file.metadata().unwrap().len(), bytes, "left as it was");
    }
}

/// Files that were made before new ones had larger pages, or whose making was broken off at once.
#[test]
fn files_of_smaller_pages_are_taken() {
    for is_empty in [false, true] {
        let (directory, store) = open();
        drop(store);
        let connection = Connection::open(database(&directory)).unwrap();
        if is_empty {
            connection.execute_batch("DROP TABLE records; DROP TABLE counters;").unwrap();
            connection.pragma_update(None, "application_id", 0).unwrap();
            connection.pragma_update(None, "user_version", 0).unwrap();
        }
        let shrink =
            "PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM; PRAGMA journal_mode = WAL;";
        connection.execute_batch(shrink).unwrap();
        drop(connection);
        for text in ["one", "two"] {
            let store = reopen(&directory);
            put(&store, note("a", text)).unwrap();
        }
        let connection = Connection::open(database(&directory)).unwrap();
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        let records: i64 =
            connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
        assert_eq!((page, records), (4096, 1), "empty: {is_empty}");
    }
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let directory = with_file(b"");
    let theirs = Connection::open(database(&directory)).unwrap();
    theirs.execute_batch("CREATE TABLE customers (name TEXT)").unwrap();
    drop(theirs);
    let before = fs::read(database(&directory)).unwrap();
    assert!(refusal(&directory).ends_with("pitbird.db is another program's database"));
    assert_eq!(fs::read(database(&directory)).unwrap(), before);
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let (directory, store) = open();
    drop(store);
    let connection = Connection::open(database(&directory)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let said = refusal(&directory);
    assert!(said.ends_with("has format 99, written by a newer pitbird; this one knows up to 1"), "{said}");
}

#[test]
fn a_record_that_the_snapshot_needs_but_cannot_read_is_named() {
    let (directory, store) = open();
    let (api, _) = api("api1");
    block_on(store.write(move |transaction| transaction.put(&api))).unwrap();
    drop(store);
    let connection = Connection::open(database(&directory)).unwrap();
    connection.execute("UPDATE records SET value = '{}'", []).unwrap();
    drop(connection);
    let said = refusal(&directory);
    let key = api_key();
    assert!(said.contains(&format!("the record {} {key} is unreadable", RestApi::TABLE)), "{said}");
}

fn api_key() -> String {
    api("api1").0.key()
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("data"), "a file").unwrap();
    assert!(refusal(&directory).contains("data can't be used"));
}

#[test]
fn a_new_directory_is_closed_to_others() {
    let (directory, _store) = open();
    let mode = fs::metadata(directory.path().join("data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn the_file_is_plain_to_inspect() {
    let (directory, store) = open();
    let rev = put(&store, note("a", "1")).unwrap();
    let inspector = Connection::open(database(&directory)).unwrap();
    let row: (String, String, i64, String) =
        inspector.query_row("SELECT tbl, key, rev, value FROM records", [], |row| row.try_into()).unwrap();
    let json = r#"{"name":"a","text":"1"}"#;
    assert_eq!(row, ("note".to_owned(), "a".to_owned(), rev as i64, json.to_owned()));
}
