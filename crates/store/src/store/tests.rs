use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as std_mpsc;
use std::task::{Context, Poll, Waker};

use pitbird_names::{Account, Region, Scope};
use pitbird_records::{Deployment, GatewayAccount, RestApi, Stage, Texts};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::{ABSENT, Conflict};

mod crash;
mod faults;
mod history;
mod opening;

/// A record of the tests: no snapshot knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    name: String,
    text: String,
}

impl Record for Note {
    const TABLE: &'static str = "note";
    fn key(&self) -> String {
        self.name.clone()
    }
}

fn note(name: &str, text: &str) -> Note {
    Note { name: name.to_owned(), text: text.to_owned() }
}

fn open() -> (TempDir, Store) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("data")).expect("a new store");
    (directory, store)
}

fn reopen(directory: &TempDir) -> Store {
    Store::open(&directory.path().join("data")).expect("the store again")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn put(store: &Store, note: Note) -> Result<u64, Error> {
    block_on(store.write(move |transaction| transaction.put(&note)))
}

fn text(store: &Store, name: &str) -> Option<String> {
    store.get::<Note>(name).expect("a read").map(|found| found.record.text)
}

/// Keeps the writer busy until the answer is dropped or sent to, so that what is queued meanwhile shares one commit.
fn hold(store: &Store) -> std_mpsc::Sender<()> {
    let (release, released) = std_mpsc::channel::<()>();
    let (started, has_started) = std_mpsc::channel();
    let hold = store.write(move |_| {
        let _ = started.send(());
        let _ = released.recv();
        Ok::<_, Error>(())
    });
    poll_once(&mut Box::pin(hold));
    has_started.recv().expect("the writer runs");
    release
}

/// Queues a write and gives back its answer to wait for.
fn queue<T: Send + 'static>(
    store: &Store,
    change: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
) -> impl Future<Output = Result<T, Error>> {
    let store = store.clone();
    let mut write = Box::pin(async move { store.write(change).await });
    poll_once(&mut write);
    write
}

fn poll_once<F: Future + Unpin>(future: &mut F) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(std::pin::Pin::new(future).poll(&mut context), Poll::Pending));
}

#[test]
fn what_was_acknowledged_is_read_at_once_and_after_a_restart() {
    let (directory, store) = open();
    let rev = put(&store, note("a", "1")).unwrap();
    let expected = Versioned { rev, record: note("a", "1") };
    assert_eq!(store.get::<Note>("a").unwrap(), Some(expected.clone()));
    drop(store);
    assert_eq!(reopen(&directory).get::<Note>("a").unwrap(), Some(expected));
}

#[test]
fn a_stale_revision_is_a_conflict_and_changes_nothing() {
    let (_directory, store) = open();
    let first = put(&store, note("a", "1")).unwrap();
    let second = put(&store, note("a", "2")).unwrap();
    assert!(second > first);
    for (name, expected, found) in [("a", first, second), ("a", ABSENT, second), ("b", first, ABSENT)] {
        let record = note(name, "lost");
        let result = block_on(store.write(move |transaction| transaction.put_if(&record, expected)));
        let conflict = Conflict { table: "note", key: name.to_owned(), expected, found };
        assert!(matches!(result, Err(Error::Conflict(said)) if said == conflict));
    }
    assert_eq!((text(&store, "a").as_deref(), text(&store, "b")), (Some("2"), None));
    let third = block_on(store.write(move |transaction| transaction.put_if(&note("a", "3"), second)));
    assert!(third.unwrap() > second);
    block_on(store.write(|transaction| transaction.put_if(&note("b", "1"), ABSENT))).unwrap();
}

#[test]
fn a_revision_never_comes_back() {
    let (directory, store) = open();
    let mut store = Some(store);
    let mut last = 0;
    for _ in 0..3 {
        let open = store.take().unwrap_or_else(|| reopen(&directory));
        let rev = put(&open, note("a", "1")).unwrap();
        assert!(rev > last, "{rev} after {last}");
        last = rev;
        assert!(block_on(open.write(|transaction| transaction.delete::<Note>("a"))).unwrap());
    }
}

#[test]
fn changes_that_wait_share_one_commit_and_fail_alone() {
    let (_directory, store) = open();
    let before = store.snapshot().generation;
    let release = hold(&store);
    let first = queue(&store, |transaction| transaction.put(&note("a", "1")));
    let refused = queue(&store, |transaction| {
        assert!(transaction.exists::<Note>("a")?, "sees the change before it");
        transaction.put(&note("a", "spoilt"))?;
        transaction.put(&note("b", "spoilt"))?;
        transaction.put_if(&note("a", "spoilt"), 1)
    });
    let panicked = queue(&store, |transaction| -> Result<(), Error> {
        transaction.put(&note("a", "spoilt"))?;
        transaction.delete::<Note>("a")?;
        panic!("what a pity");
    });
    let last = queue(&store, |transaction| transaction.put(&note("c", "1")));
    release.send(()).unwrap();
    block_on(first).unwrap();
    assert!(matches!(block_on(refused), Err(Error::Conflict(_))));
    assert!(matches!(block_on(panicked), Err(Error::Panicked(words)) if words == "what a pity"));
    block_on(last).unwrap();
    let all: Vec<_> = store.list::<Note>("").unwrap().into_iter().map(|found| found.record).collect();
    assert_eq!(all, [note("a", "1"), note("c", "1")]);
    // What held the writer wrote nothing; it and the others are two batches at most.
    assert_eq!(store.snapshot().generation, before + 1);
}

#[test]
fn a_change_happens_though_nobody_waits_for_it() {
    let (directory, store) = open();
    let release = hold(&store);
    drop(queue(&store, |transaction| transaction.put(&note("a", "1"))));
    release.send(()).unwrap();
    drop(store);
    assert_eq!(text(&reopen(&directory), "a").as_deref(), Some("1"));
}

#[test]
fn dropping_the_store_on_its_own_writer_is_no_deadlock() {
    let (directory, store) = open();
    let release = hold(&store);
    let (gone, is_gone) = std_mpsc::channel::<()>();
    let inner = store.clone();
    drop(queue(&store, move |_| {
        let _gone = gone;
        drop(inner);
        Ok(())
    }));
    drop(store);
    release.send(()).unwrap();
    assert!(is_gone.recv().is_err(), "the change has run");
    // The writer lets the directory go a moment later.
    let mut attempts = 0;
    while let Err(error) = Store::open(&directory.path().join("data")) {
        assert!(matches!(error, OpenError::Locked { .. }) && attempts < 1_000_000, "{error}");
        attempts += 1;
        thread::yield_now();
    }
}

#[test]
fn reads_list_by_prefix_in_order_and_by_pages() {
    let (_directory, store) = open();
    let names = ["a", "a/1", "a/10", "a/2", "a0", "b/1", "ä/1"];
    block_on(store.write(move |transaction| -> Result<(), Error> {
        names.iter().rev().try_for_each(|name| transaction.put(&note(name, "")).map(drop))?;
        assert_eq!(transaction.count::<Note>("a/")?, 3);
        Ok(())
    }))
    .unwrap();
    let names_of = |found: Vec<Versioned<Note>>| -> Vec<String> {
        found.into_iter().map(|found| found.record.name).collect()
    };
    assert_eq!(names_of(store.list("a/").unwrap()), ["a/1", "a/10", "a/2"]);
    assert_eq!(names_of(store.list("").unwrap()), names);
    assert_eq!(names_of(store.page("a/", None, 2).unwrap()), ["a/1", "a/10"]);
    assert_eq!(names_of(store.page("a/", Some("a/10"), 2).unwrap()), ["a/2"]);
    assert_eq!(names_of(store.page("a/", Some("a"), 1).unwrap()), ["a/1"]);
    assert!(store.page::<Note>("a/", Some("b/1"), 2).unwrap().is_empty());
    assert!(store.page::<Note>("a/", None, 0).unwrap().is_empty());
    assert_eq!(block_on(store.write(|transaction| transaction.delete_all::<Note>("a/"))).unwrap(), 3);
    assert_eq!(names_of(store.list("").unwrap()), ["a", "a0", "b/1", "ä/1"]);
}

#[test]
fn a_record_that_cannot_be_read_back_or_is_too_long_is_refused() {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Number(f64);
    impl Record for Number {
        const TABLE: &'static str = "number";
        fn key(&self) -> String {
            "n".to_owned()
        }
    }
    let (_directory, store) = open();
    let result = block_on(store.write(|transaction| transaction.put(&Number(f64::NAN))));
    assert!(matches!(result, Err(Error::Unreadable { table: "number", .. })));
    let quotes = 2;
    let wrapping = r#"{"name":"a","text":}"#.len() + quotes;
    for (bytes, fits) in [(crate::RECORD_BYTES_MAX, true), (crate::RECORD_BYTES_MAX + 1, false)] {
        let result = put(&store, note("a", &"x".repeat(bytes - wrapping)));
        assert_eq!(result.is_ok(), fits, "{bytes} bytes");
        assert!(fits || matches!(result, Err(Error::TooLarge { bytes: said, .. }) if said == bytes));
    }
}

#[test]
fn readers_see_every_acknowledged_write_while_others_write() {
    let (_directory, store) = open();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    let writer = |writer: usize| {
        let store = store.clone();
        async move {
            let name = format!("counter/{writer}");
            let mut last = ABSENT;
            for n in 0..40 {
                let record = note(&name, &n.to_string());
                let rev = store.write(move |transaction| transaction.put_if(&record, last)).await.unwrap();
                let found = store.get::<Note>(&name).unwrap().expect("just written");
                assert_eq!((found.rev, found.record.text), (rev, n.to_string()));
                assert!(rev > last);
                last = rev;
            }
        }
    };
    let writers: Vec<_> = (0..8).map(|n| runtime.spawn(writer(n))).collect();
    writers.into_iter().for_each(|writer| runtime.block_on(writer).unwrap());
    assert_eq!(store.list::<Note>("counter/").unwrap().len(), 8);
}

#[test]
fn reads_go_on_while_the_writer_is_busy() {
    let (_directory, store) = open();
    put(&store, note("a", "1")).unwrap();
    let release = hold(&store);
    let waiting = queue(&store, |transaction| transaction.put(&note("a", "2")));
    assert_eq!(text(&store, "a").as_deref(), Some("1"));
    release.send(()).unwrap();
    block_on(waiting).unwrap();
    assert_eq!(text(&store, "a").as_deref(), Some("2"));
}

#[test]
fn a_full_queue_makes_writers_wait_and_loses_none() {
    let (_directory, store) = open();
    let release = hold(&store);
    let count = QUEUE_CHANGES + 10;
    let writes: Vec<_> = (0..count)
        .map(|n| queue(&store, move |transaction| transaction.put(&note(&n.to_string(), ""))))
        .collect();
    release.send(()).unwrap();
    block_on(async {
        for write in writes {
            write.await.unwrap();
        }
    });
    assert_eq!(store.list::<Note>("").unwrap().len(), count);
}

fn stage(api: &str, name: &str, description: &str) -> Stage {
    Stage {
        scope: Scope::default(),
        api_id: api.to_owned(),
        name: name.to_owned(),
        deployment_id: "d1".into(),
        description: Some(description.to_owned()),
        created_ms: 0,
        updated_ms: 0,
        variables: Texts::new(),
        canary: None,
        method_settings: BTreeMap::new(),
        access_log: None,
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Texts::new(),
    }
}

fn api(id: &str) -> (RestApi, Deployment) {
    let api = RestApi {
        scope: Scope::default(),
        id: id.to_owned(),
        name: id.to_owned(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: vec![],
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: vec!["EDGE".into()],
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: vec![],
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Texts::new(),
    };
    let deployment = Deployment {
        scope: Scope::default(),
        api_id: id.to_owned(),
        id: "d1".into(),
        description: None,
        created_ms: 0,
        api: api.clone(),
        resources: vec![],
        models: Vec::new(),
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    };
    (api, deployment)
}

fn live_description(snapshot: &Snapshot) -> Option<String> {
    snapshot.stage("api1", "prod")?.record.description.clone()
}

#[test]
fn a_write_returns_when_its_snapshot_is_live() {
    let (directory, store) = open();
    let (api, deployment) = api("api1");
    block_on(store.write(move |transaction| {
        transaction.put(&api)?;
        transaction.put(&deployment)
    }))
    .unwrap();
    let mut watch = store.watch();
    for n in 0..5 {
        let generation = store.snapshot().generation;
        assert_eq!(*watch.borrow_and_update(), generation);
        let record = stage("api1", "prod", &n.to_string());
        block_on(store.write(move |transaction| transaction.put(&record))).unwrap();
        assert_eq!(live_description(&store.snapshot()), Some(n.to_string()));
        assert_eq!(store.snapshot().generation, generation + 1);
        assert!(watch.has_changed().unwrap());
    }
    let key = stage("api1", "prod", "").key();
    let deleted_and_made_anew = stage("api1", "prod", "anew");
    block_on(store.write(move |transaction| {
        transaction.delete::<Stage>(&key)?;
        transaction.put(&deleted_and_made_anew)
    }))
    .unwrap();
    assert_eq!(live_description(&store.snapshot()).as_deref(), Some("anew"));
    drop(store);
    assert_eq!(live_description(&reopen(&directory).snapshot()).as_deref(), Some("anew"));
}

#[test]
fn who_follows_tables_is_told_of_commits_to_them_alone() {
    let (_directory, store) = open();
    let mut notes = store.watch_tables(&[Note::TABLE]);
    let mut either = store.watch_tables(&[Stage::TABLE, Note::TABLE]);
    let told = |watch: &mut watch::Receiver<u64>| {
        let is_told = watch.has_changed().expect("the store is open");
        is_told.then(|| *watch.borrow_and_update())
    };
    assert_eq!((told(&mut notes), told(&mut either)), (None, None));
    block_on(store.write(|transaction| transaction.put(&stage("api1", "prod", "")))).unwrap();
    let generation = store.snapshot().generation;
    assert_eq!((told(&mut notes), told(&mut either)), (None, Some(generation)));
    let refused = block_on(store.write(|transaction| {
        transaction.put(&note("a", ""))?;
        Err::<(), _>(Error::Aborted)
    }));
    assert!(refused.is_err());
    assert_eq!((told(&mut notes), told(&mut either)), (None, None));
    block_on(store.write(|transaction| {
        transaction.put(&stage("api1", "prod", "both"))?;
        transaction.put(&note("a", ""))
    }))
    .unwrap();
    assert_eq!((told(&mut notes), told(&mut either)), (Some(generation + 1), Some(generation + 1)));
    block_on(store.write(|transaction| transaction.delete::<Note>("a"))).unwrap();
    assert_eq!((told(&mut notes), told(&mut either)), (Some(generation + 2), Some(generation + 2)));
    assert_eq!(*store.watch_tables(&[Note::TABLE]).borrow(), generation + 2, "also who comes later");
}

#[test]
fn a_change_that_writes_nothing_makes_no_generation() {
    let (_directory, store) = open();
    let before = store.snapshot().generation;
    block_on(store.write(|transaction| transaction.delete::<Note>("nobody"))).unwrap();
    let refused = block_on(store.write(|transaction| {
        transaction.put(&note("a", ""))?;
        Err::<(), _>(Error::Aborted)
    }));
    assert!(refused.is_err());
    assert_eq!(store.snapshot().generation, before);
}

#[test]
fn generations_and_snapshots_only_go_forward() {
    let (_directory, store) = open();
    let (api, deployment) = api("api1");
    block_on(store.write(move |transaction| {
        transaction.put(&api)?;
        transaction.put(&deployment)
    }))
    .unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let watcher = thread::spawn({
        let (snapshots, is_over) = (store.snapshots().clone(), is_over.clone());
        move || {
            let (mut generation, mut described) = (0, 0);
            while !is_over.load(Ordering::Relaxed) {
                let snapshot = snapshots.load();
                assert!(snapshot.generation >= generation);
                generation = snapshot.generation;
                let now = live_description(&snapshot).map_or(0, |text| text.parse().unwrap());
                assert!(now >= described);
                described = now;
            }
        }
    });
    for n in 0..60 {
        let record = stage("api1", "prod", &n.to_string());
        block_on(store.write(move |transaction| transaction.put(&record))).unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
}

#[test]
fn an_account_of_another_scope_is_another_record() {
    let (_directory, store) = open();
    for account in ["000000000001", "000000000002"] {
        let scope = Scope { account: Account::parse(account).unwrap(), region: Region::default() };
        let record = GatewayAccount { scope, cloudwatch_role_arn: Some(account.to_owned()) };
        block_on(store.write(move |transaction| transaction.put(&record))).unwrap();
    }
    assert_eq!(store.list::<GatewayAccount>("000000000001/").unwrap().len(), 1);
    assert_eq!(store.list::<GatewayAccount>("").unwrap().len(), 2);
}
