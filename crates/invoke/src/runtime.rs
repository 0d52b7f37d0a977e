//! Which program serves which of Lambda's runtimes on this host, and what it needs to see.
//!
//! Interpreters are the host's own, found when they are first asked for. A small program of ours ([`PYTHON`], [`NODE`]),
//! part of this binary, speaks the Runtime API for Python and Node. Java's functions bring AWS's client, for which another ([`JAVA`])
//! waits; custom runtimes bring their own `bootstrap`.

mod chosen;
mod environment_variables;
mod find;
mod interpreter;
mod java;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_names::Region;
use pitbird_records::FunctionVersion;
use pitbird_records::function::Settings;
use pitbird_sandbox::{CODE, Companions, LAYERS, Launcher, RUNTIME, Spec};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::code::Files;
use environment_variables::EXEC_WRAPPER;
pub use environment_variables::Made;

pub use chosen::{ChosenRuntime, check_chosen_runtimes};
pub use interpreter::Interpreter;

/// Our half of the Python runtime.
const PYTHON: &str = include_str!("../runtimes/python/bootstrap.py");
/// Our half of the Node runtime.
const NODE: &str = include_str!("../runtimes/node/bootstrap.cjs");
/// What waits for Java's functions.
const JAVA: &[u8] = include_bytes!("../runtimes/java/pitbird/Launcher.class");

/// Processes and threads of one environment. Source: Lambda's quotas.
const PROCESSES_MAX: u32 = 1024;
/// File descriptors of one process. Source: Lambda's quotas.
const OPEN_FILES_MAX: u32 = 1024;

/// The runtimes that [`Runtimes::find`] knows, each with what serves it.
const RUNTIMES: [(&str, Family); 19] = [
    ("provided.al2023", Family::Provided),
    ("provided.al2", Family::Provided),
    ("python3.8", Family::Python(8)),
    ("python3.9", Family::Python(9)),
    ("python3.10", Family::Python(10)),
    ("python3.11", Family::Python(11)),
    ("python3.12", Family::Python(12)),
    ("python3.13", Family::Python(13)),
    ("python3.14", Family::Python(14)),
    ("nodejs16.x", Family::Node(16)),
    ("nodejs18.x", Family::Node(18)),
    ("nodejs20.x", Family::Node(20)),
    ("nodejs22.x", Family::Node(22)),
    ("nodejs24.x", Family::Node(24)),
    ("java8.al2", Family::Java(8)),
    ("java11", Family::Java(11)),
    ("java17", Family::Java(17)),
    ("java21", Family::Java(21)),
    ("java25", Family::Java(25)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Provided,
    /// Python 3, with its minor version.
    Python(u32),
    /// Node, with its major version.
    Node(u32),
    /// Java, with its feature version.
    Java(u32),
}

/// Why a version's runtime can't be had.
#[derive(Debug, Error)]
pub enum RuntimeError {
    #[error("runtime {0} is not supported here")]
    Unsupported(String),
    #[error("runtime {runtime} needs {wanted}, and no such program is on this host's search path")]
    Absent { runtime: String, wanted: String },
    #[error("{program} was found for runtime {runtime} and can't be used: {why}")]
    Unusable { runtime: String, program: String, why: String },
    #[error("{program} was chosen for runtime {runtime} and can't be used: {why}")]
    Chosen { runtime: String, program: String, why: String },
    #[error("a program was chosen for {runtime}, and there is no such runtime; there are {known}")]
    Unknown { runtime: String, known: String },
    #[error("a program was chosen for {0}, whose functions bring their own")]
    WithoutInterpreter(String),
    #[error("two programs were chosen for {0}")]
    ChosenTwice(String),
}

/// What serves a runtime here, for `doctor` and the start line.
#[derive(Debug)]
pub struct RuntimeReport {
    pub runtime: &'static str,
    pub found: Result<Served, Arc<RuntimeError>>,
    /// Somebody says what is to serve it.
    pub is_chosen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// The function's own `bootstrap`, beside the host's programs and libraries.
    Bootstrap,
    /// The host's interpreter.
    Interpreter {
        program: PathBuf,
        version: String,
        /// It is another version than the runtime's name asks for.
        is_substitute: bool,
        /// Somebody says that it is to be this one.
        is_chosen: bool,
    },
}

impl std::fmt::Display for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Served::Bootstrap => f.write_str("the function's own bootstrap"),
            Served::Interpreter { program, version, is_substitute, is_chosen } => {
                write!(f, "{} ({version})", program.display())?;
                if *is_chosen {
                    f.write_str(", as chosen")?;
                }
                if *is_substitute { f.write_str(", another version than the name asks for") } else { Ok(()) }
            }
        }
    }
}

/// What would serve each runtime on this host, without an [`Invoker`](crate::Invoker). `directory` gets our halves of the
/// runtimes. With a launcher, programs that were chosen are tried in a sandbox.
///
/// # Errors
/// Where what was chosen makes no sense, whatever the programs are.
pub async fn runtimes(
    directory: PathBuf,
    search_path: Vec<PathBuf>,
    chosen: &[ChosenRuntime],
    launcher: Option<&Launcher>,
) -> Result<Vec<RuntimeReport>, RuntimeError> {
    let runtimes = Runtimes::new(directory, search_path, chosen)?;
    let mut reports = runtimes.report().await;
    for report in reports.iter_mut().filter(|report| report.is_chosen && report.found.is_ok()) {
        let (Some(launcher), Some(program)) = (launcher, runtimes.chosen.get(report.runtime)) else {
            continue;
        };
        let tried = match runtimes.find(report.runtime).await {
            Ok(runtime) => runtime.try_out(program, launcher).await,
            Err(error) => Err(error),
        };
        if let Err(error) = tried {
            report.found = Err(error);
        }
    }
    Ok(reports)
}

/// Finds and keeps what serves each runtime.
#[derive(Debug)]
pub(crate) struct Runtimes {
    /// For our halves of the runtimes.
    directory: PathBuf,
    search_path: Vec<PathBuf>,
    /// Programs that somebody has chosen, by the runtime.
    chosen: BTreeMap<&'static str, PathBuf>,
    known: Mutex<HashMap<&'static str, Arc<OnceCell<Arc<Runtime>>>>>,
}

/// What serves one runtime.
#[derive(Debug)]
pub(crate) struct Runtime {
    name: &'static str,
    family: Family,
    interpreter: Option<Interpreter>,
    is_chosen: bool,
    /// Our half, as the process sees it in `/var/runtime`.
    files: Option<PathBuf>,
    host_read_only: Vec<PathBuf>,
}

/// Neither code nor layers have what would be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEntryPoint {
    /// A custom runtime's `bootstrap`.
    Bootstrap,
    /// AWS's runtime interface client for Java.
    JavaClient,
}

impl Runtimes {
    /// # Errors
    /// Where what was chosen makes no sense.
    pub fn new(
        directory: PathBuf,
        search_path: Vec<PathBuf>,
        chosen: &[ChosenRuntime],
    ) -> Result<Runtimes, RuntimeError> {
        chosen::check(chosen)?;
        let program = |name: &str| Some(chosen.iter().find(|one| one.runtime == name)?.program.clone());
        let chosen = RUNTIMES.iter().filter_map(|(name, _)| Some((*name, program(name)?))).collect();
        Ok(Runtimes { directory, search_path, chosen, known: Mutex::default() })
    }

    /// What serves a runtime. What isn't found is looked for again the next time.
    pub async fn find(&self, name: &str) -> Result<Arc<Runtime>, Arc<RuntimeError>> {
        let Some((name, family)) = RUNTIMES.into_iter().find(|(known, _)| *known == name) else {
            return Err(Arc::new(RuntimeError::Unsupported(name.to_owned())));
        };
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(name).or_default().clone()
        };
        cell.get_or_try_init(|| self.look(name, family)).await.cloned()
    }

    async fn look(&self, name: &'static str, family: Family) -> Result<Arc<Runtime>, Arc<RuntimeError>> {
        let chosen = self.chosen.get(name);
        let (places, directory) = (&self.search_path, &self.directory);
        let found = match (chosen, family) {
            (_, Family::Provided) => None,
            (Some(program), _) => {
                let found = find::chosen(family, program, directory).await;
                Some(found.map_err(|why| Arc::new(RuntimeError::chosen(name, program, why)))?)
            }
            (None, Family::Python(minor)) => Some(find::python(name, minor, places, directory).await?),
            (None, Family::Node(major)) => Some(find::node(name, major, places, directory).await?),
            (None, Family::Java(feature)) => Some(find::java(name, feature, places, directory).await?),
        };
        let (interpreter, files) = found.unzip();
        let is_chosen = chosen.is_some();
        let mut host_read_only = pitbird_sandbox::system_read_only();
        if let Some(interpreter) = &interpreter {
            host_read_only.extend(interpreter.paths_beside(&host_read_only));
            if interpreter.is_substitute && !is_chosen {
                let Interpreter { program, version, .. } = interpreter;
                tracing::warn!(runtime = name, program = %program.display(), version, "another version serves this runtime");
            }
        }
        Ok(Arc::new(Runtime { name, family, interpreter, is_chosen, files, host_read_only }))
    }

    /// What serves each runtime that AWS lets new functions have. Looks for all interpreters, so it takes its time.
    pub async fn report(&self) -> Vec<RuntimeReport> {
        let mut reports = Vec::new();
        for (runtime, _) in RUNTIMES {
            let found = self.find(runtime).await.map(|runtime| runtime.served());
            reports.push(RuntimeReport { runtime, found, is_chosen: self.chosen.contains_key(runtime) });
        }
        reports
    }

    /// A version's runtime as `INIT_START` names it, and its ARN.
    pub fn version(&self, record: &FunctionVersion) -> (String, String) {
        let name = &record.settings.runtime;
        let split = name.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(name.len());
        let (language, version) = name.split_at(split);
        let version = version.trim_start_matches('.').trim_end_matches(".x");
        (format!("{language}:{version}.v1"), runtime_version_arn(&record.scope.region, name))
    }
}

/// `RuntimeVersionArn` of a runtime: as long as AWS's, and the same wherever it is shown.
pub fn runtime_version_arn(region: &Region, runtime: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(runtime) {
        write!(hex, "{byte:02x}").expect("a String takes everything");
    }
    format!("arn:aws:lambda:{region}::runtime:{hex}")
}

impl Runtime {
    pub fn served(&self) -> Served {
        match &self.interpreter {
            None => Served::Bootstrap,
            Some(Interpreter { program, version, is_substitute, .. }) => Served::Interpreter {
                program: program.clone(),
                version: version.clone(),
                is_substitute: *is_substitute,
                is_chosen: self.is_chosen,
            },
        }
    }

    /// Reads of code and layers what [`Runtime::spec`] needs to know, where that takes a while.
    pub async fn study(&self, files: &Files) {
        if let Family::Java(_) = self.family {
            let files = files.clone();
            let read = move || files.jars().len();
            // If it fails they are read later.
            let _ = tokio::task::spawn_blocking(read).await;
        }
    }

    /// How to start one environment of a version.
    pub fn spec(
        &self,
        record: &FunctionVersion,
        files: &Files,
        made: &Made<'_>,
    ) -> Result<Spec, NoEntryPoint> {
        let settings = &record.settings;
        let (program, args) = self.command(record, files)?;
        let (program, args) = match self.wrapper(settings) {
            // It is to end by executing its arguments.
            Some(wrapper) => (wrapper.clone(), std::iter::once(program).chain(args).collect()),
            None => (program, args),
        };
        let mib = |count: u32| u64::from(count) << 20;
        Ok(Spec {
            program,
            args,
            env: self.variables(record, made).into_iter().collect(),
            working_dir: CODE.to_owned(),
            code: files.code.path.clone(),
            layers: files.layers.as_ref().map(|layers| layers.path.clone()),
            runtime: self.files.clone(),
            host_read_only: self.host_read_only.clone(),
            memory_bytes: mib(settings.memory_mib),
            tmp_bytes: mib(settings.tmp_mib),
            processes_max: PROCESSES_MAX,
            open_files_max: OPEN_FILES_MAX,
            companions: Companions::default(),
            connectors: 0,
        })
    }

    /// What an interpreter that waits for functions such as this starts with. `None` if it must start with what is the
    /// function's own.
    pub fn template(&self, record: &FunctionVersion, files: &Files) -> Option<Spec> {
        let interpreter = self.interpreter.as_ref()?;
        let mut env = environment_variables::before_a_function(record, self.name)?;
        let made = Made { log_stream: "", endpoint_url: None, credentials: None, is_provisioned: false };
        let spec = self.spec(record, files, &made).ok()?;
        if let Family::Java(feature) = self.family {
            if files.has_native_libraries() {
                return None;
            }
            let args = java::waiting_arguments(record.settings.memory_mib, feature, &interpreter.version)?;
            env.extend(java::room());
            // Java remembers where it was started.
            return Some(Spec { args, working_dir: CODE.to_owned(), ..spec.without_function(env) });
        }
        (!files.has_libraries()).then(|| spec.without_function(env))
    }

    /// A program of the function's that starts its managed runtime. Source: Lambda developer guide, "Modifying the runtime
    /// environment", wrapper scripts.
    fn wrapper<'s>(&self, settings: &'s Settings) -> Option<&'s String> {
        self.interpreter.as_ref()?;
        settings.environment.as_ref()?.get(EXEC_WRAPPER).filter(|wrapper| !wrapper.is_empty())
    }

    fn command(
        &self,
        record: &FunctionVersion,
        files: &Files,
    ) -> Result<(String, Vec<String>), NoEntryPoint> {
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let Some(interpreter) = &self.interpreter else {
            let places = [(Some(&files.code), CODE), (files.layers.as_ref(), LAYERS)];
            let found = places.into_iter().find_map(|(directory, seen_as)| {
                // Not followed: where a link leads is for the sandbox to see.
                let bootstrap = directory?.path.join("bootstrap").symlink_metadata();
                bootstrap.is_ok_and(|found| !found.is_dir()).then(|| format!("{seen_as}/bootstrap"))
            });
            return found.map(|program| (program, Vec::new())).ok_or(NoEntryPoint::Bootstrap);
        };
        let program = interpreter.program.to_string_lossy().into_owned();
        let args = match self.family {
            // Without `site` and its search for packages, which are the host's; with UTF-8 whatever the locale.
            Family::Python(_) => text(&["-S", "-s", "-B", "-X", "utf8", &format!("{RUNTIME}/bootstrap.pyc")]),
            Family::Java(feature) => java::arguments(&record.settings, feature, files)?,
            Family::Node(_) | Family::Provided => {
                let heap_mib = record.settings.memory_mib - record.settings.memory_mib / 10;
                text(&[&format!("--max-old-space-size={heap_mib}"), &format!("{RUNTIME}/bootstrap.cjs")])
            }
        };
        Ok((program, args))
    }

    fn variables(&self, record: &FunctionVersion, made: &Made<'_>) -> BTreeMap<String, String> {
        let is_managed = self.interpreter.is_some();
        environment_variables::of(record, is_managed.then_some(self.name), made)
    }
}

#[cfg(test)]
mod tests;
