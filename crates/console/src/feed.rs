//! Releases as they change. However many pages look, one task per account and region does it for all of them, and only while
//! somebody looks. It asks for the revisions of all releases, and with `GetRollout` for those that have a new one: what has
//! ended is read once.
//!
//! Each change has a number. A page that lost the connection names the last that it saw, and gets what it missed; one that is
//! too far behind, or comes from before a restart, gets everything anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use pitbird_control::Control;
use pitbird_names::Scope;
use pitbird_service::Caller;
use pitbird_wire::Value;
use serde_json::{Map, Value as Json, json};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answer::{self, Answer};
use crate::stream::{Stream, written};
use crate::{call, delta, now_ms};

/// Between two looks. One that took long is followed by a longer rest, so that looking takes a tenth of a core at most.
const LOOK: Duration = Duration::from_millis(250);
const REST_PER_LOOK: u32 = 9;
/// Without a change, a sign of life comes this often.
const BEAT: Duration = Duration::from_secs(2);
/// Changes that are kept for who lost the connection.
const CHANGES_KEPT: usize = 256;
/// Changes that may wait for one listener; who is slower is hung up on, and begins anew.
const WAITING_MAX: usize = 64;
/// Listeners of one account and region.
const LISTENERS_MAX: usize = 64;
/// Accounts and regions that are looked at, at the same time.
const FEEDS_MAX: usize = 16;
/// What is told of a release that has ended; its own page asks for the rest.
const OF_ENDED: &[&str] = &[
    "Name",
    "Target",
    "Canary",
    "Base",
    "Status",
    "StatusReason",
    "ExitCode",
    "Percent",
    "Steps",
    "StartedAt",
    "EndedAt",
];
/// What a page asks for when it wants it: the rest of what is told of a release changes with each look.
const NOT_TOLD: &str = "Records";

/// The names of an account's and region's releases, each with a number that grows whenever it changes.
pub type Revisions = Arc<dyn Fn(&Scope) -> Result<Vec<(String, u64)>, String> + Send + Sync>;

/// The feeds that somebody listens to.
pub struct Feeds {
    control: Arc<Control>,
    revisions: Revisions,
    entropy: fn() -> u128,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    feeds: Mutex<HashMap<Scope, Feed>>,
    tasks: Mutex<(JoinSet<()>, bool)>,
    stopping: Notify,
}

/// One account's and region's releases, as they were at the last look.
#[derive(Default)]
struct Feed {
    /// Tells this feed's numbers from those of another.
    epoch: String,
    number: u64,
    /// `None` before the first look.
    releases: Option<BTreeMap<String, Json>>,
    /// The newest changes with their numbers.
    changes: VecDeque<(u64, Bytes)>,
    listeners: Vec<mpsc::Sender<Bytes>>,
}

impl Feeds {
    pub fn new(control: Arc<Control>, revisions: Revisions, entropy: fn() -> u128) -> Feeds {
        Feeds { control, revisions, entropy, held: Arc::default() }
    }

    /// A stream of a scope's releases, from `last` on if that is known.
    pub fn answer(&self, scope: Scope, last: Option<&str>) -> Response<Answer> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX + CHANGES_KEPT);
        let mut tasks = lock(&self.held.tasks);
        let mut feeds = lock(&self.held.feeds);
        let too_many = !feeds.contains_key(&scope) && feeds.len() >= FEEDS_MAX;
        if tasks.1 || too_many {
            return answer::refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "Feeds",
                "no more streams now; try again",
            );
        }
        let is_new = !feeds.contains_key(&scope);
        let feed = feeds
            .entry(scope.clone())
            .or_insert_with(|| Feed { epoch: format!("{:08x}", (self.entropy)() as u32), ..Feed::default() });
        feed.listeners.retain(|listener| !listener.is_closed());
        if feed.listeners.len() >= LISTENERS_MAX {
            return answer::refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "Listeners",
                "too many pages listen already",
            );
        }
        feed.join(sender, last);
        if is_new {
            while tasks.0.try_join_next().is_some() {}
            let looker = Looker {
                control: self.control.clone(),
                revisions: self.revisions.clone(),
                scope,
                seen: HashMap::new(),
            };
            tasks.0.spawn(run(looker, self.held.clone()));
        }
        answer::events(Stream::Feed(receiver))
    }

    /// Lets go of everybody who listens, and waits for who looks.
    pub async fn stop(&self) {
        let mut tasks = {
            let mut tasks = lock(&self.held.tasks);
            tasks.1 = true;
            std::mem::take(&mut tasks.0)
        };
        self.held.stopping.notify_waiters();
        lock(&self.held.feeds).clear();
        while tasks.join_next().await.is_some() {}
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks as long as somebody listens.
async fn run(mut looker: Looker, held: Arc<Held>) {
    let mut last_told = Instant::now();
    loop {
        let began = Instant::now();
        let found = looker.look().await;
        let took = began.elapsed();
        {
            let mut feeds = lock(&held.feeds);
            let Some(feed) = feeds.get_mut(&looker.scope) else { return };
            let told = match found {
                Ok(found) => feed.take(found, now_ms()),
                Err(words) => feed.tell(&written("trouble", None, &Json::String(words))),
            };
            if told {
                last_told = Instant::now();
            } else if last_told.elapsed() >= BEAT {
                feed.tell(&written("beat", None, &json!({"at": now_ms()})));
                last_told = Instant::now();
            }
            feed.listeners.retain(|listener| !listener.is_closed());
            if feed.listeners.is_empty() {
                feeds.remove(&looker.scope);
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK.max(took * REST_PER_LOOK)) => {}
            () = held.stopping.notified() => return,
        }
    }
}

/// Who looks at the releases of one account and region.
struct Looker {
    control: Arc<Control>,
    revisions: Revisions,
    scope: Scope,
    /// What has been told, in which revision.
    seen: HashMap<String, u64>,
}

/// What has changed since the look before.
#[derive(Debug, Default)]
struct Found {
    releases: BTreeMap<String, Json>,
    gone: BTreeSet<String>,
}

impl Looker {
    /// A look that fails has seen nothing: the next one finds the same again.
    async fn look(&mut self) -> Result<Found, String> {
        let revisions: HashMap<String, u64> = (self.revisions)(&self.scope)?.into_iter().collect();
        let mut found = Found::default();
        let mut seen = revisions.clone();
        for (name, revision) in revisions {
            if self.seen.get(&name) == Some(&revision) {
                continue;
            }
            match self.release(&name).await? {
                Some(release) => drop(found.releases.insert(name, shown(release))),
                // Deleted meanwhile.
                None => drop(seen.remove(&name)),
            }
        }
        found.gone = self.seen.keys().filter(|name| !seen.contains_key(*name)).cloned().collect();
        self.seen = seen;
        Ok(found)
    }

    async fn release(&self, name: &str) -> Result<Option<Json>, String> {
        let input = Value::Map(vec![
            ("Name".into(), Value::String(name.to_owned())),
            ("MaxRecords".into(), Value::Integer(0)),
        ]);
        let caller = Caller::root(self.scope.clone());
        match call::ask(&self.control, caller, ("rollouts", "GetRollout"), input).await {
            Ok(output) => Ok(output.into_output().get("Rollout").map(pitbird_cli::json::from_value)),
            Err(fault) if fault.code == "ResourceNotFoundException" => Ok(None),
            Err(fault) => Err(fault.message),
        }
    }
}

fn shown(rollout: Json) -> Json {
    match rollout {
        Json::Object(mut members) if !rollout_ends(&members) => {
            members.remove(NOT_TOLD);
            Json::Object(members)
        }
        Json::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| OF_ENDED.contains(&name.as_str()));
            Json::Object(kept.collect())
        }
        other => other,
    }
}

fn rollout_ends(members: &Map<String, Json>) -> bool {
    members.get("EndedAt").is_some_and(|at| !at.is_null())
}

impl Feed {
    /// One more listens: he gets what he missed, or everything once it is known.
    fn join(&mut self, listener: mpsc::Sender<Bytes>, last: Option<&str>) {
        let seen = last.and_then(|last| last.split_once('-')).filter(|(epoch, _)| *epoch == self.epoch);
        let seen = seen.and_then(|(_, number)| number.parse::<u64>().ok());
        let oldest = self.changes.front().map_or(self.number + 1, |(number, _)| *number);
        let is_known = seen.filter(|seen| *seen <= self.number && seen + 1 >= oldest);
        let _room_for_all = listener.try_send(Bytes::from_static(b"retry: 1000\n\n"));
        match (is_known, &self.releases) {
            (Some(seen), Some(_)) => {
                for (_, change) in self.changes.iter().filter(|(number, _)| *number > seen) {
                    let _room_for_all = listener.try_send(change.clone());
                }
                let _room_for_all = listener.try_send(written("beat", None, &json!({"at": now_ms()})));
            }
            (_, Some(releases)) => {
                let _room_for_all = listener.try_send(self.everything(releases, now_ms()));
            }
            (_, None) => {}
        }
        self.listeners.push(listener);
    }

    fn everything(&self, releases: &BTreeMap<String, Json>, now_ms: u64) -> Bytes {
        let all: Vec<&Json> = releases.values().collect();
        written("all", Some(&self.id()), &json!({"at": now_ms, "rollouts": all}))
    }

    fn id(&self) -> String {
        format!("{}-{}", self.epoch, self.number)
    }

    /// Takes over what a look has found, and tells what differs. Was there anything?
    fn take(&mut self, found: Found, now_ms: u64) -> bool {
        let Some(releases) = &mut self.releases else {
            self.releases = Some(found.releases);
            let all = self.everything(self.releases.as_ref().expect("just put there"), now_ms);
            return self.tell(&all);
        };
        let mut changed = Map::new();
        for (name, release) in found.releases {
            let change = match releases.get(&name) {
                Some(known) => delta::between(known, &release),
                None => Some(release.clone()),
            };
            releases.insert(name.clone(), release);
            changed.extend(change.map(|change| (name, change)));
        }
        releases.retain(|name, _| !found.gone.contains(name));
        if changed.is_empty() && found.gone.is_empty() {
            return false;
        }
        let data = json!({"at": now_ms, "changed": changed, "gone": found.gone});
        self.number += 1;
        let change = written("change", Some(&self.id()), &data);
        if self.changes.len() >= CHANGES_KEPT {
            self.changes.pop_front();
        }
        self.changes.push_back((self.number, change.clone()));
        self.tell(&change)
    }

    /// Who is too slow is let go: he comes again and names what he saw last.
    fn tell(&mut self, text: &Bytes) -> bool {
        self.listeners.retain(|listener| {
            let is_slow = listener.max_capacity() - listener.capacity() >= WAITING_MAX + CHANGES_KEPT;
            !is_slow && listener.try_send(text.clone()).is_ok()
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(percents: &[(&str, f64)]) -> Found {
        let one =
            |(name, percent): &(&str, f64)| ((*name).to_owned(), json!({"Name": name, "Percent": percent}));
        Found { releases: percents.iter().map(one).collect(), gone: BTreeSet::new() }
    }

    fn feed() -> Feed {
        Feed { epoch: "e".to_owned(), ..Feed::default() }
    }

    fn join(feed: &mut Feed, last: Option<&str>) -> mpsc::Receiver<Bytes> {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX + CHANGES_KEPT);
        feed.join(sender, last);
        assert_eq!(receiver.try_recv().unwrap(), "retry: 1000\n\n");
        receiver
    }

    fn heard(receiver: &mut mpsc::Receiver<Bytes>) -> Vec<String> {
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        std::iter::from_fn(|| receiver.try_recv().ok()).map(text).collect()
    }

    #[test]
    fn a_page_hears_everything_once_and_then_what_changes() {
        let mut feed = feed();
        let mut page = join(&mut feed, None);
        assert!(feed.take(releases(&[("a", 10.0)]), 1));
        assert!(!feed.take(releases(&[("a", 10.0)]), 2), "nothing to tell");
        assert!(feed.take(releases(&[("a", 50.0), ("b", 1.0)]), 3));
        assert!(feed.take(Found { gone: BTreeSet::from(["a".to_owned()]), ..Found::default() }, 4));
        assert_eq!(feed.releases.as_ref().unwrap().keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(
            heard(&mut page),
            [
                "id: e-0\nevent: all\ndata: {\"at\":1,\"rollouts\":[{\"Name\":\"a\",\"Percent\":10.0}]}\n\n",
                "id: e-1\nevent: change\ndata: {\"at\":3,\"changed\":{\"a\":{\"Percent\":50.0},\"b\":{\"Name\":\"b\",\"Percent\":1.0}},\"gone\":[]}\n\n",
                "id: e-2\nevent: change\ndata: {\"at\":4,\"changed\":{},\"gone\":[\"a\"]}\n\n",
            ]
        );
    }

    #[test]
    fn who_comes_again_hears_what_was_missed_or_everything() {
        let mut feed = feed();
        for percent in 0..=CHANGES_KEPT + 10 {
            feed.take(releases(&[("a", percent as f64)]), 0);
        }
        let newest = feed.number;
        let kinds = |last: &str| {
            let mut feed_again = join(&mut feed, Some(last));
            heard(&mut feed_again)
                .iter()
                .map(|text| text.split("event: ").nth(1).unwrap().split('\n').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let mut kinds = kinds;
        assert_eq!(kinds(&format!("e-{newest}")), ["beat"]);
        assert_eq!(kinds(&format!("e-{}", newest - 2)), ["change", "change", "beat"]);
        for unknown in ["e-3", "other-260", "e-99999", "nonsense", ""] {
            assert_eq!(kinds(unknown), ["all"], "{unknown}");
        }
    }

    #[test]
    fn who_doesnt_listen_is_let_go() {
        let mut feed = feed();
        let mut slow = join(&mut feed, None);
        let quick = join(&mut feed, None);
        drop(quick);
        for percent in 0..WAITING_MAX + CHANGES_KEPT + 2 {
            feed.take(releases(&[("a", percent as f64)]), 0);
        }
        assert!(feed.listeners.is_empty());
        assert_eq!(heard(&mut slow).len(), WAITING_MAX + CHANGES_KEPT);
    }

    #[test]
    fn of_what_has_ended_the_list_shows_little() {
        let ended = json!({"Name": "a", "EndedAt": 3.0, "Shifts": [1, 2]});
        assert_eq!(shown(ended), json!({"Name": "a", "EndedAt": 3.0}));
        let running = json!({"Name": "a", "EndedAt": null, "Shifts": [1, 2], "Records": []});
        assert_eq!(shown(running), json!({"Name": "a", "EndedAt": null, "Shifts": [1, 2]}));
    }
}
