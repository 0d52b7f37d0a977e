//! What a guest sees of processes, and how it ends.

use pitbird_sandbox::Sandbox;

use crate::support::{Code, launcher, processes_with, read_all, ready, run, shell, until, within};

#[tokio::test]
async fn only_its_own_processes_are_visible() {
    let Some(launcher) = launcher().await else { return };
    let said = shell(
        &launcher,
        &Code::new(),
        "cd /proc; echo [0-9]*; echo $$; hostname; cat /proc/self/cgroup | cut -d: -f3 | sort -u",
    )
    .await;
    assert_eq!(said, "1 2\n2\nlocalhost\n/\n");
}

#[tokio::test]
async fn status_and_signal_are_told_apart() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for (script, status, signal) in [
        ("exit 0", Some(0), None),
        ("exit 7", Some(7), None),
        ("kill -9 $$", None, Some(9)),
        ("kill -SEGV $$", None, Some(11)),
    ] {
        let (_, exit) = run(&launcher, code.shell(script)).await;
        assert_eq!((exit.code, exit.signal, exit.out_of_memory), (status, signal, false), "{script}");
    }
}

#[tokio::test]
async fn signals_to_everybody_reach_nobody_else() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let (other, _output) = ready(&launcher, &code, "exec sleep 60").await;
    let said =
        shell(&launcher, &code, "kill -9 1; kill -STOP 1; echo survived; (sleep 0.01 &); sleep 0.02").await;
    assert_eq!(
        said,
        "survived
"
    );
    // Everybody but process 1 and the sender, which is a child of the shell here.
    let (_, exit) = run(&launcher, code.shell("(kill -9 -1); echo survived")).await;
    assert_eq!(exit.signal, Some(9));
    let exited = tokio::time::timeout(std::time::Duration::ZERO, other.exited()).await;
    assert!(exited.is_err(), "{exited:?}");
}

#[tokio::test]
async fn the_programs_end_is_everybodys() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    // Three generations of daemons, each with its own session, deaf to signals and holding the output open.
    let marker = format!("60.{}1", std::process::id());
    let daemon = format!(
        "(trap '' HUP TERM INT; setsid sh -c \"trap '' HUP TERM; (sleep {marker} &) ; setsid sleep {marker} & exec sleep {marker}\" &)"
    );
    let (said, exit) = run(&launcher, code.shell(&format!("{daemon}; sleep 0.1; echo end"))).await;
    assert_eq!((said.as_str(), exit.code), ("end\n", Some(0)));
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[tokio::test]
async fn killing_leaves_no_process() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for (number, kill) in [Sandbox::kill, Sandbox::kill_runaway].into_iter().enumerate() {
        let marker = format!("60.{}2{number}", std::process::id());
        let script = format!(
            "trap '' TERM; for i in 1 2 3; do (setsid sleep {marker} &); done; while :; do sleep {marker}; done"
        );
        let (sandbox, output) = ready(&launcher, &code, &script).await;
        until("daemons run", || processes_with(&marker).len() == 4).await;
        kill(&sandbox);
        kill(&sandbox);
        let (first, second) = tokio::join!(within(sandbox.exited()), within(sandbox.exited()));
        assert_eq!(first, second);
        assert_eq!((first.code, first.signal, first.out_of_memory), (None, Some(9), false));
        assert_eq!(processes_with(&marker), Vec::<u32>::new());
        assert_eq!(read_all(output).await, "");
        kill(&sandbox);
        assert_eq!(within(sandbox.exited()).await, first);
    }
}

#[tokio::test]
async fn the_program_starts_with_default_signals() {
    let Some(launcher) = launcher().await else { return };
    let said = shell(&launcher, &Code::new(), "while read -r key value; do case $key in SigBlk:|SigIgn:) echo $value;; esac; done < /proc/self/status").await;
    let sets: Vec<u64> = said.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect();
    // 32 and 33 belong to the C library, which lets nobody change them; whoever started these tests may ignore them.
    let of_the_library = 0b11 << 31;
    assert_eq!((sets[0], sets[1] & !of_the_library), (0, 0), "{said}");
}
