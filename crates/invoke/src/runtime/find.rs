//! Looks for interpreters, asks them what they are, and lays out our half beside them.

mod java;

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{Family, Interpreter, NODE, PYTHON, RuntimeError, chosen};
pub use java::{feature_version, java};

/// An interpreter that says nothing for so long is none.
const ASK_MAX: Duration = Duration::from_secs(20);
/// Versions of Python 3 that are tried where the right one is missing.
const PYTHON_MINORS: std::ops::RangeInclusive<u32> = 8..=20;

/// Says what it is and compiles our half: source, compiled file, name in tracebacks.
const ASK_PYTHON: &str = "\
import os, py_compile, sys
py_compile.compile(sys.argv[1], sys.argv[2], sys.argv[3], doraise=True)
print('.'.join(map(str, sys.version_info[:3])))
print(os.path.realpath(sys.executable))
for path in {sys.base_prefix, sys.base_exec_prefix, os.path.dirname(os.__file__)}:
    print(os.path.realpath(path))
";

type Found = Result<(Interpreter, PathBuf), Arc<RuntimeError>>;

/// Finds `python3.{minor}`, or the nearest other Python 3.
pub async fn python(runtime: &str, minor: u32, search_path: &[PathBuf], directory: &Path) -> Found {
    let mut minors: Vec<u32> = PYTHON_MINORS.collect();
    // The nearest first, and of two as near the newer.
    minors.sort_by_key(|other| (other.abs_diff(minor), *other < minor));
    let names = minors.into_iter().map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]);
    let mut refusal = None;
    for program in names.filter_map(|name| on_path(&name, search_path)) {
        match ask_python(&program, minor, directory).await {
            Ok(found) => return Ok(found),
            Err(why) => refusal = refusal.or(Some((program, why))),
        }
    }
    Err(none(runtime, &format!("python3.{minor} or another Python 3"), refusal))
}

async fn ask_python(
    program: &Path,
    wanted_minor: u32,
    directory: &Path,
) -> io::Result<(Interpreter, PathBuf)> {
    let files = directory
        .join(format!("python-{}", digest(&[PYTHON.as_bytes(), program.to_string_lossy().as_bytes()])));
    let source = write(&files, "bootstrap.py", PYTHON.as_bytes())?;
    let compiled = files.join("bootstrap.pyc");
    let mut command = Command::new(program);
    command.args(["-I", "-S", "-c", ASK_PYTHON]).arg(source).arg(&compiled).arg("/var/runtime/bootstrap.py");
    let answer = ask(command).await?;
    let mut lines = answer.lines();
    let (Some(version), Some(program)) = (lines.next(), lines.next()) else {
        return Err(io::Error::other(format!("it says {answer:?}")));
    };
    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o644))?;
    let is_substitute = !version.starts_with(&format!("3.{wanted_minor}."));
    let needs = lines.map(PathBuf::from).filter(|path| *path != Path::new("/")).collect();
    let version = version.to_owned();
    Ok((Interpreter { program: program.into(), version, is_substitute, needs }, files))
}

/// The program that was chosen for a runtime, if it is an interpreter that can serve it.
pub async fn chosen(family: Family, program: &Path, directory: &Path) -> io::Result<(Interpreter, PathBuf)> {
    chosen::check_program(program)?;
    let found = match family {
        Family::Provided => return Err(io::Error::other("the runtime has no interpreter")),
        Family::Python(minor) => ask_python(program, minor, directory).await?,
        Family::Node(major) => ask_node(program, major, directory).await?,
        Family::Java(feature) => java::given(program, feature, directory).await?,
    };
    chosen::check_version(family, &found.0)?;
    Ok(found)
}

/// Finds `node{major}`, or the `node` there is.
pub async fn node(runtime: &str, major: u32, search_path: &[PathBuf], directory: &Path) -> Found {
    let names = [format!("node{major}"), "node".to_owned(), "nodejs".to_owned()];
    let mut refusal = None;
    for program in names.iter().filter_map(|name| on_path(name, search_path)) {
        match ask_node(&program, major, directory).await {
            Ok(found) => return Ok(found),
            Err(why) => refusal = refusal.or(Some((program, why))),
        }
    }
    Err(none(runtime, &format!("Node {major}, or another Node"), refusal))
}

async fn ask_node(program: &Path, wanted_major: u32, directory: &Path) -> io::Result<(Interpreter, PathBuf)> {
    let files = directory.join(format!("node-{}", digest(&[NODE.as_bytes()])));
    write(&files, "bootstrap.cjs", NODE.as_bytes())?;
    let mut command = Command::new(program);
    command.args(["-p", "process.version + '\\n' + fs.realpathSync(process.execPath)"]);
    let answer = ask(command).await?;
    let Some((version, program)) = answer.trim().split_once('\n') else {
        return Err(io::Error::other(format!("it says {answer:?}")));
    };
    let version = version.trim_start_matches('v').to_owned();
    let is_substitute = !version.starts_with(&format!("{wanted_major}."));
    let program = PathBuf::from(program);
    // Of `/opt/node/bin/node` what lies beside `bin`: shared libraries, certificates.
    let prefix = program.parent().filter(|bin| bin.ends_with("bin")).and_then(Path::parent);
    let needs = prefix.filter(|prefix| *prefix != Path::new("/")).map(Path::to_owned).into_iter().collect();
    Ok((Interpreter { program, version, is_substitute, needs }, files))
}

/// The first program of this name on the search path.
fn on_path(name: &str, search_path: &[PathBuf]) -> Option<PathBuf> {
    let mut places = search_path.iter().filter(|directory| directory.is_absolute());
    places.find_map(|directory| {
        let program = directory.join(name);
        let found = program.metadata().ok()?;
        let is_program = found.is_file() && found.permissions().mode() & 0o111 != 0;
        is_program.then(|| behind_shim(directory, &program, name)).flatten()
    })
}

/// What pyenv's shim of this name stands for: a script that starts the version which somebody has chosen, slowly, or none.
/// The program itself lies in `versions/{version}/bin` beside the shims; the newest is taken.
fn behind_shim(directory: &Path, program: &Path, name: &str) -> Option<PathBuf> {
    let mut start = [0; 2];
    let is_script = fs::File::open(program)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start == *b"#!");
    if !is_script || !directory.ends_with("shims") {
        return Some(program.to_owned());
    }
    let versions = directory.parent()?.join("versions");
    let numbers = |path: &Path| -> Vec<u32> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').map_while(|part| part.parse().ok()).collect()
    };
    let installed = fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let with_program = installed.filter(|version| version.join("bin").join(name).is_file());
    let newest = with_program.max_by_key(|version| numbers(version))?;
    Some(newest.join("bin").join(name))
}

/// What a program writes to its standard output.
async fn ask(command: Command) -> io::Result<String> {
    output(command).await.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a program writes, be it words or errors.
async fn ask_whole(command: Command) -> io::Result<String> {
    let output = output(command).await?;
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    Ok(texts.concat())
}

async fn output(mut command: Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let answered = tokio::time::timeout(ASK_MAX, command.output()).await;
    let output = answered.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("it says nothing");
    Err(io::Error::other(format!("{}: {last}", output.status)))
}

fn none(runtime: &str, wanted: &str, refusal: Option<(PathBuf, io::Error)>) -> Arc<RuntimeError> {
    let runtime = runtime.to_owned();
    Arc::new(match refusal {
        Some((program, why)) => {
            RuntimeError::Unusable { runtime, program: program.display().to_string(), why: why.to_string() }
        }
        None => RuntimeError::Absent { runtime, wanted: wanted.to_owned() },
    })
}

/// Puts a file that every function may read into a directory that every function may enter, in one step.
fn write(directory: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    let path = directory.join(name);
    if fs::read(&path).is_ok_and(|there| there == content) {
        return Ok(path);
    }
    let unfinished = tempfile_name(directory, name);
    fs::write(&unfinished, content)?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o644))?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

fn tempfile_name(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{name}-{}", uuid::Uuid::new_v4().simple()))
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
