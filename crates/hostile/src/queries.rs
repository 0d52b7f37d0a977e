//! Languages that CloudWatch is asked in.

use std::sync::Arc;

use pitbird_filterpattern::Pattern;
use pitbird_insights::{Event, Options, Query, Worker};
use pitbird_metricmath::{Band, Environment, Error, Expression, Insights, Search, Series, Value};

use crate::Target;

const MESSAGES: [&str; 4] = [
    "{\"a\":{\"b\":[1,\"x\",null]},\"level\":\"ERROR\",\"ms\":12.5}",
    "192.0.2.1 - ada [10/Oct/2000:13:25:15 -0700] \"GET /a HTTP/1.0\" 404 2326",
    "REPORT RequestId: a Duration: 5.01 ms aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "",
];

pub const FILTER: Target = Target {
    name: "filter",
    pieces: &[
        "{ ",
        " }",
        "$.a",
        "$.a.b[0]",
        "$.*",
        "$[\"a\"]",
        " = ",
        " != ",
        " >= ",
        "\"x*\"",
        "ERROR",
        "?ERROR",
        "-DEBUG",
        "\"a b\"",
        "[",
        "]",
        "...",
        "ip",
        ", ",
        "status=4*",
        "bytes>1",
        " && ",
        " || ",
        "(",
        ")",
        "IS NULL",
        "NOT EXISTS",
        "IS TRUE",
        "%a+%",
        "%[0-9]{3}%",
        "%(a*)*b%",
        "\\",
        "\"",
        "1e3",
        "*",
        "$.level IN ",
        "!",
    ],
    seeds: &[
        b"{ $.level = \"ERR*\" && ($.ms > 10 || $.a.b[0] = 1) }",
        b"[ip, user, ..., status=4*, bytes>1]",
        b"?ERROR -DEBUG \"a b\"",
        b"%[0-9]+ ms%",
    ],
    reads: |bytes| {
        let Ok(pattern) = Pattern::parse(&String::from_utf8_lossy(bytes)) else { return false };
        for message in MESSAGES {
            let is_taken = pattern.takes(message);
            assert!(!is_taken || pattern.may_take_in(message), "what is taken has been foreseen");
            let _ = pattern.extract(message);
        }
        true
    },
};

pub const INSIGHTS: Target = Target {
    name: "insights",
    pieces: &[
        "fields ",
        "filter ",
        "stats ",
        "sort ",
        "parse ",
        "limit 5",
        "dedup ",
        "pattern @message",
        "display ",
        " | ",
        ", ",
        "(",
        ")",
        "[",
        "]",
        "count(*)",
        "bin(5m)",
        "avg(ms)",
        "pct(ms, 95)",
        " by ",
        " as ",
        "a.b.0",
        "`b c`",
        "@message",
        "@timestamp",
        "\"* Duration: * ms\"",
        "/(?<u>a+)/",
        "/(a*)*b/",
        " like ",
        " not ",
        " in ",
        " and ",
        " or ",
        " = ",
        " != ",
        " < ",
        " =~ ",
        " + ",
        " - ",
        " * ",
        " / ",
        " ^ ",
        " % ",
        "5m",
        "1.5",
        "1e9",
        "#x\n",
        " desc",
        "'",
        "\\",
        "strlen(a)",
        "substr(a, 1, 2)",
        "jsonParse(@message)",
        "coalesce(a, b)",
        "if(a, b, c)",
        "replace(@message, \"a\", \"aa\")",
        "concat(@message, @message)",
        "split(@message, \"a\")",
        "isIpv4InSubnet(ip, \"10.0.0.0/8\")",
        "earliest(a)",
        "unnest ",
        " into ",
        "true",
        "null",
    ],
    seeds: &[
        b"fields @timestamp, @message | filter level = \"ERROR\" | sort @timestamp desc | limit 20",
        b"stats count(*), avg(ms) by bin(5m), level",
        b"parse @message \"* Duration: * ms\" as id, ms | stats pct(ms, 95) by id",
        b"fields strlen(@message) * 2 as n | filter @message like /(?i)a+/ | dedup level",
    ],
    reads: |bytes| {
        let options = Options { limit: 10_000, now_ms: 1_700_000_000_000, bytes_max: 1 << 20 };
        let Ok(query) = Query::compile(&String::from_utf8_lossy(bytes), options) else { return false };
        let query = Arc::new(query);
        let mut workers = [Worker::new(query.clone()), Worker::new(query)];
        for (number, message) in MESSAGES.iter().cycle().take(12).enumerate() {
            let event = Event {
                log: "000000000000:/a",
                stream: "s",
                at_ms: 1_700_000_000_000 + number as i64 * 60_000,
                ingested_ms: 1_700_000_000_000,
                id: number as u128,
                pointer: &"p",
                message,
            };
            if workers[number % 2].push(&event).is_err() {
                return true;
            }
        }
        let [mut one, other] = workers;
        let _ = one.merge(other).and_then(|()| one.finish());
        true
    },
};

pub const MATH: Target = Target {
    name: "math",
    pieces: &[
        "a",
        "b",
        "c",
        "1",
        "0",
        "-",
        " + ",
        " - ",
        " * ",
        " / ",
        "^",
        "%",
        "(",
        ")",
        "[",
        "]",
        ", ",
        "METRICS()",
        "METRICS(\"a\")",
        "SUM(",
        "AVG(",
        "RATE(",
        "FILL(a, REPEAT)",
        "IF(a > 1, b, c)",
        " AND ",
        " OR ",
        " == ",
        " < ",
        "RUNNING_SUM(",
        "PERIOD(a)",
        "DIFF(",
        "SORT(METRICS(), AVG, DESC, 2)",
        "SLICE(",
        "TIME_SERIES(",
        "ANOMALY_DETECTION_BAND(a, 2)",
        "DATAPOINT_COUNT(",
        "HOUR(a)",
        "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 60)",
        "{NS,D}",
        "MetricName=\"x\"",
        " NOT ",
        "\"a\"",
        "'",
        "SELECT AVG(m) FROM SCHEMA(\"NS\", D) WHERE D = 'x' GROUP BY D ORDER BY MAX() DESC LIMIT 5",
        "SELECT ",
        " FROM ",
        " GROUP BY ",
        "1e308",
        "EXP(",
        "LOG10(",
        "STDDEV(",
        "REMOVE_EMPTY(",
        "FIRST(",
        "LAST(",
        "CEIL(",
    ],
    seeds: &[
        b"a + b * 2",
        b"IF(a > 1 AND b < 2, SUM(METRICS()), FILL(a, 0))",
        b"SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 60)",
        b"SELECT AVG(m) FROM SCHEMA(\"NS\", D) WHERE D = 'x' GROUP BY D ORDER BY MAX() DESC LIMIT 5",
    ],
    reads: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let is_query = Insights::parse(&text).is_ok();
        let Ok(expression) = Expression::parse(&text) else { return is_query };
        let _ = expression.evaluate(&World::new());
        true
    },
};

/// Two series of five minutes.
struct World {
    series: [(&'static str, Series, Value); 2],
}

impl World {
    fn new() -> World {
        let series = |id: &'static str, values: [f64; 5]| {
            let points =
                values.iter().enumerate().map(|(at, value)| (1_700_000_040_000 + at as i64 * 60_000, *value));
            let series =
                Series { label: id.to_owned(), metric: Some(0), period_s: 60, points: points.collect() };
            (id, series.clone(), Value::Series(series))
        };
        World { series: [series("a", [1.0, 0.0, -3.5, 1e300, 2.0]), series("b", [0.0; 5])] }
    }
}

impl Environment for World {
    fn value(&self, id: &str) -> Option<&Value> {
        self.series.iter().find(|(own, ..)| *own == id).map(|(_, _, value)| value)
    }

    fn metrics(&self) -> Vec<(&str, &Series)> {
        self.series.iter().map(|(id, series, _)| (*id, series)).collect()
    }

    fn search(&self, _: &Search) -> Result<Vec<Series>, Error> {
        Ok(self.series.iter().map(|(_, series, _)| series.clone()).collect())
    }

    fn band(&self, _: Option<&str>, of: &Series, _: f64) -> Result<Band, Error> {
        Ok(Band { lower: of.clone(), upper: of.clone() })
    }

    fn span(&self, _: u32) -> (i64, i64) {
        (1_700_000_040_000, 1_700_000_340_000)
    }

    fn period_s(&self) -> u32 {
        60
    }
}
