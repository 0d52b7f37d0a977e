use pitbird_names::Scope;
use pitbird_telemetry::metrics::{CustomTotal, Dimensions, Metric, ProbeSpec, Resolution, Unit};

use super::*;

fn counted(number: u64, namespace: &str, metrics: &[(&str, u64, f64)], sets: &[&[(&str, &str)]]) -> Counted {
    let metric = |(name, ..): &(&str, u64, f64)| ((*name).to_owned(), Unit::None);
    Counted {
        spec: ProbeSpec {
            scope: Scope::default(),
            namespace: namespace.to_owned(),
            metrics: metrics.iter().map(metric).collect(),
            dimension_sets: sets.iter().map(|set| set.iter().copied().collect::<Dimensions>()).collect(),
            resolution: Resolution::Minute,
            usage: None,
        },
        totals: metrics.iter().map(|(_, count, sum)| Total { count: *count, sum: *sum }).collect(),
        number,
    }
}

fn stage(number: u64, api: &str, count: u64) -> Counted {
    let name = ("ApiName", api);
    let metrics = [("Count", count, count as f64), ("5XXError", count, 1.0), ("Latency", count, 1500.0)];
    counted(number, "AWS/ApiGateway", &metrics, &[&[name], &[name, ("Stage", "prod")]])
}

/// The value of a sample by its whole name.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

const LABELS: &str = "account=\"000000000000\",region=\"us-east-1\"";

#[test]
fn every_kind_of_probe_has_its_labels() {
    let (name, function) = (("ApiName", "pets"), ("FunctionName", "f"));
    let (stage, alias) = (("Stage", "prod"), ("Resource", "f:live"));
    let text = exposition(
        &[
            self::stage(1, "pets", 7),
            counted(
                2,
                "AWS/ApiGateway",
                &[("Count", 3, 3.0)],
                &[&[name], &[name, stage], &[name, ("Stage", "prod/Canary")]],
            ),
            // Requests that are no evidence are measured apart.
            counted(
                10,
                "AWS/ApiGateway",
                &[("Count", 4, 4.0)],
                &[&[name, ("Stage", "prod/Canary")], &[name, stage], &[name]],
            ),
            counted(
                3,
                "AWS/ApiGateway",
                &[("Count", 9, 9.0)],
                &[&[name, stage, ("Resource", "/"), ("Method", "GET")]],
            ),
            counted(
                4,
                "AWS/ApiGateway",
                &[("Count", 2, 2.0), ("DataProcessed", 2, 64.0)],
                &[&[("ApiId", "x")], &[("ApiId", "x"), ("Stage", "$default")]],
            ),
            counted(
                5,
                "AWS/Lambda",
                &[("Invocations", 4, 4.0), ("Errors", 4, 1.0)],
                &[&[], &[function], &[function, alias], &[function, alias, ("ExecutedVersion", "2")]],
            ),
            counted(
                6,
                "AWS/Lambda",
                &[("Invocations", 5, 5.0)],
                &[&[], &[function], &[function, ("Resource", "f")]],
            ),
            counted(7, "AWS/Lambda", &[("AsyncEventsReceived", 6, 6.0)], &[&[function], &[function, alias]]),
            counted(8, "AWS/Lambda", &[("UrlRequestCount", 8, 8.0)], &[&[function]]),
            counted(9, "Mine", &[("Count", 1, 1.0)], &[&[("ApiName", "a"), ("Stage", "b")]]),
        ],
        &CustomTotals::default(),
        &Process { version: "1", lines_dropped: 3, cpu_s: Some(0.5), ..Process::default() },
        Format::Text,
    );
    for (name, value) in [
        (
            format!(
                "pitbird_apigateway_requests_total{{{LABELS},protocol=\"REST\",api=\"pets\",stage=\"prod\",track=\"base\"}}"
            ),
            7.0,
        ),
        (
            format!(
                "pitbird_apigateway_requests_total{{{LABELS},protocol=\"REST\",api=\"pets\",stage=\"prod\",track=\"canary\"}}"
            ),
            7.0,
        ),
        (
            format!(
                "pitbird_apigateway_server_errors_total{{{LABELS},protocol=\"REST\",api=\"pets\",stage=\"prod\",track=\"base\"}}"
            ),
            1.0,
        ),
        (
            format!(
                "pitbird_apigateway_latency_seconds_count{{{LABELS},protocol=\"REST\",api=\"pets\",stage=\"prod\",track=\"base\"}}"
            ),
            7.0,
        ),
        (
            format!(
                "pitbird_apigateway_latency_seconds_sum{{{LABELS},protocol=\"REST\",api=\"pets\",stage=\"prod\",track=\"base\"}}"
            ),
            1.5,
        ),
        (
            format!(
                "pitbird_apigateway_processed_bytes_total{{{LABELS},protocol=\"HTTP\",api=\"x\",stage=\"$default\",track=\"base\"}}"
            ),
            64.0,
        ),
        (
            format!(
                "pitbird_lambda_invocations_total{{{LABELS},function=\"f\",qualifier=\"live\",version=\"2\"}}"
            ),
            4.0,
        ),
        (
            format!(
                "pitbird_lambda_errors_total{{{LABELS},function=\"f\",qualifier=\"live\",version=\"2\"}}"
            ),
            1.0,
        ),
        (
            format!(
                "pitbird_lambda_invocations_total{{{LABELS},function=\"f\",qualifier=\"\",version=\"$LATEST\"}}"
            ),
            5.0,
        ),
        (
            format!(
                "pitbird_lambda_async_events_received_total{{{LABELS},function=\"f\",qualifier=\"live\"}}"
            ),
            6.0,
        ),
        (format!("pitbird_lambda_url_requests_total{{{LABELS},function=\"f\",qualifier=\"\"}}"), 8.0),
        ("pitbird_build_info{version=\"1\"}".to_owned(), 1.0),
        ("pitbird_log_lines_dropped_total".to_owned(), 3.0),
        ("process_cpu_seconds_total".to_owned(), 0.5),
    ] {
        assert_eq!(sample(&text, &name), Some(value), "{name}\n{text}");
    }
    let requests = text.lines().filter(|line| line.starts_with("pitbird_apigateway_requests_total{")).count();
    assert_eq!(requests, 3, "methods are counted by their stage");
    assert!(!text.contains("cache_hits_total{"), "nobody has measured any");
}

#[test]
fn the_formats_name_counters_as_they_want_it() {
    let all = [stage(1, "a\"\\\nb", 1)];
    let text = exposition(&all, &CustomTotals::default(), &Process::default(), Format::Text);
    assert!(text.contains("# TYPE pitbird_apigateway_requests_total counter\n"), "{text}");
    assert!(text.contains("api=\"a\\\"\\\\\\nb\""), "{text}");
    let open = exposition(&all, &CustomTotals::default(), &Process::default(), Format::OpenMetrics);
    assert!(open.contains("# TYPE pitbird_apigateway_requests counter\n"), "{open}");
    assert!(open.ends_with("\n# EOF\n") && !text.contains("EOF"));
    for (accept, format) in [
        (None, Format::Text),
        (Some("*/*"), Format::Text),
        (Some("text/plain"), Format::Text),
        (Some("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"), Format::OpenMetrics),
        (Some("text/plain, Application/OpenMetrics-Text; q=0.1"), Format::OpenMetrics),
        (Some("application/openmetrics-text;q=0, text/plain"), Format::Text),
    ] {
        assert_eq!(Format::accepted(accept), format, "{accept:?}");
    }
}

#[test]
fn labels_are_bounded_and_nothing_is_lost_beyond() {
    let mut all: Vec<Counted> =
        (0..LABEL_SETS_MAX as u64 + 3).map(|n| stage(n, &format!("api{n}"), 2)).collect();
    let mut gone = stage(u64::MAX, "", 5);
    gone.spec.dimension_sets.clear();
    all.push(gone);
    let text = exposition(&all, &CustomTotals::default(), &Process::default(), Format::Text);
    let requests = || text.lines().filter(|line| line.starts_with("pitbird_apigateway_requests_total{"));
    assert_eq!(requests().count(), LABEL_SETS_MAX + 1);
    let other = requests().next_back().expect("others");
    assert!(other.contains("api=\"other\"") && other.ends_with(" 11"), "{other}");
}

#[test]
fn callers_own_metrics_keep_their_names_in_labels() {
    let of = |namespace: &str, name: &str, dimensions: &[(&str, &str)], count: f64, sum: f64| CustomTotal {
        metric: Metric {
            scope: Scope::default(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().copied().collect(),
        },
        unit: Unit::Count,
        count,
        sum,
    };
    let custom = CustomTotals {
        series: vec![
            of("Shop/a b", "Orders \"new\"\\", &[("Kind", "book\n")], 2.0, 3.5),
            of("Shop/a b", "Debt", &[("a-b", "1"), ("a.b", "2"), ("é", "3"), ("account", "4")], 1.0, -7.0),
        ],
        left_out: 4,
    };
    for format in [Format::Text, Format::OpenMetrics] {
        let text = exposition(&[], &custom, &Process::default(), format);
        let orders = format!(
            "{{{LABELS},namespace=\"Shop/a b\",metric=\"Orders \\\"new\\\"\\\\\",unit=\"Count\",dimension_Kind=\"book\\n\"}}"
        );
        let debt = format!(
            "{{{LABELS},namespace=\"Shop/a b\",metric=\"Debt\",unit=\"Count\",dimension_a_b=\"1\",dimension_a_b_2=\"2\",\
             dimension_account=\"4\",dimension__=\"3\"}}"
        );
        for (name, value) in [
            (format!("pitbird_custom_samples_total{orders}"), 2.0),
            (format!("pitbird_custom_values{orders}"), 3.5),
            (format!("pitbird_custom_samples_total{debt}"), 1.0),
            (format!("pitbird_custom_values{debt}"), -7.0),
            ("pitbird_custom_series_left_out".to_owned(), 4.0),
        ] {
            assert_eq!(sample(&text, &name), Some(value), "{name}\n{text}");
        }
    }
}
