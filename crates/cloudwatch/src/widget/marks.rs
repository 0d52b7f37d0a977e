//! A widget's annotations.

use pitbird_plot::{Color, Fill, Horizontal, Vertical};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{color, invalid, on_side, read, times};
use crate::Error;

/// Annotations of one kind.
const MARKS_MAX: usize = 500;
/// The colour of annotations that have none of their own.
const COLOR: Color = Color(0xd1, 0x32, 0x12);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenHorizontal {
    value: f64,
    label: Option<String>,
    color: Option<String>,
    fill: Option<String>,
    visible: Option<bool>,
    y_axis: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenVertical {
    value: String,
    label: Option<String>,
    color: Option<String>,
    fill: Option<String>,
    visible: Option<bool>,
}

pub fn parse(annotations: Option<&Json>, now_ms: i64) -> Result<(Vec<Horizontal>, Vec<Vertical>), Error> {
    let Some(annotations) = annotations else { return Ok(Default::default()) };
    let members = annotations.as_object().ok_or_else(|| invalid("annotations", annotations))?;
    let known = ["horizontal", "vertical"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Error::unsupported(format!("MetricWidget.annotations.{other}")));
    }
    let (mut horizontals, mut verticals) = (Vec::new(), Vec::new());
    for (one, other, at) in marks(members.get("horizontal"), "annotations.horizontal")? {
        horizontals.extend(horizontal(one, other, &at)?);
    }
    for (one, other, at) in marks(members.get("vertical"), "annotations.vertical")? {
        verticals.extend(vertical(one, other, &at, now_ms)?);
    }
    Ok((horizontals, verticals))
}

type Mark<'j> = (&'j Json, Option<&'j Json>, String);

/// Each mark, the end of its band if it has one, and where it stands.
fn marks<'j>(list: Option<&'j Json>, at: &str) -> Result<Vec<Mark<'j>>, Error> {
    let list = match list {
        None => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(other) => return Err(invalid(at, other)),
    };
    if list.len() > MARKS_MAX {
        let parameter = format!("MetricWidget.{at}");
        return Err(Error::TooMany { parameter, limit: MARKS_MAX }.into_invalid());
    }
    let each = |(number, mark): (usize, &'j Json)| {
        let at = format!("{at}[{number}]");
        match mark {
            Json::Array(pair) => match pair.as_slice() {
                [one, other] => Ok((one, Some(other), at)),
                _ => Err(invalid(&at, mark)),
            },
            mark => Ok((mark, None, at)),
        }
    };
    list.iter().enumerate().map(each).collect()
}

/// What is filled: of a band what is between, else what the word says.
fn fill<T>(word: Option<&str>, to: Option<T>, words: [&str; 2], at: &str) -> Result<Fill<T>, Error> {
    match (word, to) {
        (None, None) | (Some("none"), None) => Ok(Fill::None),
        (None | Some("between"), Some(to)) => Ok(Fill::To(to)),
        (Some(word), None) if word == words[0] => Ok(Fill::Beyond),
        (Some(word), None) if word == words[1] => Ok(Fill::Before),
        (Some(word), Some(_)) => Err(Error::unsupported(format!("MetricWidget.{at}.fill {word} of a band"))),
        (Some(word), None) => Err(invalid(&format!("{at}.fill"), word)),
    }
}

fn horizontal(one: &Json, other: Option<&Json>, at: &str) -> Result<Option<Horizontal>, Error> {
    let path = format!("MetricWidget.{at}");
    let given: GivenHorizontal = read(one, &path)?;
    let other = other.map(|other| read::<GivenHorizontal>(other, &path)).transpose()?;
    let mark = Horizontal {
        value: given.value,
        label: given.label.unwrap_or_default(),
        color: color(given.color.as_deref(), &format!("{at}.color"))?.unwrap_or(COLOR),
        side: on_side(given.y_axis.as_deref(), &format!("{at}.yAxis"))?,
        fill: fill(given.fill.as_deref(), other.map(|other| other.value), ["above", "below"], at)?,
    };
    Ok(given.visible.unwrap_or(true).then_some(mark))
}

fn vertical(one: &Json, other: Option<&Json>, at: &str, now_ms: i64) -> Result<Option<Vertical>, Error> {
    let path = format!("MetricWidget.{at}");
    let given: GivenVertical = read(one, &path)?;
    let other = other.map(|other| read::<GivenVertical>(other, &path)).transpose()?;
    let time = |text: &str| times::parse(text, &format!("{at}.value"), now_ms);
    let to = other.map(|other| time(&other.value)).transpose()?;
    let mark = Vertical {
        at_ms: time(&given.value)?,
        label: given.label.unwrap_or_default(),
        color: color(given.color.as_deref(), &format!("{at}.color"))?.unwrap_or(COLOR),
        fill: fill(given.fill.as_deref(), to, ["after", "before"], at)?,
    };
    Ok(given.visible.unwrap_or(true).then_some(mark))
}
