//! Whatever comes is read or refused. For minutes or nights: `PITBIRD_FUZZ_SECONDS=600 cargo nextest run -p pitbird-hostile`.

use pitbird_hostile::{TARGETS, target};
use pitbird_testkit::{INPUTS_MIN, try_hostile};

/// Some of what is made is valid: a reader that takes nothing is tried with noise only.
fn check(name: &str) {
    let target = target(name);
    let tried = try_hostile(name, target.pieces, target.seeds, target.reads);
    assert!(tried.inputs >= INPUTS_MIN && tried.read > 0, "{tried:?}");
}

macro_rules! tried {
    ($($name:ident),* $(,)?) => {
        const TRIED: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { check(stringify!($name)); })*
    };
}

tried! {
    openapi, policy, schema, reply, zip, paths, filter, insights, math, jsonpath, parameter, vtl, frames, jwt, signature, cbor, json,
    query, xml,
}

#[test]
fn every_target_is_tried_and_given_to_libfuzzer() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TRIED);
    let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("fuzz/Cargo.toml");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "fuzz/Cargo.toml has no {name}");
        let given = std::fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).expect(name);
        assert!(given.contains(&format!("target(\"{name}\")")), "{given}");
    }
}
