//! A process that is killed at any moment: what it acknowledged is there, what it didn't is there entirely or not at all.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

const DIRECTORY: &str = "PITBIRD_STORE_TEST_CRASH";
const ROUNDS: u64 = 25;
const WRITERS: u64 = 4;
const TEST: &str = "store::tests::crash::every_acknowledged_write_survives_a_kill";

#[test]
fn every_acknowledged_write_survives_a_kill() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return write_until_killed(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let seed = RandomState::new();
    let mut acknowledged = [0; WRITERS as usize];
    let mut total = 0;
    for round in 0..ROUNDS {
        let (mut child, mut lines) = start(&data);
        let mut acks = Vec::new();
        // Past the ready line and some acknowledgements, then at once: the child is anywhere in its next commits.
        for _ in 0..1 + seed.hash_one(round) % 40 {
            acks.push(line(&mut lines));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        // The last line may be cut off.
        acks.extend(rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned));
        total += acks.len() - 1;
        for ack in &acks {
            if let Some((writer, n)) = ack.strip_prefix("ack ").and_then(|ack| ack.split_once(' ')) {
                let last: &mut u64 = &mut acknowledged[writer.parse::<usize>().unwrap()];
                *last = (*last).max(n.parse().unwrap());
            }
        }
        let store = Store::open(&data).expect("opens after a kill");
        check(&store, &acknowledged, round);
    }
    assert!(total > ROUNDS as usize, "{total} acknowledged writes");
}

fn start(data: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(DIRECTORY, data)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    while line(&mut lines) != "ready" {}
    (child, lines)
}

fn line(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended by itself");
    line.trim_end().to_owned()
}

/// Four writers at once, each putting its number into a pair of notes, a stage and a blob, and printing it once that is
/// acknowledged.
fn write_until_killed(data: &Path) {
    let store = Store::open(data).expect("a store");
    say("\nready");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|writer| runtime.spawn(write(store.clone(), writer))).collect();
    writers.into_iter().for_each(|writer| runtime.block_on(writer).unwrap());
}

async fn write(store: Store, writer: u64) {
    let last = store.get::<Note>(&format!("{writer}/left")).unwrap();
    let mut n: u64 = last.map_or(0, |found| number(&found.record));
    loop {
        n += 1;
        if n.is_multiple_of(8) {
            store.put_blob(blob(writer, n)).await.unwrap();
        }
        let change = store.write(move |transaction| -> Result<(), Error> {
            let number = n.to_string();
            let (api, deployment) = api(&format!("api{writer}"));
            transaction.put(&note(&format!("{writer}/left"), &number))?;
            transaction.put(&api)?;
            transaction.put(&deployment)?;
            transaction.put(&stage(&api.id, "prod", &number))?;
            transaction.delete::<Stage>(&stage(&api.id, &format!("s{}", n - 1), "").key())?;
            transaction.put(&stage(&api.id, &format!("s{n}"), &number))?;
            transaction.put(&note(&format!("{writer}/right"), &number))?;
            Ok(())
        });
        change.await.unwrap();
        say(&format!("ack {writer} {n}"));
    }
}

/// One write, so that lines of several threads don't mix.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn blob(writer: u64, n: u64) -> Bytes {
    format!("{writer}/{n} ").repeat(2000).into()
}

fn number(note: &Note) -> u64 {
    note.text.parse().unwrap()
}

fn check(store: &Store, acknowledged: &[u64], round: u64) {
    let snapshot = store.snapshot();
    for (writer, acknowledged) in (0..).zip(acknowledged) {
        let side = |side| store.get::<Note>(&format!("{writer}/{side}")).unwrap();
        let (left, right) = (side("left"), side("right"));
        let n = left.as_ref().map_or(0, |found| number(&found.record));
        assert!(n >= *acknowledged, "round {round}: {n}, but {acknowledged} was acknowledged");
        assert_eq!(right.map_or(0, |found| number(&found.record)), n, "round {round}: torn");
        let stages = store.list::<Stage>(&format!("{}/api{writer}/", Scope::default().key())).unwrap();
        assert_eq!(stages.len(), if n == 0 { 0 } else { 2 }, "round {round}");
        let live = snapshot.api(&format!("api{writer}")).map_or(0, |api| api.stages.len());
        assert_eq!(live, stages.len());
        for Versioned { rev, record } in stages {
            assert_eq!(record.description, Some(n.to_string()));
            let live = snapshot.stage(&record.api_id, &record.name).expect("live");
            assert_eq!((live.rev, &live.record), (rev, &record), "the snapshot is what the records say");
        }
        for n in (8..=*acknowledged).step_by(8) {
            use sha2::{Digest, Sha256};
            let name: String =
                Sha256::digest(blob(writer, n)).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(store.blob(&name).unwrap(), blob(writer, n));
        }
    }
}
