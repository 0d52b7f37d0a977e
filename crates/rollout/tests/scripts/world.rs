use std::collections::BTreeMap;

use pitbird_analysis::{Arm, Bucket, Pairs, RouteBucket, Slow, Timed};
use pitbird_names::Percent;
use pitbird_rollout::{
    Action, Alarm, AlarmState, Check, Command, Evidence, Guardrails, Hook, HookAnswer, HookPoint, HookWord,
    Judged, Latency, LatencyCeiling, Note, Observed, ObservedCeiling, ObservedLatency, ObservedRoute,
    Patience, Phase, Plan, Ramp, RampStep, Record, Rules, State, Step, Target, TargetKind, Turn, Whom,
    applied, begin, next, refused, replay,
};

/// The rollout begins at an hour that shows where relative and absolute times are mixed up.
const BEGAN_MS: u64 = 1_700_000_000_000;

#[derive(Clone, Copy, PartialEq)]
pub enum Faults {
    None,
    CrashAlways,
}

/// A target, its traffic, an executor, and what they have said.
pub struct World {
    faults: Faults,
    now_ms: u64,
    plan: Option<Plan>,
    history: Arm,
    state: Option<State>,
    records: Vec<Record>,
    said: Vec<String>,
    last_kind: String,
    target: TargetMood,
    /// What the target really does.
    weight: Percent,
    generation: u64,
    traffic: Traffic,
    evidence: Evidence,
    commands: Vec<Command>,
    last_command: Option<Command>,
    numbers: u64,
    /// How hooks answer; one that isn't here doesn't.
    hooks: BTreeMap<String, (HookWord, Note)>,
}

enum TargetMood {
    Ready,
    Busy,
    Refusing(String),
}

/// Requests and errors per second, with what was left over from the last second.
#[derive(Default)]
struct Traffic {
    per_second: f64,
    canary_errors: f64,
    base_errors: f64,
    left: [f64; 4],
    /// Of the canary's warm requests, how many are above the base's p50; the base's half is. Without it nobody measures.
    slow: Option<f64>,
    /// Of each arm's warm requests, how many take longer than the first guardrail on latency allows: canary's, base's.
    over: Option<(f64, f64)>,
    /// Share of the traffic that a route has, all of which fails on the canary.
    dead: Option<(String, f64)>,
    /// Requests a second that both arms answer, those of them that fail on the canary alone, and on the base alone.
    pairs: [f64; 3],
    pairs_left: [f64; 3],
}

impl World {
    pub fn new(faults: Faults) -> World {
        World {
            faults,
            now_ms: BEGAN_MS,
            plan: None,
            history: Arm::default(),
            state: None,
            records: Vec::new(),
            said: Vec::new(),
            last_kind: String::new(),
            target: TargetMood::Ready,
            weight: Percent::default(),
            generation: 0,
            traffic: Traffic::default(),
            evidence: Evidence::default(),
            commands: Vec::new(),
            last_command: None,
            numbers: 0,
            hooks: BTreeMap::new(),
        }
    }

    /// Obeys one line; returns what was said meanwhile.
    pub fn order(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let rest = |count: usize| words[count..].join(" ");
        match words[0] {
            "plan" => self.begin(&words[1..]),
            "history" => self.history = arm(words[1]),
            "traffic" => self.traffic = traffic(&words[1..]),
            "slow" => self.traffic.slow = Some(number(words[1], "%") / 100.0),
            "pairs" => {
                let (of, rate) = (number(words[1], "/s"), |word: &str| number(word, "%") / 100.0);
                self.traffic.pairs = [of, of * rate(words[3]), of * rate(words[5])];
            }
            "dead" => self.traffic.dead = Some((words[1].into(), number(words[2], "%") / 100.0)),
            "over" => {
                let rate = |word: &str| number(word, "%") / 100.0;
                self.traffic.over = Some((rate(words[2]), rate(words[4])));
            }
            "blind" => self.evidence.is_blind = words[1] == "on",
            "hook" => {
                self.hooks.remove(words[1]);
                let word = word(words[2]).map(|word| (word, Note::from(rest(3))));
                self.hooks.extend(word.map(|word| (words[1].to_owned(), word)));
            }
            "clients" => self.evidence.failing_clients = Some(words[1].parse().unwrap()),
            "target" => self.target = mood(words[1], rest(2)),
            "alarm" => self.alarm(words[1], words[2]),
            "check" => {
                self.evidence.checks.push(Check { name: words[1].into(), passed: words[2] == "passed" })
            }
            "environments" => self.evidence.failing_environments = Some(words[1].parse().unwrap()),
            "send" => {
                let bucket = Bucket { canary: arm(words[2]), base: arm(words[3]) };
                self.evidence.buckets.push(Observed { percent: percent(words[1]), bucket });
            }
            "pause" => self.command(Action::Pause),
            "resume" => self.command(Action::Resume),
            "abort" => self.command(Action::Abort),
            "promote" => self.command(Action::Promote { reason: rest(1).into() }),
            "again" => self.commands.extend(self.last_command.clone()),
            "applied" => self.applied(words[1].parse().unwrap()),
            "refused" => self.refused(words[1].parse().unwrap(), rest(2)),
            "run" => (0..ms(words[1]) / 1000).for_each(|_| self.second()),
            other => panic!("no order {other}"),
        }
        std::mem::take(&mut self.said)
    }

    /// The records must lead to the state, to the byte.
    pub fn check_replay(&self) {
        let (plan, state) = (self.plan(), self.state());
        let text: Vec<String> =
            self.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let read: Vec<Record> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let replayed = replay(plan, &read).expect("records replay");
        assert_eq!(serde_json::to_string(&replayed).unwrap(), serde_json::to_string(state).unwrap());
        let again: Vec<String> = read.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        assert_eq!(again, text);
    }

    fn begin(&mut self, words: &[&str]) {
        if self.state.is_some() {
            self.check_replay();
        }
        // A new rollout on a target as it was; what was said about alarms and checks stays.
        (self.now_ms, self.weight, self.generation, self.numbers) = (BEGAN_MS, Percent::default(), 0, 0);
        self.target = TargetMood::Ready;
        self.records.clear();
        self.last_kind.clear();
        let plan = plan(words);
        let turn = begin(&plan, self.history, self.now_ms);
        self.plan = Some(plan);
        self.take(turn);
    }

    /// One look's worth of time: the step under way, then what was seen during it.
    fn second(&mut self) {
        self.act();
        self.now_ms += 1000;
        let seen = self.traffic.second(self.weight);
        self.evidence.latency.extend(seen.and_then(|seen| self.traffic.timed(seen)));
        self.evidence.routes.extend(seen.and_then(|seen| self.traffic.route(seen)));
        self.evidence.ceilings.extend(seen.and_then(|seen| self.traffic.ceiling(seen)));
        self.evidence.buckets.extend(seen);
        self.evidence.pairs = self.traffic.answered_twice();
        self.evidence.hooks = self.ask();
        let (evidence, commands) = (self.evidence.clone(), std::mem::take(&mut self.commands));
        self.evidence.buckets.clear();
        self.evidence.latency.clear();
        self.evidence.routes.clear();
        self.evidence.ceilings.clear();
        let turn = next(self.plan(), self.state(), &evidence, &commands, self.now_ms);
        self.take(turn);
    }

    /// Asks the hook that is to be asked, as an executor does.
    fn ask(&mut self) -> Vec<HookAnswer> {
        let Some(question) = self.state().question().filter(|question| self.now_ms >= question.due_ms) else {
            return Vec::new();
        };
        let (number, call) = (question.number, question.call);
        let percent = question.percent.map(|percent| format!(" at {} %", percent.get())).unwrap_or_default();
        let name = self.plan().hooks()[question.hook].name.clone();
        let since = (self.now_ms - BEGAN_MS) as f64 / 1e3;
        let Some((word, words)) = self.hooks.get(&name).cloned() else { return Vec::new() };
        self.said.push(format!("{since} s: asks {name}{percent}, question {number}, call {call}"));
        // The answer to a call before comes once more, and changes nothing.
        let late =
            HookAnswer { number, call: call.wrapping_sub(1), word: HookWord::Stop, words: Note::default() };
        vec![late, HookAnswer { number, call, word, words }]
    }

    /// Does the step under way, as an executor does.
    fn act(&mut self) {
        let Some(generation) = self.target_does() else { return };
        match &self.target {
            TargetMood::Busy => {}
            TargetMood::Refusing(words) => self.refused(generation, words.clone()),
            TargetMood::Ready => self.applied(generation),
        }
    }

    /// What the target makes of the step under way; its generation, if it is one for the target.
    fn target_does(&mut self) -> Option<u64> {
        let (weight, generation) = match self.state().step(self.plan()) {
            Step::ShiftTo { percent, generation } => (percent, generation),
            Step::RollBack { generation, .. } => (Percent::default(), generation),
            Step::Promote { generation } => (Percent::new(100.0).unwrap(), generation),
            Step::WaitUntil { .. } | Step::Finished { .. } => return None,
        };
        if matches!(self.target, TargetMood::Ready) {
            assert!(generation >= self.generation, "generation {generation} after {}", self.generation);
            (self.weight, self.generation) = (weight, generation);
        }
        Some(generation)
    }

    fn applied(&mut self, generation: u64) {
        let turn = applied(self.plan(), self.state(), generation, self.now_ms);
        self.take(turn);
    }

    fn refused(&mut self, generation: u64, words: String) {
        let turn = refused(self.plan(), self.state(), generation, words.into(), self.now_ms);
        self.take(turn);
    }

    /// Writes down what came of an input and says it, unless it is more of the same.
    fn take(&mut self, turn: Turn) {
        assert_eq!(turn.step, turn.state.step(self.plan()));
        self.state = Some(turn.state);
        if let Some(record) = turn.record {
            let reason = serde_json::to_value(&record.reason).unwrap();
            let kind =
                reason.as_str().map(str::to_owned).or_else(|| reason.as_object()?.keys().next().cloned());
            let kind = kind.expect("a reason has a kind");
            if kind != self.last_kind {
                self.said.push(self.sentence(&record));
            }
            self.last_kind = kind;
            self.records.push(record);
        }
        if self.faults == Faults::CrashAlways {
            self.crash();
        }
    }

    /// The executor dies and comes back: it knows what was written, and cannot know whether the step was done.
    fn crash(&mut self) {
        let text = serde_json::to_string(self.state()).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(read.belongs_to(self.plan()));
        self.state = Some(read);
        self.target_does();
        // Told of again, what is done already changes nothing.
        let state = self.state();
        if matches!(state.phase(), Phase::Watching { .. } | Phase::Ended { .. }) {
            let turn = applied(self.plan(), state, state.generation(), self.now_ms);
            assert!(turn.record.is_none() && turn.state == *state);
        }
    }

    fn sentence(&self, record: &Record) -> String {
        let since = (record.at_ms - BEGAN_MS) as f64 / 1e3;
        let begin = BEGAN_MS.to_string();
        let mut reason = record.reason.to_string();
        if let Some(at) = reason.find(&begin[..6]) {
            let at_ms: u64 = reason[at..].parse().unwrap();
            reason = format!("{}{} s", &reason[..at], (at_ms - BEGAN_MS) as f64 / 1e3);
        }
        let ignored = match &record.commands_ignored[..] {
            [] => String::new(),
            numbers => format!(" (commands without effect: {numbers:?})"),
        };
        format!("{since} s: {reason}{ignored}")
    }

    fn command(&mut self, action: Action) {
        self.numbers += 1;
        let command = Command { number: self.numbers, by: Note::from("ann"), action };
        self.last_command = Some(command.clone());
        self.commands.push(command);
    }

    fn alarm(&mut self, name: &str, state: &str) {
        self.evidence.alarms.retain(|alarm| alarm.name != name);
        if state != "silent" {
            let state: AlarmState = serde_json::from_value(state.into()).expect("a state of an alarm");
            self.evidence.alarms.push(Alarm { name: name.into(), state });
        }
    }

    fn plan(&self) -> &Plan {
        self.plan.as_ref().expect("a plan comes first")
    }

    fn state(&self) -> &State {
        self.state.as_ref().expect("a plan comes first")
    }
}

impl Traffic {
    fn second(&mut self, weight: Percent) -> Option<Observed> {
        if self.per_second == 0.0 {
            return None;
        }
        let share = weight.get() / 100.0;
        let amounts = [self.per_second * share, self.per_second * (1.0 - share)];
        let mut whole = |i: usize, amount: f64| {
            let sum = self.left[i] + amount;
            self.left[i] = sum - sum.floor();
            sum.floor() as u64
        };
        let (canary, base) = (whole(0, amounts[0]), whole(1, amounts[1]));
        let canary_errors = whole(2, canary as f64 * self.canary_errors).min(canary);
        let base_errors = whole(3, base as f64 * self.base_errors).min(base);
        let bucket = Bucket::new(canary, canary_errors, base, base_errors).unwrap();
        Some(Observed { percent: weight, bucket })
    }
}

impl Traffic {
    /// Tails as on the base.
    fn timed(&self, seen: Observed) -> Option<ObservedLatency> {
        let slow = |requests: u64, share: f64| {
            let above = (requests as f64 * share).round() as u64;
            Slow::new(requests, [above, requests / 10, requests / 100, 0]).unwrap()
        };
        let Bucket { canary, base } = seen.bucket;
        let timed = Timed { canary: slow(canary.requests(), self.slow?), base: slow(base.requests(), 0.5) };
        Some(ObservedLatency { percent: seen.percent, timed })
    }

    fn ceiling(&self, seen: Observed) -> Option<ObservedCeiling> {
        let (canary, base) = self.over?;
        let part = |arm: Arm, share: f64| {
            Arm::new(arm.requests(), (arm.requests() as f64 * share).round() as u64).unwrap()
        };
        let Observed { bucket, .. } = seen;
        let bucket = Bucket { canary: part(bucket.canary, canary), base: part(bucket.base, base) };
        Some(ObservedCeiling { ceiling: 0, bucket })
    }

    fn answered_twice(&mut self) -> Pairs {
        let mut whole = [0; 3];
        for ((whole, left), of) in whole.iter_mut().zip(&mut self.pairs_left).zip(self.pairs) {
            let sum = *left + of;
            (*whole, *left) = (sum as u64, sum - sum.floor());
        }
        let [pairs, canary_alone, base_alone] = whole;
        Pairs { pairs, canary_alone, base_alone }
    }

    fn route(&self, seen: Observed) -> Option<ObservedRoute> {
        let (route, share) = self.dead.clone()?;
        let part = |requests: u64| (requests as f64 * share).ceil() as u64;
        let (canary, base) = (part(seen.bucket.canary.requests()), part(seen.bucket.base.requests()));
        let errors = Bucket::new(canary, canary, base, 0).unwrap();
        let bucket = RouteBucket { errors, ..RouteBucket::default() };
        Some(ObservedRoute { percent: seen.percent, route, bucket })
    }
}

fn word(word: &str) -> Option<HookWord> {
    match word {
        "go" => Some(HookWord::Go),
        "stop" => Some(HookWord::Stop),
        "not_yet" => Some(HookWord::NotYet),
        "failed" => Some(HookWord::Failed),
        "silent" => None,
        other => panic!("no answer {other}"),
    }
}

/// `smoke@before_step@50%`.
fn hook(text: &str) -> Hook {
    let parts: Vec<&str> = text.split('@').collect();
    let point: HookPoint = serde_json::from_value(parts[1].into()).unwrap();
    Hook {
        name: parts[0].into(),
        point,
        percent: parts.get(2).map(|text| percent(text)),
        whom: Whom::Function(parts[0].into()),
        patience: Patience { attempts: 2, interval_ms: 3_000, wait_ms: 30_000, ..Patience::default() },
    }
}

fn mood(word: &str, words: String) -> TargetMood {
    match word {
        "ready" => TargetMood::Ready,
        "busy" => TargetMood::Busy,
        "refusing" => TargetMood::Refusing(words),
        other => panic!("no mood {other}"),
    }
}

fn plan(words: &[&str]) -> Plan {
    let (mut steps, mut rules) = (Vec::new(), Rules::default());
    let (mut ramp, mut judged, mut guardrails) = (None, Judged::default(), Guardrails::default());
    let mut hooks = Vec::new();
    for word in words {
        if let Some((share, wait)) = word.split_once(':') {
            let (wait, gate) = wait.strip_suffix('!').map_or((wait, false), |wait| (wait, true));
            steps.push(RampStep { percent: percent(share), wait_ms: ms(wait), gate });
            continue;
        }
        match *word {
            "ramp" => {
                ramp = Some(Ramp::default());
                continue;
            }
            "pairs" => {
                judged.pairs = true;
                continue;
            }
            "latency" => {
                judged.latency = Some(Latency::default());
                continue;
            }
            _ => {}
        }
        let (name, value) = word.split_once('=').expect("a step or a rule");
        let names = || value.split(',').map(str::to_owned).collect();
        match name {
            "hook" => hooks.push(hook(value)),
            "margin" => rules.margin = number(value, "pp") / 100.0,
            "requests" => rules.canary_requests_min = value.parse().unwrap(),
            "gate" => rules.gate_timeout_ms = ms(value),
            "longest" => rules.max_duration_ms = ms(value),
            "deadline" => rules.deadline_ms = ms(value),
            "alarms" => rules.alarms = names(),
            "checks" => rules.checks = names(),
            "routes" => judged.routes = names(),
            "warm" => judged.latency = Some(Latency { warm_up_ms: ms(value), ..Latency::default() }),
            "failing" => guardrails.error_rate = Some(number(value, "%") / 100.0),
            "p99" => guardrails.latency.push(LatencyCeiling { quantile: 0.99, above_ms: ms(value) }),
            other => panic!("no rule {other}"),
        }
    }
    let target = Target { kind: TargetKind::StageCanary, description: "the story's".into() };
    let plan = Plan::new(target, steps, rules).and_then(|plan| plan.with(ramp, judged));
    plan.and_then(|plan| plan.guarded(guardrails)?.hooked(hooks)).unwrap()
}

fn traffic(words: &[&str]) -> Traffic {
    let rate = |text| number(text, "%") / 100.0;
    match words {
        ["none"] => Traffic::default(),
        [per_second, "canary", canary, "base", base] => Traffic {
            per_second: number(per_second, "/s"),
            canary_errors: rate(canary),
            base_errors: rate(base),
            ..Traffic::default()
        },
        other => panic!("no traffic {other:?}"),
    }
}

/// `requests/errors`.
fn arm(text: &str) -> Arm {
    let (requests, errors) = text.split_once('/').expect("requests/errors");
    Arm::new(requests.parse().unwrap(), errors.parse().unwrap()).unwrap()
}

fn percent(text: &str) -> Percent {
    Percent::new(number(text, "%")).unwrap()
}

fn ms(text: &str) -> u64 {
    (number(text, "s") * 1e3) as u64
}

fn number(text: &str, unit: &str) -> f64 {
    text.strip_suffix(unit)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("{text} in {unit}"))
}
