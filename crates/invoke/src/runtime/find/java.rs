//! Java is no one program of a name: installations lie beside each other, each with its own `bin/java`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tokio::process::Command;

use super::super::{Interpreter, JAVA};
use super::{Found, ask_whole, digest, none, on_path, write};

/// Installations that are looked at.
const INSTALLATIONS_MAX: usize = 32;
/// Links of one installation that are followed, each over so many steps at most.
const LINKS_MAX: usize = 1000;
const STEPS_MAX: usize = 8;
/// How deep `conf` and `lib` of an installation are read.
const DEPTH_MAX: usize = 6;

/// Finds Java of this feature version: `java` on the search path, or in `lib/jvm` beside one of its directories, where
/// distributions put theirs. If it isn't there: the next newer one, which runs what older ones do, else the newest.
pub async fn java(runtime: &str, feature: u32, search_path: &[PathBuf], directory: &Path) -> Found {
    let mut programs = Vec::new();
    for program in installed(search_path) {
        let version = match said_version(&program) {
            Some(version) => Some(version),
            None => ask(&program, feature).await.ok().and_then(|found| feature_version(&found.version)),
        };
        programs.push((program, version));
    }
    // Functions with layers see those in `/opt`, not what the host has there.
    programs.sort_by_key(|(program, version)| (rank(*version, feature), program.starts_with("/opt")));
    let mut refusal = None;
    for (program, _) in programs {
        match ask(&program, feature).await {
            Ok(found) => match lay_out(directory) {
                Ok(files) => return Ok((found, files)),
                Err(why) => refusal = refusal.or(Some((program, why))),
            },
            Err(why) => refusal = refusal.or(Some((program, why))),
        }
    }
    Err(none(runtime, &format!("Java {feature}, or another Java"), refusal))
}

/// Java as this program starts it.
pub async fn given(program: &Path, feature: u32, directory: &Path) -> io::Result<(Interpreter, PathBuf)> {
    let found = ask(program, feature).await?;
    Ok((found, lay_out(directory)?))
}

/// What waits for functions, in the directory of its package.
fn lay_out(directory: &Path) -> io::Result<PathBuf> {
    let files = directory.join(format!("java-{}", digest(&[JAVA])));
    write(&files.join("pitbird"), "Launcher.class", JAVA)?;
    fs::set_permissions(&files, fs::Permissions::from_mode(0o755))?;
    Ok(files)
}

/// The less the better.
fn rank(version: Option<u32>, wanted: u32) -> (u32, u32) {
    match version {
        Some(version) if version >= wanted => (0, version - wanted),
        Some(version) => (1, wanted - version),
        None => (2, 0),
    }
}

/// Programs named `java`, without links in their paths, in the order of the search path.
fn installed(search_path: &[PathBuf]) -> Vec<PathBuf> {
    let own = search_path.iter().filter_map(|directory| on_path("java", std::slice::from_ref(directory)));
    let beside = search_path.iter().filter(|directory| directory.is_absolute()).flat_map(|directory| {
        let entries = fs::read_dir(directory.join("../lib/jvm")).into_iter().flatten().flatten();
        let mut programs: Vec<PathBuf> = entries.map(|entry| entry.path().join("bin/java")).collect();
        programs.sort_unstable();
        programs
    });
    let mut seen = BTreeSet::new();
    let all = own.chain(beside).filter_map(|program| fs::canonicalize(program).ok());
    all.filter(|program| program.is_file() && seen.insert(program.clone())).take(INSTALLATIONS_MAX).collect()
}

/// The feature version that the file beside an installation's `bin` says.
fn said_version(program: &Path) -> Option<u32> {
    let home = program.parent()?.parent()?;
    let release = fs::read_to_string(home.join("release")).ok()?;
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    feature_version(version.trim_matches('"'))
}

/// 8 of `1.8.0_412`, 17 of `17.0.15`.
pub fn feature_version(version: &str) -> Option<u32> {
    let version = version.strip_prefix("1.").unwrap_or(version);
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn ask(program: &Path, wanted: u32) -> io::Result<Interpreter> {
    let mut command = Command::new(program);
    command.args(["-XshowSettings:properties", "-version"]);
    for variable in ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"] {
        command.env_remove(variable);
    }
    let answer = ask_whole(command).await?;
    let property = |name: &str| {
        answer.lines().find_map(|line| line.trim().strip_prefix(name)?.trim_start().strip_prefix("= "))
    };
    let (Some(version), Some(home)) = (property("java.version"), property("java.home")) else {
        return Err(io::Error::other("it does not say its version and where it is"));
    };
    let home = fs::canonicalize(home)?;
    let program = fs::canonicalize(home.join("bin/java"))?;
    let is_substitute = feature_version(version) != Some(wanted);
    let mut needs = vec![home.clone()];
    needs.extend(linked(&home));
    Ok(Interpreter { program, version: version.to_owned(), is_substitute, needs })
}

/// What an installation's `conf` and `lib` lead to elsewhere: Debian keeps settings under `/etc/java-17-openjdk`, Fedora under
/// `/etc/java`, and certificates are the system's.
fn linked(home: &Path) -> BTreeSet<PathBuf> {
    let mut links = Vec::new();
    for directory in ["conf", "lib"] {
        collect_links(&home.join(directory), DEPTH_MAX, &mut links);
    }
    let mut needs = BTreeSet::new();
    for link in links {
        let mut place = link;
        for _ in 0..STEPS_MAX {
            let Ok(target) = fs::read_link(&place) else { break };
            place = without_detours(&place.parent().unwrap_or(Path::new("/")).join(target));
            if place.starts_with(home) || !place.exists() {
                break;
            }
            needs.insert(settings_of_java(&place).unwrap_or(place.clone()));
        }
    }
    needs
}

fn collect_links(directory: &Path, depth_left: usize, links: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() && links.len() < LINKS_MAX {
            links.push(entry.path());
        } else if kind.is_dir() && depth_left > 0 {
            collect_links(&entry.path(), depth_left - 1, links);
        }
    }
}

/// Without `..`, as far as no link is concerned.
fn without_detours(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// `/etc/java-17-openjdk` of what lies in it: all of it is Java's, and one directory is less to show than its many files.
fn settings_of_java(path: &Path) -> Option<PathBuf> {
    let first = path.strip_prefix("/etc").ok()?.components().next()?;
    let directory = Path::new("/etc").join(first);
    let is_javas = first.as_os_str().to_string_lossy().starts_with("java");
    (is_javas && directory.is_dir()).then_some(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// An installation that says it is of this version.
    fn install(home: &Path, version: &str) {
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::create_dir_all(home.join("lib/security")).unwrap();
        fs::write(home.join("release"), format!("LIBC=\"gnu\"\nJAVA_VERSION=\"{version}\"\n")).unwrap();
        let said = format!("    java.home = {}\n    java.version = {version}\n", home.display());
        fs::write(home.join("bin/java"), format!("#!/bin/sh\ncat >&2 <<E\n{said}E\n")).unwrap();
        fs::set_permissions(home.join("bin/java"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn the_right_version_is_taken_else_the_next_newer_else_the_newest() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        for version in ["1.8.0_412", "17.0.15", "21.0.2"] {
            install(&top.join("lib/jvm").join(version), version);
        }
        // Not all say it in a file.
        fs::remove_file(top.join("lib/jvm/1.8.0_412/release")).unwrap();
        fs::create_dir(top.join("bin")).unwrap();
        symlink("../lib/jvm/17.0.15/bin/java", top.join("bin/java")).unwrap();
        let search_path = [top.join("bin")];
        for (wanted, version, is_substitute) in [
            (8, "1.8.0_412", false),
            (11, "17.0.15", true),
            (17, "17.0.15", false),
            (21, "21.0.2", false),
            (25, "21.0.2", true),
        ] {
            let (found, files) = java("j", wanted, &search_path, &top.join("runtimes")).await.unwrap();
            assert_eq!(fs::read(files.join("pitbird/Launcher.class")).unwrap(), JAVA);
            assert_eq!((found.version.as_str(), found.is_substitute), (version, is_substitute));
            assert_eq!(found.program, top.join("lib/jvm").join(version).join("bin/java"));
        }
        install(&top.join("elsewhere"), "25.0.1");
        let search_path = [top.join("bin"), top.join("elsewhere/bin")];
        assert_eq!(
            java("j", 25, &search_path, &top.join("runtimes")).await.unwrap().0.version,
            "25.0.1",
            "all of the path counts"
        );
    }

    #[tokio::test]
    async fn one_that_does_not_start_is_said_or_passed_over() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        fs::create_dir(top.join("bin")).unwrap();
        install(&top.join("lib/jvm/broken"), "21.0.2");
        fs::write(top.join("lib/jvm/broken/bin/java"), "#!/bin/sh\necho no libjvm.so >&2\nexit 1\n").unwrap();
        let search_path = [top.join("bin")];
        let error = java("java21", 21, &search_path, &top.join("runtimes")).await.unwrap_err().to_string();
        assert!(error.contains("broken/bin/java") && error.contains("no libjvm.so"), "{error}");
        install(&top.join("lib/jvm/whole"), "17.0.15");
        assert_eq!(
            java("java21", 21, &search_path, &top.join("runtimes")).await.unwrap().0.version,
            "17.0.15"
        );
    }

    #[test]
    fn what_an_installation_links_to_is_shown_and_no_more() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        let home = top.join("home");
        install(&home, "17.0.15");
        fs::create_dir(top.join("certificates")).unwrap();
        for name in ["certificates/all", "certificates/key", "jvm.cfg"] {
            fs::write(top.join(name), "").unwrap();
        }
        symlink("../../jvm.cfg", home.join("lib/jvm.cfg")).unwrap();
        symlink("jvm.cfg", home.join("lib/inside.cfg")).unwrap();
        symlink("../../nowhere", home.join("lib/gone")).unwrap();
        symlink(top.join("step"), home.join("lib/security/cacerts")).unwrap();
        symlink("certificates/all", top.join("step")).unwrap();
        let expected = ["certificates/all", "jvm.cfg", "step"].map(|name| top.join(name));
        assert_eq!(linked(&home), expected.into());
        assert_eq!(settings_of_java(Path::new("/etc/ssl/private/key")), None);
    }
}
