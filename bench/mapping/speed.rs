//! How long mapping templates take, on one core: parsing and rendering of some usual ones, and a hostile one that runs into its bound.
//! Medians of seven rounds. Run: `cargo run --release -p pitbird-mapping --example mapping_speed`; with a row's name it renders
//! that one only, for a profiler.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use pitbird_mapping::{Exchange, Letters, Member, Members, Template};

const ROUNDS: usize = 7;

const BODY: &str = r#"{"customer":{"id":"c-17","name":"Ann Miller","address":{"city":"Bern","zip":"3000"}},
    "items":[{"sku":"a-1","count":2,"price":9.5},{"sku":"b-2","count":1,"price":24.0},{"sku":"c-3","count":5,"price":1.25}],
    "note":"leave it at the \"door\"","priority":true}"#;

/// Twenty lines as an integration with another service has them.
const USUAL: &str = r#"#set($root = $input.path('$'))
#set($priority = "normal")
#if($root.priority)
#set($priority = "high")
#end
{
  "requestId": "$context.requestId",
  "stage": "$context.stage",
  "customer": "$root.customer.id",
  "name": "$util.escapeJavaScript($root.customer.name)",
  "city": "$root.customer.address.city",
  "items": [
#foreach($item in $root.items)
    {"sku": "$item.sku", "count": $item.count}#if($foreach.hasNext),#end

#end
  ],
  "note": $input.json('$.note'),
  "priority": "$priority", "agent": "$input.params('User-Agent')"
}
"#;

/// Without a body, as the bench of the whole gateway has it.
const SMALL: &str = r##"#set($inputRoot = $input.path('$'))
#set($name = $input.params('name'))
#set($stage = $context.stage)
{
  "requestId": "$context.requestId",
  "stage": "$stage",
  "method": "$context.httpMethod",
  "path": "$context.resourcePath",
#if($name && $name != '')
  "name": "$util.escapeJavaScript($name)",
#else
  "name": "nobody",
#end
  "list": [
#foreach($item in [1..3])
    {"number": $item}#if($foreach.hasNext),#end
#end
  ],
  "agent": "$util.escapeJavaScript($input.params('User-Agent'))",
  "source": "$context.identity.sourceIp"
}"##;

const PASSED_ON: &str =
    r#"{"body": $input.json('$'), "method": "$context.httpMethod", "id": "$input.params('id')"}"#;

const MOCK: &str = r#"{"statusCode": 200}"#;

const HOSTILE: &str =
    "#set($l = [1..1000])#foreach($a in $l)#foreach($b in $l)#foreach($c in $l)$c#end#end#end";

/// As the gateway has it: found by what it's called, made when it's asked for.
struct Context(Identity);

struct Identity;

impl Members for Context {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        Some(match name {
            "requestId" => "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".into(),
            "stage" => "beta".into(),
            "httpMethod" => "POST".into(),
            "resourcePath" => "/pets/{id}".into(),
            "identity" => Member::Members(&self.0),
            _ => return None,
        })
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        ["requestId", "stage", "httpMethod", "resourcePath", "identity"].map(Cow::Borrowed).into()
    }

    fn values(&self, _: &str, _: Letters) -> Vec<Cow<'_, str>> {
        Vec::new()
    }
}

impl Members for Identity {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        match name {
            "sourceIp" => Some("192.0.2.1".into()),
            "userAgent" => Some("curl/8".into()),
            _ => None,
        }
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        ["sourceIp", "userAgent"].map(Cow::Borrowed).into()
    }

    fn values(&self, _: &str, _: Letters) -> Vec<Cow<'_, str>> {
        Vec::new()
    }
}

fn main() {
    let stage_variables = BTreeMap::new();
    let exchange = Exchange {
        body: BODY,
        path: &[("id", "17")],
        querystring: &[("q", "1")],
        header: &[("Accept", "application/json"), ("User-Agent", "curl/8"), ("Host", "localhost")],
        context: &Context(Identity),
        stage_variables: &stage_variables,
    };
    let small = Exchange { body: "", ..exchange };
    let only = std::env::args().nth(1);
    let rows = [
        ("mock", MOCK, &small),
        ("passed on", PASSED_ON, &exchange),
        ("small, 20 lines", SMALL, &small),
        ("usual, 20 lines", USUAL, &exchange),
    ];
    for (name, text, exchange) in rows {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let parsings = if only.is_some() { 1 } else { 10_000 };
        let parse = median(parsings, || {
            black_box(Template::parse(black_box(text)).is_ok());
        });
        let template = Template::parse(text).expect("VTL");
        let render = median(10_000, || {
            black_box(template.render(black_box(exchange)).is_ok());
        });
        println!("{name}: parse {parse:?}, render {render:?}");
    }
    if only.is_some() {
        return;
    }
    let hostile = Template::parse(HOSTILE).expect("VTL");
    let refused = median(1, || {
        black_box(hostile.render(&exchange).is_err());
    });
    println!("hostile, until it is stopped: {refused:?}");
}

/// Of one call.
fn median(calls: u32, mut call: impl FnMut()) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                call();
            }
            start.elapsed() / calls
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}
