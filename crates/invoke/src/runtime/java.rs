//! How a Java function is started: the host's Java with AWS's runtime interface client, which the function brings.

use pitbird_records::function::Settings;
use pitbird_sandbox::{CODE, LAYERS};

use super::NoEntryPoint;
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
