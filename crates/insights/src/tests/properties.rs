use proptest::prelude::*;

use super::*;

const WORDS: &[&str] = &[
    "fields",
    "filter",
    "stats",
    "sort",
    "parse",
    "limit",
    "dedup",
    "pattern",
    "display",
    "|",
    ",",
    "(",
    ")",
    "[",
    "]",
    "count(*)",
    "bin(5m)",
    "bin(",
    "avg(a)",
    "by",
    "as",
    "a",
    "`b c`",
    "@message",
    "\"*x\"",
    "/(?<u>x)/",
    "like",
    "not",
    "in",
    "and",
    "or",
    "=",
    "!=",
    "<",
    "=~",
    "+",
    "-",
    "*",
    "/",
    "^",
    "5m",
    "1.5",
    "1e9",
    "#x\n",
    "desc",
    "'",
    "\\",
    "ü",
    "jsonParse(a)",
    "a.b[0]",
    "true",
    "pct(a, 5)",
    "10",
    "any",
];

proptest! {
    #[test]
    fn no_text_is_a_panic(text in ".{0,200}") {
        let _ = Query::compile(&text, options());
    }

    #[test]
    fn no_words_are_a_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..25), message in ".{0,60}") {
        let text = words.join(" ");
        if let Ok(query) = Query::compile(&text, options()).map(std::sync::Arc::new) {
            let mut worker = Worker::new(query.clone());
            for event in events("0:/aws/lambda/f", &[(0, &message), (1, "{\"a\":{\"b\":[1]}}"), (2, "x")]) {
                worker.push(&event).expect("room");
            }
            worker.finish().expect("room");
        }
    }

    /// Parts that are merged answer what the whole does.
    #[test]
    fn the_sum_of_parts_is_the_whole(
        events_are in proptest::collection::vec((0i64..600, 0u8..5, -50i64..50, 0usize..3), 0..60),
        query in 0usize..9,
    ) {
        let text = [
            "stats count(*), sum(n), avg(n), min(n), max(n), pct(n, 90), count_distinct(k) by bin(1m)",
            "stats earliest(n), latest(n), sortsFirst(k), sortsLast(k), count(n) by k",
            "fields n, k | sort n desc, k | limit 5",
            "fields n | limit 3",
            "fields n, k | sort n | dedup k",
            "fields n, k | dedup k | limit 2",
            "pattern @message",
            "filter n > 0 | stats count(*) as c by k | sort c desc, k | limit 2",
            "parse @message '\"n\":*,' as m | sort m | limit 70",
        ][query];
        let messages: Vec<String> =
            events_are.iter().map(|(_, k, n, _)| format!("{{\"k\":\"k{k}\",\"n\":{n},\"e\":1}}")).collect();
        let dated: Vec<(i64, &str)> =
            events_are.iter().zip(&messages).map(|((after, ..), message)| (*after, message.as_str())).collect();
        let all = events("0:g", &dated);
        let query = std::sync::Arc::new(Query::compile(text, options()).expect(text));
        let mut parts = [Worker::new(query.clone()), Worker::new(query.clone()), Worker::new(query.clone())];
        for (event, (.., part)) in all.iter().zip(&events_are) {
            parts[*part].push(event).expect("room");
        }
        let [mut merged, second, third] = parts;
        merged.merge(third).expect("room");
        merged.merge(second).expect("room");
        prop_assert_eq!((merged.scanned(), merged.finish().expect("room")), (all.len() as u64, run(text, &all)));
    }
}
