use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pitbird_wire::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Call, Fault, Member, members};

/// Paths of members that an operation may leave unheeded without telling a lie, such as `TracingConfig` or
/// `Tags.member`; a path covers all below it.
pub type Harmless = &'static [&'static str];

/// Makes a fault of a member's path.
type Refuse = fn(&str) -> Fault;
type Answer = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;
type Run<S> = Box<dyn Fn(Arc<S>, Call<Value>) -> Answer + Send + Sync>;

/// A service with its operations.
pub struct Service {
    /// The name of its model: `lambda`, `apigateway`.
    pub model: &'static str,
    operations: BTreeMap<&'static str, Operation>,
}

struct Operation {
    run: Box<dyn Fn(Call<Value>) -> Answer + Send + Sync>,
    input: fn() -> Vec<Member>,
}

impl Service {
    /// Runs an operation; `None` when it isn't written yet.
    pub fn call(&self, operation: &str, call: Call<Value>) -> Option<Answer> {
        Some((self.operations.get(operation)?.run)(call))
    }

    /// The operations that are written, in the order of their names.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }

    /// The members that an operation's input has, so that a test can hold them against the model.
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
    pub fn operation<I, O, F, R>(mut self, name: &'static str, harmless: Harmless, run: F) -> Builder<S>
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        F: Fn(Arc<S>, Call<I>) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<O, Fault>> + Send + 'static,
    {
        let (state, refuse) = (self.state.clone(), self.refuse);
        let erased: Run<S> =
            Box::new(move |state, call| Box::pin(decode_and_run(state, call, harmless, refuse, run)));
        let run = Box::new(move |call| erased(state.clone(), call));
        let before = self.operations.insert(name, Operation { run, input: members::<I> });
        assert!(before.is_none(), "{name} is hung in twice");
        self
    }

    pub fn build(self) -> Service {
        Service { model: self.model, operations: self.operations }
    }
}

async fn decode_and_run<S, I, O, F, R>(
    state: Arc<S>,
    call: Call<Value>,
    harmless: Harmless,
    refuse: Refuse,
    run: F,
) -> Result<Value, Fault>
where
    I: DeserializeOwned,
    O: Serialize,
    F: Fn(Arc<S>, Call<I>) -> R,
    R: Future<Output = Result<O, Fault>>,
{
    let Call { caller, request_id, now_ms, endpoint, input } = call;
    let (input, ignored) = pitbird_wire::from_value_reporting::<I>(input)
        .map_err(|error| Fault::new("SerializationException", error.to_string()).with_status(400))?;
    if let Some(path) = ignored.iter().find(|path| !is_harmless(path, harmless)) {
        return Err(refuse(path));
    }
    let output = run(state, Call { caller, request_id, now_ms, endpoint, input }).await?;
    pitbird_wire::to_value(&output).map_err(Fault::internal)
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
        let call = Call { caller, request_id: String::new(), now_ms: 0, endpoint: String::new(), input };
        service.call("Greet", call).expect("the operation is hung in").await
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
