//! How much of the engine's own commit rate a durable write keeps: the same insert, alternately by a plain loop over
//! SQLite (WAL, synchronous=FULL) and through [`Store::write`], by one writer and by many at once.
//!
//! `cargo run --release -p pitbird-store --example commit_rate [directory]`

use std::path::{Path, PathBuf};
use std::time::Instant;

use pitbird_names::{Account, Region, Scope};
use pitbird_records::{Alias, FunctionVersion, GatewayAccount, Record};
use pitbird_store::{Error, Store};
use rusqlite::{Connection, params};

const ROUNDS: usize = 40;
const COMMITS: usize = 100;
const WRITERS: usize = 32;

const WHAT: [&str; 4] = [
    "engine, one writer",
    "store, one writer, record without snapshot",
    "store, one writer, record compiled into the snapshot",
    "store, 32 writers at once",
];

/// Prints the median rates, and the medians of each round's ratio to the engine's rate in the same round.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("commit-rate-{}", std::process::id()));
    let store = Store::open(&directory.join("store"))?;
    let plain = plain(&directory.join("plain.db"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(put(store.clone(), alias_target()?))?;

    let mut rates = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        rates[0].push(rate(COMMITS, || plain_commits(&plain, round)));
        rates[1].push(rate(COMMITS, || runtime.block_on(one_writer(store.clone(), round, account))));
        rates[2].push(rate(COMMITS, || runtime.block_on(one_writer(store.clone(), round, alias))));
        rates[3].push(rate(COMMITS * WRITERS, || runtime.block_on(many_writers(&store, round))));
    }
    let engine = rates[0].clone();
    for (what, rates) in WHAT.iter().zip(rates) {
        let ratios = rates.iter().zip(&engine).map(|(rate, engine)| rate / engine).collect();
        report(what, median(rates), median(ratios));
    }
    drop(store);
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the measurement is what this program says")]
fn report(what: &str, rate: f64, ratio: f64) {
    println!("{what:<55} {rate:>9.0} commits/s   ratio {ratio:.2}");
}

fn rate(commits: usize, work: impl FnOnce() -> Result<(), Error>) -> f64 {
    let start = Instant::now();
    work().expect("the disk works");
    commits as f64 / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The engine as the store sets it up, without the store.
fn plain(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE records (tbl TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, value TEXT NOT NULL,
         PRIMARY KEY (tbl, key)) WITHOUT ROWID",
    )?;
    Ok(connection)
}

fn plain_commits(connection: &Connection, round: usize) -> Result<(), Error> {
    let mut insert =
        connection.prepare("INSERT INTO records (tbl, key, rev, value) VALUES (?1, ?2, ?3, ?4)")?;
    for n in 0..COMMITS {
        let record = account(round, n);
        let text = serde_json::to_string(&record).expect("records serialise");
        insert.execute(params![GatewayAccount::TABLE, record.key(), n as i64, text])?;
    }
    Ok(())
}

async fn put<R: Record>(store: Store, record: R) -> Result<(), Error> {
    store.write(move |transaction| transaction.put(&record).map(drop)).await
}

async fn one_writer<R: Record>(
    store: Store,
    round: usize,
    record: fn(usize, usize) -> R,
) -> Result<(), Error> {
    // On a worker of the runtime, as a call would be.
    let writes = async move {
        for n in 0..COMMITS {
            put(store.clone(), record(round, n)).await?;
        }
        Ok(())
    };
    tokio::spawn(writes).await.expect("the writes don't panic")
}

async fn many_writers(store: &Store, round: usize) -> Result<(), Error> {
    let start = |writer| tokio::spawn(one_writer(store.clone(), 1000 + writer * ROUNDS + round, account));
    let writers: Vec<_> = (0..WRITERS).map(start).collect();
    for writer in writers {
        writer.await.expect("the writes don't panic")?;
    }
    Ok(())
}

/// A record that no snapshot knows, under a new key each time.
fn account(round: usize, n: usize) -> GatewayAccount {
    let account = Account::parse(&format!("{round:06}{n:06}")).expect("twelve digits");
    let role = format!("arn:aws:iam::{account}:role/writes-the-execution-logs-of-every-stage");
    GatewayAccount { scope: Scope { account, region: Region::default() }, cloudwatch_role_arn: Some(role) }
}

/// One alias, moved back and forth as a rollout does: its function is compiled anew at each commit.
fn alias(_: usize, n: usize) -> Alias {
    let alias = serde_json::json!({
        "scope": Scope::default(), "function": "f", "name": "live", "version": "$LATEST", "description": "",
        "revision_id": n.to_string(), "additional": null,
    });
    serde_json::from_value(alias).expect("an alias")
}

fn alias_target() -> serde_json::Result<FunctionVersion> {
    serde_json::from_value(serde_json::json!({
        "scope": Scope::default(), "name": "f", "version": "$LATEST", "settings": {
            "runtime": "provided.al2023", "handler": null, "role": "arn:aws:iam::000000000000:role/r",
            "description": "", "timeout_s": 3, "memory_mib": 128, "tmp_mib": 512, "environment": null,
            "architecture": "x86_64", "tracing_mode": "PassThrough", "logging": {
                "group": "/aws/lambda/f", "format": "Text", "application_level": null, "system_level": null },
        },
        "code": { "sha256_hex": "00", "size_bytes": 1 }, "revision_id": "r", "modified_ms": 0,
        "state": "Active", "last_update": "Successful", "function": null,
    }))
}
