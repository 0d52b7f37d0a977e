use super::*;

fn read(given: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Config>, String> {
    let find =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Config::read(given, find).map_err(|error| error.to_string())
}

fn uris(config: &Config) -> [Option<String>; 3] {
    config.endpoints.clone().map(|endpoint| endpoint.map(|endpoint| endpoint.uri.to_string()))
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example/otlp/");

#[test]
fn nothing_is_exported_unless_somebody_asks() {
    for variables in [
        &[][..],
        &[("OTEL_SERVICE_NAME", "mine"), ("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
        &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
    ] {
        assert_eq!(read(None, variables), Ok(None), "{variables:?}");
    }
}

#[test]
fn endpoints_are_found_as_the_specification_says() {
    let config = read(Some("http://127.0.0.1:4318"), &[ENDPOINT]).unwrap().unwrap();
    let of = |signal| Some(format!("http://127.0.0.1:4318/v1/{signal}"));
    assert_eq!(uris(&config), [of("traces"), of("metrics"), of("logs")], "the command line counts");
    let own = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:1/as/it/is");
    let config = read(None, &[ENDPOINT, own, ("OTEL_METRICS_EXPORTER", "none")]).unwrap().unwrap();
    let traces = Some("https://collector.example/otlp/v1/traces".to_owned());
    assert_eq!(uris(&config), [traces, None, Some(own.1.to_owned())]);
    assert!(config.exports(Signal::Traces) && !config.exports(Signal::Metrics));
    let config = read(None, &[own]).unwrap().unwrap();
    assert_eq!(uris(&config), [None, None, Some(own.1.to_owned())]);
}

#[test]
fn what_is_said_is_obeyed() {
    let config = read(
        None,
        &[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc, x-tenant = one ,"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-traces=1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=other"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ],
    )
    .unwrap()
    .unwrap();
    let [traces, _, logs] = &config.endpoints;
    let headers = &logs.as_ref().unwrap().headers;
    assert_eq!(
        (&headers["authorization"], &headers["x-tenant"]),
        (&"Basic abc".parse().unwrap(), &"one".parse().unwrap())
    );
    assert_eq!(traces.as_ref().unwrap().headers.len(), 1, "its own take the place of all others");
    assert_eq!(config.service_name, "other");
    assert_eq!(config.attributes, [("deployment.environment.name".to_owned(), "test".to_owned())]);
    assert_eq!((config.is_compressed, config.is_delta), (false, true));
    assert_eq!((config.timeout.as_millis(), config.metric_interval.as_millis()), (2500, 500));
    assert_eq!(Some(config.sampled), Rate::new(0.25));
    let plain = read(Some("http://c"), &[]).unwrap().unwrap();
    assert_eq!((plain.service_name.as_str(), plain.is_compressed, plain.is_delta), ("pitbird", true, false));
    assert_eq!((plain.timeout, plain.metric_interval, plain.sampled), (TIMEOUT, METRIC_INTERVAL, Rate::ALL));
}

#[test]
fn what_cant_be_obeyed_is_refused_by_name() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/key.pem"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "99"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_LOGS_EXPORTER", "console"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://collector"),
    ] {
        let refused = read(None, &[ENDPOINT, (name, value)]).unwrap_err();
        assert!(refused.starts_with(name), "{refused}");
    }
    let sampler =
        [ENDPOINT, ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")];
    assert!(read(None, &sampler).unwrap_err().starts_with("OTEL_TRACES_SAMPLER_ARG"));
    assert!(read(Some("127.0.0.1"), &[]).unwrap_err().starts_with("--otlp-endpoint"));
    let secret = read(None, &[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2")]).unwrap_err();
    assert!(!secret.contains("hunter2"), "{secret}");
}
