//! Random histories against a map in memory.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u16),
    PutIfCurrent(u8, u16),
    PutIfStale(u8),
    Delete(u8),
    DeleteAll(u8),
    PutThenFail(u8),
    PutThenPanic(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_u8, any::<u16>()).prop_map(|(name, text)| Step::Put(name, text)),
        3 => (0..12_u8, any::<u16>()).prop_map(|(name, text)| Step::PutIfCurrent(name, text)),
        2 => (0..12_u8).prop_map(Step::PutIfStale),
        3 => (0..12_u8).prop_map(Step::Delete),
        1 => (0..3_u8).prop_map(Step::DeleteAll),
        2 => (0..12_u8).prop_map(Step::PutThenFail),
        1 => (0..12_u8).prop_map(Step::PutThenPanic),
        1 => Just(Step::Reopen),
    ]
}

type Model = BTreeMap<String, (u64, String)>;

fn name(n: u8) -> String {
    format!("{}/{}", n % 3, n)
}

fn apply(store: &Store, model: &mut Model, step: Step) {
    match step {
        Step::Put(n, value) => {
            let rev = put(store, note(&name(n), &value.to_string())).unwrap();
            model.insert(name(n), (rev, value.to_string()));
        }
        Step::PutIfCurrent(n, value) => {
            let record = note(&name(n), &value.to_string());
            let current = model.get(&name(n)).map_or(ABSENT, |(rev, _)| *rev);
            let rev = block_on(store.write(move |transaction| transaction.put_if(&record, current))).unwrap();
            assert!(rev > current);
            model.insert(name(n), (rev, value.to_string()));
        }
        Step::PutIfStale(n) => {
            let stale = model.get(&name(n)).map_or(7, |(rev, _)| rev - 1);
            let record = note(&name(n), "stale");
            let result = block_on(store.write(move |transaction| transaction.put_if(&record, stale)));
            assert!(matches!(result, Err(Error::Conflict(_))));
        }
        Step::Delete(n) => {
            let key = name(n);
            let was_there =
                block_on(store.write(move |transaction| transaction.delete::<Note>(&key))).unwrap();
            assert_eq!(was_there, model.remove(&name(n)).is_some());
        }
        Step::DeleteAll(n) => {
            let prefix = format!("{n}/");
            let below = prefix.clone();
            let deleted = block_on(store.write(move |transaction| transaction.delete_all::<Note>(&below)));
            let before = model.len();
            model.retain(|key, _| !key.starts_with(&prefix));
            assert_eq!(deleted.unwrap(), before - model.len());
        }
        Step::PutThenFail(n) => {
            let record = note(&name(n), "failed");
            let result = block_on(store.write(move |transaction| {
                transaction.put(&record)?;
                Err::<(), _>(Error::Aborted)
            }));
            assert!(matches!(result, Err(Error::Aborted)));
        }
        Step::PutThenPanic(n) => {
            let key = name(n);
            let result = block_on(store.write(move |transaction| -> Result<(), Error> {
                transaction.delete::<Note>(&key)?;
                std::panic::resume_unwind(Box::new("quietly"));
            }));
            assert!(matches!(result, Err(Error::Panicked(_))));
        }
        Step::Reopen => unreachable!("the caller reopens"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_what_a_map_would_hold(steps in proptest::collection::vec(step(), 1..50)) {
        let (directory, first) = open();
        let mut store = Some(first);
        let mut model = Model::new();
        for step in steps {
            if let Step::Reopen = step {
                drop(store.take());
                store = Some(reopen(&directory));
            } else {
                apply(store.as_ref().unwrap(), &mut model, step);
            }
            let found: Model = store.as_ref().unwrap().list::<Note>("").unwrap().into_iter()
                .map(|found| (found.record.name, (found.rev, found.record.text))).collect();
            prop_assert_eq!(&found, &model);
        }
    }
}
