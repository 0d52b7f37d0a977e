//! Programs that somebody has chosen for runtimes, in place of those that are looked for.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pitbird_sandbox::{Companions, Launcher, Sandbox, Spec};

use super::{Family, Interpreter, OPEN_FILES_MAX, PROCESSES_MAX, RUNTIMES, Runtime, RuntimeError, Runtimes};

/// A runtime, and the program that is to serve it whatever the search path has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenRuntime {
    /// Lambda's name of it: `python3.12`.
    pub runtime: String,
    /// Absolute path.
    pub program: PathBuf,
}

/// A program that does nothing within a sandbox has done so after this time.
const TRIAL_MAX: Duration = Duration::from_secs(20);
/// What it gets meanwhile, bytes; Java takes the most.
const TRIAL_MEMORY_BYTES: u64 = 512 << 20;
const TRIAL_TMP_BYTES: u64 = 1 << 20;
/// Of what it says, bytes.
const SAID_BYTES_MAX: u64 = 4096;

/// Oldest Python 3 that our half runs on, a minor version. Source: that of Lambda's oldest runtime, which our half is tested with.
const PYTHON_MINOR_MIN: u32 = 8;
/// Oldest Node that our half runs on, a major version. Source: that of Lambda's oldest runtime.
const NODE_MAJOR_MIN: u32 = 16;
/// Oldest Java that Lambda has a runtime for, a feature version.
const JAVA_FEATURE_MIN: u32 = 8;

/// Can all of these be obeyed? Asks each program what it is, and starts it in a sandbox once.
///
/// # Errors
/// For the first that can't: an unknown runtime, one that has no interpreter, one that is chosen for twice, a program that isn't there,
/// isn't what it should be, or doesn't start in a sandbox.
pub async fn check_chosen_runtimes(
    directory: PathBuf,
    chosen: &[ChosenRuntime],
    launcher: &Launcher,
) -> Result<(), Arc<RuntimeError>> {
    let runtimes = Runtimes::new(directory, Vec::new(), chosen)?;
    for choice in chosen {
        runtimes.find(&choice.runtime).await?.try_out(&choice.program, launcher).await?;
    }
    Ok(())
}

/// Whether each choice is for a runtime that has an interpreter, and the only one for it.
pub fn check(chosen: &[ChosenRuntime]) -> Result<(), RuntimeError> {
    for (at, ChosenRuntime { runtime, .. }) in chosen.iter().enumerate() {
        match RUNTIMES.iter().find(|(name, _)| name == runtime) {
            None => return Err(RuntimeError::Unknown { runtime: runtime.clone(), known: known() }),
            Some((_, Family::Provided)) => return Err(RuntimeError::WithoutInterpreter(runtime.clone())),
            Some(_) => {}
        }
        if chosen[..at].iter().any(|other| other.runtime == *runtime) {
            return Err(RuntimeError::ChosenTwice(runtime.clone()));
        }
    }
    Ok(())
}

fn known() -> String {
    let with_interpreter = RUNTIMES.iter().filter(|(_, family)| *family != Family::Provided);
    with_interpreter.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl RuntimeError {
    pub(super) fn chosen(runtime: &str, program: &Path, why: impl ToString) -> RuntimeError {
        let (runtime, program) = (runtime.to_owned(), program.display().to_string());
        RuntimeError::Chosen { runtime, program, why: why.to_string() }
    }
}

/// What can be said of a program before it is asked anything.
pub fn check_program(program: &Path) -> io::Result<()> {
    if !program.is_absolute() {
        return Err(io::Error::other("its path doesn't begin at /"));
    }
    let found = fs::metadata(program)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Err(io::Error::other("it is not executable"));
    }
    Ok(())
}

/// Is an interpreter of a version that can serve such runtimes at all? Which one of them, whoever chose it has to know.
pub fn check_version(family: Family, interpreter: &Interpreter) -> io::Result<()> {
    let version = &interpreter.version;
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (is_enough, wanted) = match family {
        Family::Provided => (true, String::new()),
        Family::Python(_) => {
            (major == 3 && minor >= PYTHON_MINOR_MIN, format!("a Python 3 from 3.{PYTHON_MINOR_MIN} on"))
        }
        Family::Node(_) => (major >= NODE_MAJOR_MIN, format!("a Node from {NODE_MAJOR_MIN} on")),
        Family::Java(_) => {
            let feature = super::find::feature_version(version).unwrap_or(0);
            (feature >= JAVA_FEATURE_MIN, format!("a Java from {JAVA_FEATURE_MIN} on"))
        }
    };
    if is_enough { Ok(()) } else { Err(io::Error::other(format!("it is {version}, and it takes {wanted}"))) }
}

impl Runtime {
    /// Starts the interpreter in a sandbox such as functions have, and lets it do nothing.
    pub async fn try_out(&self, program: &Path, launcher: &Launcher) -> Result<(), Arc<RuntimeError>> {
        let Some(interpreter) = &self.interpreter else { return Ok(()) };
        self.started(interpreter, launcher).await.map_err(|why| {
            Arc::new(RuntimeError::chosen(
                self.name,
                program,
                format!("it doesn't start in a sandbox: {why}"),
            ))
        })
    }

    async fn started(&self, interpreter: &Interpreter, launcher: &Launcher) -> Result<(), String> {
        let sandbox = launcher.launch(self.trial(interpreter)).await.map_err(|error| error.to_string())?;
        let ended = tokio::time::timeout(TRIAL_MAX, sandbox.exited()).await;
        let exit = ended.map_err(|_| format!("it goes on for longer than {} s", TRIAL_MAX.as_secs()))?;
        match exit.code {
            Some(0) => Ok(()),
            Some(code) => Err(format!("exit status {code}: {}", said(sandbox))),
            None => Err(format!("it is killed: {}", said(sandbox))),
        }
    }

    fn trial(&self, interpreter: &Interpreter) -> Spec {
        let args: &[&str] = match self.family {
            // With what our half imports first.
            Family::Python(_) => &["-S", "-s", "-B", "-X", "utf8", "-c", "import json, socket"],
            Family::Node(_) | Family::Provided => &["-e", "require('http')"],
            Family::Java(_) => &["-version"],
        };
        let files = self.files.clone().unwrap_or_default();
        Spec {
            program: interpreter.program.to_string_lossy().into_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            working_dir: "/".to_owned(),
            code: files.clone(),
            layers: None,
            runtime: Some(files),
            host_read_only: self.host_read_only.clone(),
            memory_bytes: TRIAL_MEMORY_BYTES,
            tmp_bytes: TRIAL_TMP_BYTES,
            processes_max: PROCESSES_MAX,
            open_files_max: OPEN_FILES_MAX,
            companions: Companions::default(),
            connectors: 0,
        }
    }
}

/// The last line that was written in a sandbox which has ended.
fn said(mut sandbox: Sandbox) -> String {
    let output = File::from(sandbox.take_output());
    let mut bytes = Vec::new();
    // What can't be read wasn't said.
    let _ = output.take(SAID_BYTES_MAX).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned()
}
