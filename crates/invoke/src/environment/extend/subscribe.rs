//! Extensions that subscribe to telemetry.

use std::time::Instant;

use tokio::task::JoinSet;

use super::super::{Environment, State};
use crate::clock;
use crate::extensions::machine::Rejection;
use crate::lines::Line;
use crate::telemetry_api::deliver::deliver;
use crate::telemetry_api::{Api, Subscription};

/// Why nobody is subscribed.
#[derive(Debug)]
pub(crate) enum Unsubscribed {
    Rejected(Rejection),
    /// The start is over.
    Closed,
    Invalid(String),
}

impl Environment {
    /// `PUT /2022-07-01/telemetry` or `PUT /2020-08-15/logs`. What has been asked for before may be asked for again.
    pub fn subscribe(&self, id: &str, subscription: Subscription) -> Result<(), Unsubscribed> {
        let mut state = self.lock();
        let State { extended, output, .. } = &mut *state;
        let unknown = || Unsubscribed::Rejected(Rejection::UnknownIdentifier(id.to_owned()));
        let extended = extended.as_deref_mut().ok_or_else(unknown)?;
        let place = extended.machine.find(id).map_err(Unsubscribed::Rejected)?;
        let name = extended.machine.all()[place].name.clone();
        let Some(relay) = output.relay.as_deref_mut() else {
            let why = "telemetry is served here where a function has external extensions";
            return Err(Unsubscribed::Invalid(why.to_owned()));
        };
        if !relay.is_open() {
            return Err(Unsubscribed::Closed);
        }
        match relay.asked_by(&name) {
            Some(asked) if *asked == subscription => return Ok(()),
            Some(asked) => {
                let api = if asked.form.api() == Api::Logs { "Logs API" } else { "Telemetry API" };
                let why = format!("extension {name} has subscribed already, to something else, by the {api}");
                return Err(Unsubscribed::Invalid(why));
            }
            None => {}
        }
        let connector = extended.connectors.pop().ok_or_else(|| {
            let why = "telemetry is served where sandboxes have a network of their own; here they have none";
            Unsubscribed::Invalid(why.to_owned())
        })?;
        let (api, kinds) = (subscription.form.api(), subscription.kinds.clone());
        let subscriber = relay.subscribe(&name, subscription, Instant::now());
        extended.undelivered.push((subscriber, connector));
        output.say(clock::now_ms(), &Line::Subscription { api, name: &name, kinds: &kinds });
        self.control.notify_one();
        Ok(())
    }

    /// Delivers to those that have subscribed since the last time.
    pub(in crate::environment) fn begin_deliveries(&self, deliveries: &mut JoinSet<()>) {
        let mut state = self.lock();
        let Some(extended) = state.extended.as_deref_mut() else { return };
        for (subscriber, connector) in extended.undelivered.drain(..) {
            deliveries.spawn(deliver(subscriber, connector));
        }
    }
}
