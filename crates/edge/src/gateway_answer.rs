//! The gateway's own answers in the form that an API gives them.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use pitbird_snapshot::{
    GatewayPiece, GatewayResponse, GatewayTemplate, GatewayValue, GatewayVariable, ParameterPlace, Stage,
    Track,
};

use crate::GatewayError;
use crate::admit::{capture, query_parameter};
use crate::answer::{Answer, header};
use crate::arrival::Arrival;
use crate::context::{self, Place};
use crate::routed::Routed;
use crate::story::Story;

/// What the answers' variables are read from.
pub(crate) struct Told<'t, 'a> {
    pub stage: &'t Stage,
    pub track: &'t Track,
    pub routed: Option<&'t Routed<'t, 'a>>,
    pub arrival: &'t Arrival<'a>,
    pub body: &'t [u8],
    pub story: &'t Story<'t>,
}

impl Told<'_, '_> {
    /// The answer to an error in the form that the API gives it.
    pub fn answer(&self, error: &GatewayError, response: &GatewayResponse) -> Answer {
        let mut answer = Answer::of_error(error);
        answer.status = response.status.unwrap_or(answer.status);
        let sent = self.arrival.header(CONTENT_TYPE);
        if let Some((media, template)) = response.template(self.arrival.header(ACCEPT), sent) {
            answer.body = Bytes::from(self.text(template));
            let media = HeaderValue::from_str(media);
            answer.set(media.ok().map(|media| (CONTENT_TYPE, media)));
        }
        for (name, value) in &response.headers {
            let value = match value {
                GatewayValue::Fixed(text) => text.clone(),
                GatewayValue::Variable(variable) => self.value(variable),
            };
            answer.set(header(name, &value).filter(|_| !value.is_empty()));
        }
        answer
    }

    fn text(&self, template: &GatewayTemplate) -> String {
        let mut text = String::new();
        for piece in &template.pieces {
            match piece {
                GatewayPiece::Text(plain) => text.push_str(plain),
                GatewayPiece::Variable(variable) => text.push_str(&self.value(variable)),
            }
        }
        text
    }

    /// A variable's value; empty where it has none.
    fn value(&self, variable: &GatewayVariable) -> String {
        match variable {
            GatewayVariable::Context(name) => {
                let mut value = String::new();
                context::append(&mut value, name, Place::of(self.stage), self.story);
                value
            }
            GatewayVariable::Stage(name) => self.track.variables.get(name).cloned().unwrap_or_default(),
            GatewayVariable::Request(place, name) => self.parameter(*place, name).unwrap_or_default(),
            GatewayVariable::Body => String::from_utf8_lossy(self.body).into_owned(),
        }
    }

    fn parameter(&self, place: ParameterPlace, name: &str) -> Option<String> {
        match place {
            ParameterPlace::Header => {
                let value = self.arrival.headers().get(name)?;
                value.to_str().ok().map(str::to_owned)
            }
            ParameterPlace::Path => capture(self.routed?, name).map(str::to_owned),
            ParameterPlace::Query => {
                query_parameter(self.arrival.query(), name).map(|value| value.into_owned())
            }
        }
    }
}

impl Answer {
    /// Puts a header in the place of those of its name.
    fn set(&mut self, header: Option<(HeaderName, HeaderValue)>) {
        if let Some((name, value)) = header {
            self.headers.retain(|(of, _)| *of != name);
            self.headers.push((name, value));
        }
    }
}
