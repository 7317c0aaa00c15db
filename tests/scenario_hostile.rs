//! Files that are no scenarios: a clear error and exit code 104, within bounded memory and time.

#[path = "support/harness/mod.rs"]
mod harness;

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use harness::Bench;

/// Lists of lists of aliases: some hundred bytes that stand for a thousand million words.
fn bomb(first: &str, levels: usize) -> String {
    let mut text = format!("a0: &a0 {first}\n");
    for level in 1..levels {
        let before = format!("*a{}", level - 1);
        let list = [before.as_str(); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{list}]").expect("memory");
    }
    text
}

/// Maps that merge each other.
fn merging_bomb() -> String {
    let mut text = "a0: &a0 { x: 1 }\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        writeln!(
            text,
            "a{level}: &a{level} {{ k{level}: *a{before}, l{level}: *a{before} }}"
        )
        .expect("memory");
    }
    text
}

/// Runs a command with at most 512 MB of memory and 20 seconds of processor time, so that a file
/// that takes more ends the process with a signal and not with an exit code.
fn limited(bench: &Bench, command: &str, file: &Path) -> (Option<i32>, String) {
    let script = "ulimit -v 524288 && ulimit -t 20 && exec \"$0\" \"$1\" \"$2\"";
    let ended = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_fcfs-bench"), command])
        .arg(file)
        .current_dir(bench.path("."))
        .output()
        .expect("bash");
    let shown = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code(), shown)
}

#[test]
fn every_file_that_is_no_scenario_is_refused_with_its_reason() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("directory.yaml")).expect("a directory");
    let large = File::create(bench.path("large.yaml")).expect("a file");
    large.set_len(100 << 20).expect("100 MB");
    let table: [(&str, Option<Vec<u8>>, &str); 15] = [
        ("missing.yaml", None, "No such file"),
        ("directory.yaml", None, "it is a directory"),
        ("large.yaml", None, "larger than 4 MB"),
        ("empty.yaml", Some(Vec::new()), "the scenario is empty"),
        (
            "blank.yaml",
            Some(b" \n\n".to_vec()),
            "the scenario is empty",
        ),
        (
            "comment.yaml",
            Some(b"# later\n".to_vec()),
            "the scenario is empty",
        ),
        ("null.yaml", Some(b"~".to_vec()), "the scenario is empty"),
        (
            "latin.yaml",
            Some(b"name: caf\xe9\n".to_vec()),
            "byte 9 is not UTF-8",
        ),
        (
            "utf16.yaml",
            Some(b"\xff\xfen\0a\0".to_vec()),
            "byte 0 is not UTF-8",
        ),
        ("zeros.yaml", Some(vec![0; 1000]), "failed to read the YAML"),
        (
            "bomb.yaml",
            Some(bomb("[x, x, x, x]", 12).into()),
            "failed to read the YAML",
        ),
        (
            "texts.yaml",
            Some(bomb(&"x".repeat(3 << 20), 9).into()),
            "failed to read the YAML",
        ),
        (
            "merging.yaml",
            Some(merging_bomb().into()),
            "failed to read the YAML",
        ),
        (
            "deep.yaml",
            Some(b"[".repeat(100_000)),
            "failed to read the YAML",
        ),
        (
            "long.yaml",
            Some(b"- x\n".repeat(1_000_000)),
            "failed to read the YAML",
        ),
    ];
    for (name, content, reason) in table {
        if let Some(content) = content {
            bench.write(name, content);
        }
        for command in ["validate", "plan", "run"] {
            let (code, stderr) = limited(&bench, command, Path::new(name));
            assert_eq!(code, Some(104), "{command} {name}: {stderr}");
            assert!(stderr.contains(reason), "{command} {name}: {stderr}");
            assert!(stderr.contains("1 error\n"), "{command} {name}: {stderr}");
            assert!(!stderr.contains("panicked"), "{command} {name}: {stderr}");
        }
    }
    assert!(!bench.path("reports").exists(), "nothing has run");
}

#[test]
fn a_name_that_is_no_text_and_a_pipe_without_an_end_are_refused_too() {
    let bench = Bench::new();
    let odd = Path::new(std::ffi::OsStr::from_bytes(b"sc\xffnario.yaml"));
    let (code, stderr) = limited(&bench, "validate", odd);
    assert_eq!(code, Some(104), "{stderr}");
    let (code, stderr) = limited(&bench, "validate", Path::new("/dev/zero"));
    assert_eq!(code, Some(104), "{stderr}");
    assert!(stderr.contains("larger than 4 MB"), "{stderr}");
}

#[test]
fn an_empty_scenario_has_one_thing_wrong_with_it() {
    let bench = Bench::new();
    bench.write("empty.yaml", "");
    let ended = bench.run(&["validate", "empty.yaml"]).expect(104);
    assert_eq!(
        ended.stderr.matches("error: ").count(),
        1,
        "{}",
        ended.all()
    );
}
