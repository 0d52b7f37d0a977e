//! Programs that start before anybody knows for which function: what they become is what a fresh start gives.

use pitbird_sandbox::{CgroupVersion, Error, Launcher, Parked, ROOM_VARIABLE, Sandbox, Spec};

use crate::support::{Code, launcher, read_all, read_line, run, skip, until, within};

/// A program that can be parked: waits for its function's environment, then does what `$SCRIPT` says.
const PROGRAM: &str = r#"
if [ -n "$_PITBIRD_IDENTITY" ]; then
    before=$(ls -A /var/task /opt; cat /proc/self/mountinfo | grep -c /tmp)
    printf r >&$_PITBIRD_IDENTITY
    mapfile -d '' -t told <&$_PITBIRD_IDENTITY
    while IFS== read -r name _; do unset "$name"; done < <(env)
    wait
    printf t >&63
    exec 63>&-
    cd "${told[0]}"
    for variable in "${told[@]:1}"; do export "$variable"; done
fi
eval "$SCRIPT"
"#;

fn spec(code: &Code, script: &str) -> Spec {
    let mut spec = code.spec("/bin/bash", &["-c", PROGRAM]);
    spec.env.push(("SCRIPT".to_owned(), script.to_owned()));
    spec
}

/// A parked program for functions like this one.
async fn park(launcher: &Launcher, spec: &Spec) -> Parked {
    let env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    within(launcher.park(spec.without_function(env))).await.expect("it waits")
}

async fn adopted(launcher: &Launcher, spec: &Spec) -> Sandbox {
    within(park(launcher, spec).await.adopt(spec)).await.expect("it takes its function")
}

/// Launchers with Bash under them, which reads what comes with a NUL behind it.
async fn launcher_with_bash() -> Option<Launcher> {
    if !std::path::Path::new("/bin/bash").exists() {
        skip("no /bin/bash");
        return None;
    }
    launcher().await
}

#[tokio::test]
async fn what_it_sees_is_what_a_fresh_start_sees() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let layers = code.beside("layers");
    std::fs::create_dir(&layers).unwrap();
    std::fs::write(layers.join("layer.txt"), "layer").unwrap();
    // Of mounts all but their numbers, which the kernel counts up.
    // What Bash itself does at the moment, as with signals and the ends of a pipeline, is a matter of luck and isn't looked at,
    // nor is what the first process blocks, which is less while it waits for a signal.
    let script = r#"
env | grep -vE "^(PWD|OLDPWD|SHLVL|_)=" | sort; pwd; ls -lA /var/task /opt /tmp; umask; ulimit -a; ulimit -H -a; cat /proc/self/cgroup
for process in self 1; do
    grep -E '^(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp.*|SigIgn|Threads|NSsid):' /proc/$process/status
done; grep SigBlk /proc/self/status; echo $$
cat /proc/self/oom_score_adj; cut -d' ' -f18,19,41 /proc/self/stat; tr '\0' ' ' < /proc/$$/cmdline
cut -d' ' -f4- /proc/self/mountinfo | sed 's/uid=[0-9]*,gid=[0-9]*//' | sort
ls -l /proc/$$/fd > /tmp/seen; sed -n 's/.* \([0-9]* -> [^0-9]*\).*/\1/p' /tmp/seen
cat /proc/1/environ 2>&1; echo x > /var/task/x; echo x > /opt/x; df --output=size /tmp
"#;
    let mut spec = spec(&code, script);
    spec.layers = Some(layers);
    spec.env.push(("EMPTY".to_owned(), String::new()));
    spec.env.push(("LINES_AND_SIGNS".to_owned(), "a = b\nü=c".to_owned()));
    let (fresh, exit) = run(&launcher, spec.clone()).await;
    assert_eq!(exit.code, Some(0), "{fresh}");
    assert!(fresh.contains("layer.txt") && fresh.contains("own.txt"), "{fresh}");
    let mut sandbox = adopted(&launcher, &spec).await;
    let parked = read_all(sandbox.take_output()).await;
    assert_eq!(within(sandbox.exited()).await, exit);
    pretty_equal(&fresh, &parked);
}

/// Of two long texts, where they begin to differ.
fn pretty_equal(one: &str, other: &str) {
    for (one, other) in one.lines().zip(other.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(one.lines().count(), other.lines().count(), "{one}\n\n{other}");
}

/// A program that looks for its variables late finds the function's; one without enough room for them is of no use.
#[tokio::test]
async fn where_there_is_room_the_variables_are_the_functions() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let mut spec = spec(&code, r"tr '\0' '\n' < /proc/$$/environ | grep . | sort; pwd");
    spec.env.push(("SIGNS".to_owned(), "a = ü".to_owned()));
    let park = async |spec: &Spec, length: usize| {
        let mut env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        env.extend((0..40).map(|number| (format!("_{number}"), String::new())));
        env.push((ROOM_VARIABLE.to_owned(), "x".repeat(length)));
        within(launcher.park(spec.without_function(env))).await.expect("it waits")
    };
    let mut sandbox = within(park(&spec, 4096).await.adopt(&spec)).await.expect("it takes its function");
    let mut expected: Vec<String> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    expected.push("AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001".to_owned());
    expected.sort();
    let seen = read_all(sandbox.take_output()).await;
    assert_eq!(seen, expected.join("\n") + "\n/var/task\n");
    spec.env.push(("LONG".to_owned(), "l".repeat(8192)));
    let refused = within(park(&spec, 4096).await.adopt(&spec)).await;
    assert!(matches!(refused, Err(Error::Program { .. })), "{refused:?}");
}

#[tokio::test]
async fn until_its_function_comes_it_sees_none() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let spec = spec(&code, "echo \"$before.\"");
    let mut sandbox = adopted(&launcher, &spec).await;
    assert_eq!(read_all(sandbox.take_output()).await, "/opt:\n\n/var/task:\n0.\n");
}

#[tokio::test]
async fn the_functions_limits_hold() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    // The program itself grows, not a child of its: with groups of the first version it might say more before it follows that.
    let mut eats = spec(&code, r"echo eating; x=$(head -c 200m /dev/zero | tr '\0' x); echo survived");
    eats.memory_bytes = 64 << 20;
    let mut sandbox = adopted(&launcher, &eats).await;
    assert_eq!(read_all(sandbox.take_output()).await, "eating\n");
    let exit = within(sandbox.exited()).await;
    assert_eq!((exit.signal, exit.code, exit.out_of_memory), (Some(9), None, true));

    let mut fills = spec(&code, "head -c 4m /dev/zero > /tmp/a; stat -c %s /tmp/a");
    fills.tmp_bytes = 1 << 20;
    let mut sandbox = adopted(&launcher, &fills).await;
    let said = read_all(sandbox.take_output()).await;
    assert!(said.contains("No space left") && said.ends_with("\n1048576\n"), "{said}");

    if launcher.report().cgroups == CgroupVersion::None {
        return skip("no control groups");
    }
    let mut forks = spec(&code, "for i in {1..40}; do sleep 60 & done 2>&1; jobs -p | wc -l");
    forks.processes_max = 16;
    let mut sandbox = adopted(&launcher, &forks).await;
    let said = read_line(sandbox.take_output()).await.0;
    assert!(said.contains("Resource temporarily unavailable"), "{said}");
}

#[tokio::test]
async fn it_is_for_one_program_only_and_for_one_function() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let one = spec(&code, "cat /proc/$$/environ /var/task/own.txt > /tmp/seen; sleep 60");
    for change in [
        |spec: &mut Spec| spec.args.push("more".to_owned()),
        |spec: &mut Spec| spec.program = "/bin/sh".to_owned(),
        |spec: &mut Spec| spec.runtime = Some("/usr".into()),
        |spec: &mut Spec| drop(spec.host_read_only.pop()),
        |spec: &mut Spec| spec.open_files_max += 1,
    ] {
        let parked = park(&launcher, &one).await;
        let mut other = one.clone();
        change(&mut other);
        let refused = within(parked.adopt(&other)).await;
        assert!(matches!(refused, Err(Error::Spec(_))), "{refused:?}");
    }
    // Two that were parked alike are apart.
    let (first, second) = (park(&launcher, &one).await, park(&launcher, &one).await);
    assert_ne!(first.pid(), second.pid());
    let _first = within(first.adopt(&one)).await.unwrap();
    let looks = spec(&code, "ls -A /tmp; grep -lx sleep /proc/[0-9]*/comm 2>/dev/null; echo alone");
    let mut second = within(second.adopt(&looks)).await.unwrap();
    assert_eq!(read_all(second.take_output()).await, "alone\n");
}

#[tokio::test]
async fn one_that_dies_is_told_and_takes_no_function() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let spec = spec(&code, "echo never");
    let parked = park(&launcher, &spec).await;
    assert!(!parked.has_ended());
    let ended = parked.ended();
    kill_guest(parked.pid());
    within(ended).await;
    assert!(parked.has_ended());
    assert!(within(parked.adopt(&spec)).await.is_err());

    // The function comes before the death is known.
    let parked = park(&launcher, &spec).await;
    kill_guest(parked.pid());
    let taken = within(parked.adopt(&spec)).await;
    assert!(taken.is_err(), "{taken:?}");

    let mut dies = spec.clone();
    dies.args = vec!["-c".to_owned(), "exit 3".to_owned()];
    let never = within(launcher.park(dies.without_function(Vec::new()))).await;
    assert!(never.is_err(), "{never:?}");
}

/// Kills the program in a sandbox, not its first process.
fn kill_guest(first: u32) {
    let children =
        std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).expect("it is there");
    let guest = children.split_whitespace().next().and_then(|pid| pid.parse().ok());
    let guest = guest.and_then(rustix::process::Pid::from_raw).expect("it has a child");
    rustix::process::kill_process(guest, rustix::process::Signal::KILL).expect("it can be killed");
}

#[tokio::test]
async fn dropping_or_shutting_down_leaves_nothing() {
    let Some(launcher) = launcher_with_bash().await else { return };
    let code = Code::new();
    let spec = spec(&code, "sleep 60");
    let is_gone = |pid: u32| move || !std::path::Path::new(&format!("/proc/{pid}")).exists();
    let parked = park(&launcher, &spec).await;
    let pid = parked.pid();
    drop(parked);
    until("a dropped one is gone", is_gone(pid)).await;
    let parked = park(&launcher, &spec).await;
    within(launcher.shutdown()).await;
    assert!(is_gone(parked.pid())());
    assert!(matches!(within(parked.adopt(&spec)).await, Err(Error::SpawnerEnded)));
}
