//! What a hook is told, and how its answer is read: the same wherever a rollout is driven.

use hmac::{Hmac, KeyInit, Mac};
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{HookPoint, HookWord, Note, Outcome, Plan, Question, State};

/// What is read of an answer, bytes.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What a hook is told, as JSON.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    source: &'static str,
    hook: &'a str,
    when: HookPoint,
    /// The same for every call of a question, also after a crash, and for no other question.
    id: &'a str,
    attempt: u32,
    generation: u64,
    step_percent: Option<f64>,
    percent: f64,
    exit_code: Option<u8>,
    #[serde(flatten)]
    around: Around<'a>,
}

/// What the executor alone knows.
#[derive(Debug, Serialize)]
pub struct Around<'a> {
    /// Epoch milliseconds.
    pub time: u64,
    pub account: Option<&'a str>,
    pub region: &'a str,
    pub rollout: &'a str,
    pub target: String,
    /// Deployments or versions.
    pub base: String,
    pub canary: String,
    pub status: &'a str,
    pub phase: &'a str,
    pub reason: &'a str,
}

impl<'a> Event<'a> {
    /// None for a question of another plan.
    pub fn new(
        plan: &'a Plan,
        state: &State,
        question: &Question,
        id: &'a str,
        around: Around<'a>,
    ) -> Option<Event<'a>> {
        let hook = plan.hooks().get(question.hook)?;
        Some(Event {
            source: "pitbird.rollouts",
            hook: &hook.name,
            when: hook.point,
            id,
            attempt: question.call,
            generation: question.generation,
            step_percent: question.percent.map(Percent::get),
            percent: state.weight().get(),
            exit_code: state.outcome().map(Outcome::exit_code),
            around,
        })
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event is plain data")
    }
}

/// What was said. Of what comes after the end nothing hangs on the words: whoever answered at all has been told.
pub fn read(point: HookPoint, answer: Result<Vec<u8>, String>) -> (HookWord, Note) {
    #[derive(Deserialize)]
    struct Said {
        answer: String,
        reason: Option<String>,
    }
    let failed = |words: &str| (HookWord::Failed, note(words));
    let bytes = match answer {
        Ok(bytes) if bytes.len() > ANSWER_BYTES_MAX => {
            return failed(&format!("its answer has more than {ANSWER_BYTES_MAX} bytes"));
        }
        Ok(bytes) => bytes,
        Err(words) => return failed(&words),
    };
    let said = serde_json::from_slice::<Said>(&bytes);
    if point == HookPoint::AfterRollout {
        return (HookWord::Go, note(said.ok().and_then(|said| said.reason).as_deref().unwrap_or_default()));
    }
    let Ok(Said { answer, reason }) = said else {
        return failed("its answer is no JSON like {\"answer\": \"go\"}");
    };
    let word = match &*answer {
        "go" => HookWord::Go,
        "stop" => HookWord::Stop,
        "not_yet" => HookWord::NotYet,
        _ => return failed("its answer is neither go, stop nor not_yet"),
    };
    (word, note(reason.as_deref().unwrap_or_default()))
}

/// Strangers' words, without what a terminal would obey.
fn note(words: &str) -> Note {
    Note::from(words.replace(char::is_control, " "))
}

/// `http` or `https`, with a host.
pub fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Shows whoever shares a secret that a body comes from here: HMAC-SHA-256 (RFC 2104), `sha256=` and hex digits.
pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_an_hmac() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", "what do ya want for nothing?"), expected);
    }

    #[test]
    fn only_a_clear_word_lets_it_go_on() {
        let said = |text: &str| read(HookPoint::BeforeStep, Ok(text.as_bytes().to_vec()));
        assert_eq!(said(r#"{"answer": "go"}"#), (HookWord::Go, Note::default()));
        assert_eq!(
            said(r#"{"answer": "stop", "reason": "no\u001b[1m", "more": 1}"#),
            (HookWord::Stop, "no [1m".into())
        );
        assert_eq!(said(r#"{"answer": "not_yet", "reason": null}"#), (HookWord::NotYet, Note::default()));
        for text in ["", "null", "\"go\"", "{}", "{\"answer\": \"GO\"}", "{\"answer\": true}", "go", "[]"] {
            assert_eq!(said(text).0, HookWord::Failed, "{text}");
        }
        assert_eq!(read(HookPoint::BeforeStep, Err("gone".into())), (HookWord::Failed, "gone".into()));
        let long = read(HookPoint::BeforeStep, Ok(vec![b' '; ANSWER_BYTES_MAX + 1]));
        assert_eq!(long.1.as_str(), "its answer has more than 65536 bytes");
    }

    #[test]
    fn after_the_end_whoever_answers_has_been_told() {
        for text in ["", "null", "{\"answer\": \"stop\"}"] {
            assert_eq!(read(HookPoint::AfterRollout, Ok(text.into())).0, HookWord::Go, "{text}");
        }
        assert_eq!(read(HookPoint::AfterRollout, Err("gone".into())).0, HookWord::Failed);
    }
}
