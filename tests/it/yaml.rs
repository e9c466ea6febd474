//! YAML 1.1 as PyYAML reads it: scalars of all kinds of characters, and documents.

use std::io::Write as _;
use std::process::Stdio;

use createhdds::config::{Kind, Node, yaml};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use testkit::program::command;

/// Prints what PyYAML makes of each text of a JSON list, a line each; `error` where it refuses.
const READER: &str = r#"
import datetime, json, struct, sys, yaml
def shown(value):
    if value is None: return "null"
    if isinstance(value, bool): return str(value).lower()
    if isinstance(value, int): return str(value)
    if isinstance(value, float):
        return "float " + ("nan" if value != value else struct.pack(">d", value).hex())
    if isinstance(value, str): return json.dumps(value)
    if isinstance(value, (datetime.date, datetime.datetime)): return "date"
    if isinstance(value, list): return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key) + ":" + shown(value[key]) for key in sorted(value)) + "}"
    return "other"
for text in json.load(sys.stdin):
    try:
        print(shown(yaml.safe_load(text)))
    except Exception:
        print("error")
"#;

/// What PyYAML makes of these texts.
fn by_python(texts: &[String]) -> Vec<String> {
    let mut python = command("python3");
    python
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = python
        .spawn()
        .expect("python3 is missing, see scripts/setup");
    let json = serde_json::to_string(texts).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(json.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "python3-yaml is missing, see scripts/setup: {output:?}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn shown(node: &Node) -> String {
    let list = |texts: Vec<String>| texts.join(",");
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) if number.is_nan() => "float nan".to_owned(),
        Kind::Float(number) => format!("float {:016x}", number.to_bits()),
        Kind::Date(_) => "date".to_owned(),
        Kind::String(text) => ascii(text),
        Kind::List(nodes) => format!("[{}]", list(nodes.iter().map(shown).collect())),
        Kind::Object(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            let pairs = pairs
                .into_iter()
                .map(|(key, node)| format!("{}:{}", ascii(key), shown(node)));
            format!("{{{}}}", list(pairs.collect()))
        }
    }
}

/// A string of JSON with nothing but ASCII in it, as Python writes it.
fn ascii(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    let parts = json.chars().map(|c| match c.is_ascii() && c != '\u{7f}' {
        true => c.to_string(),
        false if c == '\u{7f}' => c.to_string(),
        false => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            units.map(|unit| format!("\\u{unit:04x}")).collect()
        }
    });
    parts.collect()
}

/// Compares; what PyYAML refuses may be anything here, but `refused` has to be refused by both.
fn compare(texts: &[String]) {
    let expected = by_python(texts);
    assert_eq!(expected.len(), texts.len());
    for (text, expected) in texts.iter().zip(expected) {
        if expected == "error" || expected == "other" {
            continue;
        }
        let found = yaml::parse(text, "t").map(|document| shown(&document.root));
        assert_eq!(
            found.map_err(|error| error.to_string()),
            Ok(expected),
            "{text:?}"
        );
    }
}

#[test]
fn scalars_are_what_pyyaml_makes_of_them() {
    let mut runner = TestRunner::deterministic();
    let characters = [
        "[-+0-9._:]{1,7}",
        "[0-9][-0-9:.TZ ]{3,18}",
        "[+-]?0[xXoObB]?[0-9a-fA-F_]{1,6}",
        "[+-]?[0-9_]{1,4}[.][0-9_]{0,3}([eE][+-]?[0-9]{1,3})?",
        "[yYnNtTfFoO][eEsSoOrRuUaAlLfFnN]{0,4}",
        "[.~][infaNIF]{0,4}",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([tT ][0-9]{1,2}:[0-9]{2}:[0-9]{2}([.][0-9]*)?( ?(Z|[+-][0-9]{1,2}(:[0-9]{2})?))?)?",
    ];
    let mut texts = Vec::new();
    for pattern in characters {
        let strategy = proptest::string::string_regex(pattern).unwrap();
        for _ in 0..700 {
            let text = strategy.new_tree(&mut runner).unwrap().current();
            // That would be an object, whose keys are refused here unless they are strings.
            if !text.contains(": ") && !text.ends_with(':') {
                texts.push(format!("- {text}"));
            }
        }
    }
    compare(&texts);
}

#[test]
fn documents_are_what_pyyaml_makes_of_them() {
    let texts = [
        "",
        "a: 1\nb: [x, 'y', \"z\\n\"]\n",
        "- a\n- - b\n  - c\n-\n  d: e\n",
        "a: |\n  one\n   two\n\n  three\n\nb: x\n",
        "a: |-\n  one\nb: |+\n  two\n\nc: >\n  three\n  four\n\n  five\n",
        "a: >-\n  x\n  y\n   z\n  w\n",
        "a: |2\n   x\n  y\n",
        "a: 'it''s'\nb: \"\\u00e4\\x41\\t\"\n",
        "a: plain # comment\nb: not#comment\n",
        "a:\n  b:\n    c: [1, {d: e}, [f]]\n",
        "{a: 1, b: {c: 2}, d: []}\n",
        "base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nlist: [*b]\n",
        "a: &x one\nb: *x\n",
        "---\na: ü€😀\n...\n",
        "a: one\n  two\n\n  three\n",
        "\"quoted key\": 1\n'other': 2\n",
        "a: -1\nb: - 1\n",
        "a: [\n  1,\n  2,\n]\n",
        "a: !!str 1\nb: !!int '0x10'\nc: !!float 3\nd: !!bool 'yes'\n",
        "? a\n: b\n",
        "a: http://host/path:80\nb: a:b\nc: '#x'\n",
        "a: %x\n",
        "a: @x\n",
        "steps:\n- mkimg: \"{{ output }}\"\n  size: 4G\n- shell: |\n    echo 'a: b'\n    x\n  root-fs: /\n",
        "a: \"x\n  y\n\n  z\"\n",
        "a: 'x\n  y'\n",
        "-   a:  1\n    b:   2\n",
        "a: null\nb: ~\nc:\n",
        "a:   \n  - x\n",
        "a: b\t\nc: d\n",
        "# only a comment\n",
        "a: {x: , y: }\n",
    ];
    compare(&texts.map(str::to_owned));
}
