//! Disks that are full or fail: said clearly, nothing half done, and over when the cause is.

use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

/// Limits the database's pages, as a full disk would; `None` takes the limit away.
fn limit_pages(transaction: &Transaction<'_>, pages_more: Option<i64>) -> Result<(), Error> {
    let connection = transaction.connection();
    let now: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let limit = pages_more.map_or(1 << 30, |more| now + more);
    Ok(connection.pragma_update_and_check(None, "max_page_count", limit, |_| Ok(()))?)
}

#[test]
fn a_full_disk_is_said_and_over_when_there_is_room() {
    let (_directory, store) = open();
    put(&store, note("a", "1")).unwrap();
    let before = store.snapshot().generation;
    block_on(store.write(|transaction| limit_pages(transaction, Some(2)))).unwrap();
    let large = note("large", &"x".repeat(100_000));
    for _ in 0..2 {
        assert!(matches!(put(&store, large.clone()), Err(Error::DiskFull)));
    }
    assert_eq!(store.snapshot().generation, before);
    assert_eq!((text(&store, "a").as_deref(), text(&store, "large")), (Some("1"), None));
    put(&store, note("a", "2")).expect("what fits still goes");
    block_on(store.write(|transaction| limit_pages(transaction, None))).unwrap();
    put(&store, large).unwrap();
    assert_eq!((text(&store, "a").as_deref(), store.list::<Note>("").unwrap().len()), (Some("2"), 2));
}

#[test]
fn a_change_that_overlooks_a_failure_is_undone() {
    let (_directory, store) = open();
    block_on(store.write(|transaction| limit_pages(transaction, Some(2)))).unwrap();
    let release = hold(&store);
    let before = queue(&store, |transaction| transaction.put(&note("before", "")));
    let careless = queue(&store, |transaction| {
        transaction.put(&note("half", ""))?;
        let _ = transaction.put(&note("large", &"x".repeat(100_000)));
        Ok(())
    });
    let after = queue(&store, |transaction| transaction.put(&note("after", "")));
    release.send(()).unwrap();
    assert!(matches!(block_on(careless), Err(Error::DiskFull)));
    // A full disk may cost the neighbours the transaction; whoever was told `Ok` is there, and nobody else.
    let expected: Vec<_> = [("after", block_on(after).is_ok()), ("before", block_on(before).is_ok())]
        .into_iter()
        .filter_map(|(name, is_ok)| is_ok.then_some(name.to_owned()))
        .collect();
    let found: Vec<_> = store.list::<Note>("").unwrap().into_iter().map(|found| found.record.name).collect();
    assert_eq!(found, expected);
}

/// A change that ends the transaction behind the writer's back costs its batch, and only that.
#[test]
fn a_lost_transaction_fails_those_in_it_and_nobody_after() {
    let (_directory, store) = open();
    let release = hold(&store);
    let before = queue(&store, |transaction| transaction.put(&note("before", "")));
    let meddler = queue(&store, |transaction| {
        transaction.connection().execute_batch("ROLLBACK")?;
        Ok(())
    });
    let after = queue(&store, |transaction| transaction.put(&note("after", "")));
    release.send(()).unwrap();
    assert!(block_on(before).is_err());
    assert!(block_on(meddler).is_err());
    block_on(after).unwrap();
    let found: Vec<_> = store.list::<Note>("").unwrap().into_iter().map(|found| found.record.name).collect();
    assert_eq!(found, ["after"]);
}

const CHILD: &str = "PITBIRD_STORE_TEST_FAILING_COMMIT";

/// The commit itself fails: the log can't grow. The limit on file sizes is the whole process's, so a process of its own
/// runs it, with the signal ignored that would end it.
#[test]
fn a_commit_that_fails_is_answered_to_all_and_later_ones_go_through() {
    if std::env::var_os(CHILD).is_some() {
        return failing_commit();
    }
    let test = "store::tests::faults::a_commit_that_fails_is_answered_to_all_and_later_ones_go_through";
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .stderr(Stdio::inherit())
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn failing_commit() {
    let (directory, store) = open();
    put(&store, note("a", "1")).unwrap();
    let before = store.snapshot().generation;
    let log = fs::metadata(directory.path().join("data/pitbird.db-wal")).unwrap().len();
    let free = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(log), maximum: free.maximum }).unwrap();
    for _ in 0..2 {
        let release = hold(&store);
        let put = |name| queue(&store, move |transaction| transaction.put(&note(name, "2")));
        let writes = [put("a"), put("b")];
        release.send(()).unwrap();
        for write in writes {
            let error = block_on(write).expect_err("nobody gets Ok");
            assert!(matches!(error, Error::Database(_)), "{error}");
            assert!(
                error.to_string().starts_with("the database can't be read or written: disk I/O"),
                "{error}"
            );
        }
        assert_eq!((text(&store, "a").as_deref(), text(&store, "b")), (Some("1"), None));
        assert_eq!(store.snapshot().generation, before);
    }
    let blob = Bytes::from(vec![7; log as usize + 1]);
    let error = block_on(store.put_blob(blob.clone())).expect_err("the file is too large");
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert_eq!(fs::read_dir(directory.path().join("data/blobs")).unwrap().count(), 0, "nothing half done");
    setrlimit(Resource::Fsize, free).unwrap();
    put(&store, note("a", "3")).unwrap();
    let name = block_on(store.put_blob(blob)).unwrap();
    assert_eq!(store.snapshot().generation, before + 1);
    drop(store);
    let store = reopen(&directory);
    assert_eq!((text(&store, "a").as_deref(), text(&store, "b")), (Some("3"), None));
    assert!(store.blob(&name).is_ok());
}
