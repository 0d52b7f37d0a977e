use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use pitbird_wire::{FromValueError, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Call, Fault};
#[cfg(any(test, feature = "members"))]
use crate::{Member, members};

/// Paths of members that an operation may leave unheeded without telling a lie, such as `TracingConfig` or
/// `Tags.member`; a path covers all below it.
pub type Harmless = &'static [&'static str];

/// Makes a fault of a member's path.
type Refuse = fn(&str) -> Fault;
type Later<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;
type Run<T> = Box<dyn Fn(Call<Value>) -> Later<T> + Send + Sync>;

/// What an operation answers.
pub enum Answer {
    Whole(Value),
    /// The output's other members, and then its events as they come.
    Events(Value, Events),
}

impl Answer {
    /// The output without its events.
    pub fn into_output(self) -> Value {
        match self {
            Answer::Whole(output) | Answer::Events(output, _) => output,
        }
    }
}

/// An output's events; a fault ends them before their end.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Fault>> + Send>>;

/// One event of an output's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its member in the model: `PayloadChunk`.
    pub name: &'static str,
    pub value: Value,
}

impl Event {
    pub fn new<T: Serialize>(name: &'static str, value: &T) -> Result<Event, Fault> {
        Ok(Event { name, value: pitbird_wire::to_value(value).map_err(Fault::internal)? })
    }
}

/// A service with its operations.
pub struct Service {
    /// The name of its model: `lambda`, `apigateway`.
    pub model: &'static str,
    operations: BTreeMap<&'static str, Operation>,
}

struct Operation {
    run: Run<Answer>,
    #[cfg(any(test, feature = "members"))]
    input: fn() -> Vec<Member>,
}

impl Service {
    /// Runs an operation; `None` when it isn't written yet.
    pub fn call(&self, operation: &str, call: Call<Value>) -> Option<Later<Answer>> {
        Some((self.operations.get(operation)?.run)(call))
    }

    /// The operations that are written, in the order of their names.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }

    /// With the feature `members`: the members that an operation's input has, so that a test can hold them against the model.
    #[cfg(any(test, feature = "members"))]
    pub fn input_members(&self, operation: &str) -> Option<Vec<Member>> {
        Some((self.operations.get(operation)?.input)())
    }
}

/// Hangs operations into a service around its state.
pub struct Builder<S> {
    model: &'static str,
    state: Arc<S>,
    operations: BTreeMap<&'static str, Operation>,
    refuse: Refuse,
}

impl<S: Send + Sync + 'static> Builder<S> {
    pub fn new(model: &'static str, state: Arc<S>) -> Builder<S> {
        Builder { model, state, operations: BTreeMap::new(), refuse: Fault::unsupported }
    }

    /// Says in the service's own words that a member isn't heeded; for the operations that are hung in afterwards.
    pub fn refusing(mut self, refuse: Refuse) -> Builder<S> {
        self.refuse = refuse;
        self
    }

    /// Adds one operation: its name in the model, the members it may leave unheeded, and its function.
    pub fn operation<I, O, F, R>(self, name: &'static str, harmless: Harmless, run: F) -> Builder<S>
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        F: Fn(Arc<S>, Call<I>) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<O, Fault>> + Send + 'static,
    {
        let (state, refuse) = (self.state.clone(), self.refuse);
        let run = Box::new(move |call: Call<Value>| -> Later<Answer> {
            match decode::<I>(call, harmless, refuse) {
                Ok(call) => Box::pin(Encoded { later: run(state.clone(), call) }),
                Err(fault) => Box::pin(std::future::ready(Err(fault))),
            }
        });
        self.hang_in::<I>(name, run)
    }

    /// Adds an operation whose output has events: its function gives the output without them, and them.
    pub fn streaming_operation<I, O, F, R>(self, name: &'static str, harmless: Harmless, run: F) -> Builder<S>
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        F: Fn(Arc<S>, Call<I>) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<(O, Events), Fault>> + Send + 'static,
    {
        let (state, refuse) = (self.state.clone(), self.refuse);
        let run = Box::new(move |call: Call<Value>| -> Later<Answer> {
            let state = state.clone();
            Box::pin(async move {
                let (output, events) = run(state, decode(call, harmless, refuse)?).await?;
                Ok(Answer::Events(encode(&output)?, events))
            })
        });
        self.hang_in::<I>(name, run)
    }

    #[cfg_attr(
        not(any(test, feature = "members")),
        expect(clippy::extra_unused_type_parameters, reason = "only tests ask for the input's members")
    )]
    fn hang_in<I: DeserializeOwned>(mut self, name: &'static str, run: Run<Answer>) -> Builder<S> {
        let before = self.operations.insert(
            name,
            Operation {
                run,
                #[cfg(any(test, feature = "members"))]
                input: members::<I>,
            },
        );
        assert!(before.is_none(), "{name} is hung in twice");
        self
    }

    pub fn build(self) -> Service {
        Service { model: self.model, operations: self.operations }
    }
}

pin_project! {
    /// An operation's answer, encoded when it comes. A future of our own, since there are hundreds of operations and an
    /// `async` block would be compiled for each with all that an operation moves in and out of it.
    struct Encoded<R> {
        #[pin]
        later: R,
    }
}

impl<O: Serialize, R: Future<Output = Result<O, Fault>>> Future for Encoded<R> {
    type Output = Result<Answer, Fault>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().later.poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(output)) => Poll::Ready(encode(&output).map(Answer::Whole)),
            Poll::Ready(Err(fault)) => Poll::Ready(Err(fault)),
        }
    }
}

fn decode<I: DeserializeOwned>(
    mut call: Call<Value>,
    harmless: Harmless,
    refuse: Refuse,
) -> Result<Call<I>, Fault> {
    let (input, ignored) =
        pitbird_wire::from_value_reporting::<I>(std::mem::take(&mut call.input)).map_err(misfit)?;
    heed(&ignored, harmless, refuse)?;
    Ok(call.with(input))
}

fn misfit(error: FromValueError) -> Fault {
    Fault::new("SerializationException", error.to_string()).with_status(400)
}

/// Refuses the first member that was ignored and isn't harmless.
fn heed(ignored: &[String], harmless: Harmless, refuse: Refuse) -> Result<(), Fault> {
    match ignored.iter().find(|path| !is_harmless(path, harmless)) {
        Some(path) => Err(refuse(path)),
        None => Ok(()),
    }
}

fn encode(output: &impl Serialize) -> Result<Value, Fault> {
    pitbird_wire::to_value(output).map_err(Fault::internal)
}

fn is_harmless(path: &str, harmless: Harmless) -> bool {
    harmless
        .iter()
        .any(|known| path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Caller;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        name: String,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        greeting: String,
    }

    async fn greet(word: Arc<String>, call: Call<Input>) -> Result<Output, Fault> {
        Ok(Output { greeting: format!("{word}, {}", call.input.name) })
    }

    async fn call(members: &[(&'static str, &str)]) -> Result<Value, Fault> {
        let service =
            Builder::new("test", Arc::new("hello".to_owned())).operation("Greet", &["Tone"], greet).build();
        let pairs = members.iter().map(|(name, value)| ((*name).into(), Value::String((*value).to_owned())));
        let input = Value::Map(pairs.collect());
        let caller = Caller::root(Default::default());
        let call = Call {
            caller,
            request_id: String::new(),
            now_ms: 0,
            endpoint: String::new(),
            trace_id: None,
            input,
        };
        service.call("Greet", call).expect("the operation is hung in").await.map(Answer::into_output)
    }

    #[tokio::test]
    async fn a_member_that_is_not_heeded_is_refused_by_name() {
        assert!(call(&[("Name", "a")]).await.is_ok());
        assert!(call(&[("Name", "a"), ("Tone", "soft")]).await.is_ok(), "listed as harmless");
        let fault = call(&[("Name", "a"), ("Volume", "11")]).await.expect_err("Volume isn't heeded");
        assert!(fault.message.starts_with("Volume "), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_missing_member_is_a_serialization_fault() {
        assert_eq!(call(&[]).await.expect_err("no name").code, "SerializationException");
    }
}
