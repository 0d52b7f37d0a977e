use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::widget::Widget;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    metric_widget: String,
    /// `png`; `image/png` would be an answer outside of the protocols.
    output_format: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    metric_widget_image: Blob,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if let Some(format) = input.output_format.filter(|format| format != "png") {
        return Err(Error::unsupported(format!("OutputFormat {format}")).into());
    }
    let widget = Widget::parse(&input.metric_widget, &caller.scope, now_ms)?;
    let image = widget.draw(&state).await?;
    Ok(Output { metric_widget_image: Blob(image.into()) })
}
