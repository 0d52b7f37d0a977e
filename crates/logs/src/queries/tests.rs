use super::*;

fn entry(number: usize, status: Status, bytes: usize) -> Entry {
    Entry {
        scope: Scope::default(),
        id: number.to_string(),
        text: String::new(),
        groups: Vec::new(),
        principal: String::new(),
        created_ms: 0,
        duration_ms: None,
        status,
        progress: Arc::default(),
        answer: None,
        matched: 0,
        bytes,
    }
}

#[test]
fn an_account_runs_thirty_at_once() {
    let queries = Queries::default();
    for number in 0..RUNNING_MAX {
        queries.add(entry(number, Status::Running, 0)).expect("room");
    }
    let refused = queries.add(entry(RUNNING_MAX, Status::Scheduled, 0));
    assert!(matches!(refused, Err(Error::TooManyQueries { limit: RUNNING_MAX })));
    queries.cancel(&Scope::default(), "7").expect("it runs");
    assert!(queries.add(entry(RUNNING_MAX, Status::Scheduled, 0)).is_ok());
    let other = Scope {
        account: pitbird_names::Account::parse("111111111111").expect("an account"),
        ..Scope::default()
    };
    assert!(queries.add(Entry { scope: other, ..entry(0, Status::Scheduled, 0) }).is_ok());
}

#[test]
fn the_oldest_results_go_first() {
    let queries = Queries::default();
    let running = queries.add(entry(0, Status::Running, 0)).expect("room");
    for number in 1..=KEPT_MAX + 5 {
        queries.add(entry(number, Status::Complete, 0)).expect("room");
    }
    let ids: Vec<String> = queries.list(&Scope::default(), 1).into_iter().map(|entry| entry.id).collect();
    assert_eq!((ids.len(), ids[KEPT_MAX - 1].as_str(), ids[KEPT_MAX].as_str()), (KEPT_MAX + 1, "6", "0"));

    queries.add(entry(9001, Status::Complete, KEPT_BYTES_MAX)).expect("room");
    queries.add(entry(9002, Status::Complete, 1)).expect("room");
    let ids: Vec<String> = queries.list(&Scope::default(), 1).into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["9002", "0"]);
    queries.change(running, |entry| entry.status = Status::Complete);
    assert!(queries.list(&Scope::default(), KEPT_MS + 1).is_empty());
}
