//! What a guest sees of the host's files, and what it can write.

use crate::support::{Code, launcher, run, shell, skip};

#[tokio::test]
async fn the_root_holds_only_what_a_function_needs() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let said = shell(&launcher, &code, "ls -A / /dev /var /etc /home").await;
    let listed: Vec<&str> = said.split_whitespace().collect();
    for absent in [
        "root", "boot", "srv", "mnt", "run", "sys", "shadow", "hostname", "ssh", "lib64x", "log", "shm",
        "pts",
    ] {
        assert!(!listed.contains(&absent), "{absent} is visible:\n{said}");
    }
    for present in ["tmp", "var", "usr", "proc", "task", "null", "urandom", "passwd"] {
        assert!(listed.contains(&present), "{present} is missing:\n{said}");
    }
}

#[tokio::test]
async fn without_host_paths_nothing_of_the_host_is_there() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(()) = crate::code::add_static_lister(&code) else { return };
    let mut spec = code.spec("/var/task/bootstrap", &["/", "/etc", "/usr", "/lib"]);
    spec.host_read_only.clear();
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!(exit.code, Some(0), "{said}");
    let mut listed: Vec<&str> = said.lines().collect();
    listed.sort_unstable();
    let root = ["/dev", "/etc", "/home", "/opt", "/proc", "/tmp", "/var"];
    let etc = ["/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/passwd", "/etc/resolv.conf"];
    let mut expected: Vec<&str> = root.into_iter().chain(etc).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn secrets_of_the_host_cannot_be_read() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script = "for path in /etc/shadow /root/. /proc/1/root/. /proc/1/environ /proc/1/mem /proc/1/fd/. /proc/1/cwd/. \
                  /proc/kcore /proc/kmsg /sys/kernel/. /var/log/. /boot/.; do \
                  if head -c 1 $path >/dev/null 2>&1 || ls $path >/dev/null 2>&1; then case $path in \
                  /proc/1/environ|/proc/1/mem|/proc/kcore|/proc/kmsg) head -c1 $path >/dev/null 2>&1 && echo open $path;; \
                  *) echo open $path;; esac; fi; done; echo done";
    let said = shell(&launcher, &code, script).await;
    assert_eq!(said, "done\n");
}

#[tokio::test]
async fn code_root_and_host_paths_are_read_only() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    // World-writable on the host on purpose: the mount forbids it, not the mode.
    std::fs::set_permissions(code.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let script = "for place in /var/task /var /opt /usr /usr/bin /etc /dev /proc /; do \
                  touch $place/new 2>/dev/null && echo written $place; done; \
                  echo more 2>/dev/null >> own.txt && echo appended; rm -f own.txt 2>/dev/null && echo removed; \
                  chmod 777 own.txt 2>/dev/null && echo changed; cat own.txt";
    let said = shell(&launcher, &code, script).await;
    assert_eq!(said, "own\n");
    assert_eq!(std::fs::read_to_string(code.path().join("own.txt")).unwrap(), "own\n");
}

#[tokio::test]
async fn links_in_the_code_lead_nowhere_outside() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    std::fs::create_dir(code.beside("other")).unwrap();
    std::fs::write(code.beside("other/secret"), "other function's code").unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, code.path().join(name)).unwrap();
    link("/etc/shadow", "absolute");
    link("../../../../../../../../etc/shadow", "upwards");
    link("../other/secret", "sideways");
    link("../other", "folder");
    link(code.beside("other/secret").to_str().unwrap(), "by-host-name");
    link("/proc/1/root/etc/shadow", "through-proc");
    let said = shell(
        &launcher,
        &code,
        "cat absolute upwards sideways folder/secret by-host-name through-proc 2>/dev/null; ls -d .. ; ls ..",
    )
    .await;
    assert!(!said.contains("root:") && !said.contains("secret") && !said.contains("other"), "{said}");
    assert!(said.starts_with("..\n"), "{said}");
}

#[tokio::test]
async fn layers_and_runtime_are_where_they_belong() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for (folder, file) in [("layers", "layer.txt"), ("shims", "shim.txt")] {
        std::fs::create_dir(code.beside(folder)).unwrap();
        std::fs::write(code.beside(folder).join(file), file).unwrap();
    }
    let mut spec = code.shell("cat /opt/layer.txt /var/runtime/shim.txt; touch /opt/x /var/runtime/x 2>/dev/null; ls /opt /var/runtime");
    spec.layers = Some(code.beside("layers"));
    spec.runtime = Some(code.beside("shims"));
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!(
        (said.as_str(), exit.code),
        ("layer.txtshim.txt/opt:\nlayer.txt\n\n/var/runtime:\nshim.txt\n", Some(0))
    );
}

#[tokio::test]
async fn tmp_is_private_empty_and_gone_afterwards() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let first = shell(
        &launcher,
        &code,
        "ls -A /tmp; echo mine > /tmp/file; cp /bin/echo /tmp/run; /tmp/run ran; cat /tmp/file",
    )
    .await;
    assert_eq!(first, "ran\nmine\n");
    let second = shell(&launcher, &code, "ls -A /tmp; ls -ld /tmp | cut -c1-10").await;
    assert_eq!(second, "drwx------\n");
}

#[tokio::test]
async fn tmp_is_limited_in_bytes_and_files() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let said = shell(
        &launcher,
        &code,
        "head -c 9000000 /dev/zero > /tmp/big; echo $?; wc -c < /tmp/big; rm /tmp/big; \
         cd /tmp; touch $(seq 4000) 2>/dev/null; ls /tmp | wc -l",
    )
    .await;
    assert!(said.contains("No space left on device"), "{said}");
    let numbers: Vec<u64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert!(matches!(numbers[..], [1, size, files] if size == 8 << 20 && files < 2100), "{said}");
}

#[tokio::test]
async fn only_the_standard_streams_are_open() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let said = shell(&launcher, &code, "ls -l /proc/$$/fd").await;
    let streams: Vec<&str> = said.lines().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(streams.len(), 3, "{said}");
    assert!(streams[0].ends_with(" 0 -> /dev/null"), "{said}");
    assert!(streams[1].contains(" 1 -> pipe:") && streams[2].contains(" 2 -> pipe:"), "{said}");
}

#[tokio::test]
async fn host_paths_are_shown_at_their_place() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    // Not under /tmp, which is the guest's own.
    let Ok(folder) = tempfile::Builder::new().prefix("sandbox-test-").tempdir_in("/var") else {
        return skip("/var cannot be written");
    };
    crate::support::open_to_all(folder.path());
    std::fs::create_dir_all(folder.path().join("deep/er")).unwrap();
    std::fs::write(folder.path().join("deep/er/file"), "shown\n").unwrap();
    std::fs::write(folder.path().join("hidden"), "hidden\n").unwrap();
    std::os::unix::fs::symlink("deep", folder.path().join("link")).unwrap();
    let shown = folder.path().join("deep/er");
    let mut spec = code.shell(&format!(
        "cat {0}/file; ls -A {1}; cat {1}/hidden",
        shown.display(),
        folder.path().display()
    ));
    spec.host_read_only.push(shown.clone());
    let (said, exit) = run(&launcher, spec).await;
    assert!(said.starts_with("shown\ndeep\n") && exit.code == Some(1), "{said}");

    // A replaced folder is seen as it is now.
    std::fs::rename(&shown, folder.path().join("deep/old")).unwrap();
    std::fs::create_dir(&shown).unwrap();
    std::fs::write(shown.join("file"), "new\n").unwrap();
    let mut spec = code.shell(&format!("cat {}/file", shown.display()));
    spec.host_read_only.push(shown);
    assert_eq!(run(&launcher, spec).await.0, "new\n");
}
