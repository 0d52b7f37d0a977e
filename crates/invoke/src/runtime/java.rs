//! How a Java function is started: the host's Java with AWS's runtime interface client, which the function brings.

use pitbird_records::function::Settings;
use pitbird_sandbox::{CODE, IDENTITY_DESCRIPTOR, LAYERS, ROOM_VARIABLE, RUNTIME};

use super::NoEntryPoint;
use super::find::feature_version;
use crate::code::{Files, Jars, LAYER_JARS, PACKAGE_JARS};

/// What speaks the Runtime API for functions in Java. Source: `aws-lambda-java-runtime-interface-client`, whose `main` takes the
/// handler.
const CLIENT: &str = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";

/// What a JVM takes beside its heap before a function does anything; measured with OpenJDK 17 and 25: 15 to 18 MiB.
const JVM_MIB: u32 = 24;
/// The heap's part of the memory that is left. Source: the command line of AWS's Java runtimes, as SAM CLI has it.
const HEAP_PERCENT: u32 = 85;
/// Since this version Lambda stops at the first compiler. Source: Lambda developer guide, "Customize Java runtime startup
/// behavior".
const FIRST_COMPILER_ONLY: u32 = 17;
/// Waits for a function and then starts its client. Java's own class loader finds it, without it being on the class path.
const LAUNCHER: &str = "pitbird.Launcher";
/// The oldest Java whose class loader can be given more jars once it has started in the way that [`LAUNCHER`] knows.
const PARKS_SINCE: u32 = 11;
/// From this version on Java warns of what [`LAUNCHER`] does unless it is told that it may. Source: JEP 471, JEP 498.
const ASKS_SINCE: u32 = 23;
/// What a function's variables may have: their count, and all of their text, bytes. A function's own are 4 KB at most; beside them there
/// are some 25, of which a session token is the longest.
const VARIABLES_MAX: usize = 640;
const VARIABLES_BYTES_MAX: usize = 16 * 1024;

/// A longer class path is left to Java to put together. Below what a sandbox's arguments may have together.
const CLASS_PATH_BYTES_MAX: usize = 32 * 1024;

/// Variables from which Java takes options. Sources: JVMTI, "Invocation API"; the tool reference of `java`; HotSpot.
const OPTION_VARIABLES: [&str; 3] = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"];

/// Of these one alone may be chosen. Source: the tool reference of `java`, of its versions 8 to 25.
const COLLECTORS: [&str; 7] = [
    "UseSerialGC",
    "UseParallelGC",
    "UseParallelOldGC",
    "UseConcMarkSweepGC",
    "UseG1GC",
    "UseZGC",
    "UseShenandoahGC",
];

/// What Java is started with. `feature` is the version of Java that the runtime's name asks for.
pub fn arguments(settings: &Settings, feature: u32, files: &Files) -> Result<Vec<String>, NoEntryPoint> {
    let jars = files.jars();
    if !jars.iter().any(|jars| jars.has_client) {
        return Err(NoEntryPoint::JavaClient);
    }
    let own = settings.environment.iter().flatten();
    let given: Vec<&str> = own
        .filter(|(name, _)| OPTION_VARIABLES.contains(&name.as_str()))
        .flat_map(|(_, value)| value.split_whitespace())
        .collect();
    let mut arguments = options(settings.memory_mib, feature, &given);
    arguments.extend(["-cp".to_owned(), class_path(jars), CLIENT.to_owned()]);
    arguments.push(settings.handler.clone().unwrap_or_default());
    Ok(arguments)
}

/// What a Java is started with that is to wait for its function. `version` is its own, as `17.0.15`; `None` if it can't wait.
pub fn waiting_arguments(memory_mib: u32, feature: u32, version: &str) -> Option<Vec<String>> {
    let own = feature_version(version)?;
    if own < PARKS_SINCE {
        return None;
    }
    let mut arguments = options(memory_mib, feature, &[]);
    if own >= ASKS_SINCE {
        arguments.push("--sun-misc-unsafe-memory-access=allow".to_owned());
    }
    arguments.push(format!("-Xbootclasspath/a:{RUNTIME}"));
    arguments.extend(["-cp", CODE, LAUNCHER, CLIENT].map(str::to_owned));
    arguments.push(IDENTITY_DESCRIPTOR.to_string());
    Some(arguments)
}

/// Variables in whose place a function's own will be written.
pub fn room() -> impl Iterator<Item = (String, String)> {
    let text = (ROOM_VARIABLE.to_owned(), "x".repeat(VARIABLES_BYTES_MAX));
    (0..VARIABLES_MAX).map(|number| (format!("_{number}"), String::new())).chain([text])
}

/// Options as Lambda's, but for those about which the function has options of its own: Java would take ours over them, or refuse
/// both.
fn options(memory_mib: u32, feature: u32, given: &[&str]) -> Vec<String> {
    let heap_kib = memory_mib.saturating_sub(JVM_MIB) * 1024 * HEAP_PERCENT / 100;
    let heap = format!("-XX:MaxHeapSize={heap_kib}k");
    // Each with the words of options that are about the same.
    let all: [(&str, &[&str]); 7] = [
        (&heap, &["-Xmx", "MaxHeapSize"]),
        ("-XX:+UseSerialGC", &COLLECTORS),
        ("-XX:TieredStopAtLevel=1", &["Tiered"]),
        ("-Xshare:auto", &["-Xshare"]),
        // No file in `/tmp` for tools that watch Java from outside.
        ("-XX:-UsePerfData", &["UsePerfData"]),
        // Sandboxes have no other.
        ("-Djava.net.preferIPv4Stack=true", &["preferIPv4Stack"]),
        // Whatever the locale; by itself only since Java 18.
        ("-Dfile.encoding=UTF-8", &["file.encoding"]),
    ];
    let is_wanted = |option: &str, about: &[&str]| {
        let is_late = option.contains("Tiered") && feature < FIRST_COMPILER_ONLY;
        !is_late && !given.iter().any(|given| about.iter().any(|word| given.contains(word)))
    };
    let wanted = all.into_iter().filter(|(option, about)| is_wanted(option, about));
    wanted.map(|(option, _)| option.to_owned()).collect()
}

/// Classes of the package, its jars, the layers' jars: Lambda's order.
fn class_path([package, layers]: [&Jars; 2]) -> String {
    let mut path = CODE.to_owned();
    for (jars, top, folder) in [(package, CODE, PACKAGE_JARS), (layers, LAYERS, LAYER_JARS)] {
        for name in &jars.names {
            path.push_str(&format!(":{top}/{folder}/{name}"));
        }
    }
    if path.len() <= CLASS_PATH_BYTES_MAX {
        return path;
    }
    format!("{CODE}:{CODE}/{PACKAGE_JARS}/*:{LAYERS}/{LAYER_JARS}/*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jars(names: &[&str]) -> Jars {
        Jars { names: names.iter().map(|name| (*name).to_owned()).collect(), has_client: true }
    }

    #[test]
    fn the_package_comes_before_the_layers_on_the_class_path() {
        assert_eq!(
            class_path([&jars(&["a.jar", "b.jar"]), &jars(&["c.jar"])]),
            "/var/task:/var/task/lib/a.jar:/var/task/lib/b.jar:/opt/java/lib/c.jar"
        );
        assert_eq!(class_path([&jars(&[]), &jars(&[])]), "/var/task");
        let long = "x".repeat(CLASS_PATH_BYTES_MAX);
        let expected = "/var/task:/var/task/lib/*:/opt/java/lib/*";
        assert_eq!(class_path([&jars(&[&long]), &jars(&[])]), expected);
    }

    #[test]
    fn java_waits_from_the_version_on_that_can() {
        assert_eq!(waiting_arguments(256, 8, "1.8.0_402"), None);
        let older = waiting_arguments(256, 17, "17.0.15").expect("it can");
        let newer = waiting_arguments(256, 25, "25").expect("it can");
        assert_eq!(
            older[7..],
            ["-Xbootclasspath/a:/var/runtime", "-cp", "/var/task", LAUNCHER, CLIENT, "63"]
        );
        assert_eq!(newer[7], "--sun-misc-unsafe-memory-access=allow");
        assert_eq!((newer[8..].to_vec(), newer[..7].to_vec()), (older[7..].to_vec(), older[..7].to_vec()));
    }

    #[test]
    fn the_heap_is_in_proportion_to_the_memory() {
        for (memory_mib, heap) in [(128, 90_521), (512, 424_755), (10_240, 8_892_006)] {
            let first = &options(memory_mib, 21, &[])[0];
            assert_eq!(*first, format!("-XX:MaxHeapSize={heap}k"), "of {memory_mib} MiB");
        }
    }

    #[test]
    fn a_functions_own_options_take_the_place_of_ours() {
        let all = options(256, 17, &[]);
        assert_eq!(all.len(), 7);
        let without = |given: &[&str]| {
            let left = options(256, 17, given);
            let gone: Vec<String> = all.iter().filter(|option| !left.contains(option)).cloned().collect();
            gone.join(" ")
        };
        assert_eq!(without(&["-Dmine=1", "-verbose:class", "-XX:GCTimeRatio=4"]), "");
        assert!(without(&["-Xmx64m"]).starts_with("-XX:MaxHeapSize="));
        assert_eq!(without(&["-XX:+UseG1GC"]), "-XX:+UseSerialGC");
        assert_eq!(without(&["-XX:+TieredCompilation"]), "-XX:TieredStopAtLevel=1");
        assert!(!options(256, 11, &[]).iter().any(|option| option.contains("Tiered")));
    }
}
