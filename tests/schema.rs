//! The JSON Schema of `murder schema` is one, and accepts what `murder check` accepts.
//!
//! A small reader of the keywords that our schema uses stands in for a whole validator. A keyword
//! that it does not know fails the test, so that nothing is passed over.

use std::fs;
use std::path::{Path, PathBuf};

use murder::manifest;
use serde_json::{Value, json};

/// Calls `see` with every place where a schema stands, and what stands there.
fn schemas(at: &str, schema: &Value, see: &mut dyn FnMut(&str, &Value)) {
    see(at, schema);
    let Some(keywords) = schema.as_object() else {
        return;
    };
    for (keyword, value) in keywords {
        let at = format!("{at}/{keyword}");
        match keyword.as_str() {
            "properties" | "patternProperties" | "$defs" => {
                for (key, schema) in value.as_object().unwrap() {
                    schemas(&format!("{at}/{key}"), schema, see);
                }
            }
            "anyOf" | "oneOf" => {
                let all = value.as_array().unwrap();
                assert!(!all.is_empty(), "{at}");
                for (number, schema) in all.iter().enumerate() {
                    schemas(&format!("{at}/{number}"), schema, see);
                }
            }
            "items" | "additionalProperties" | "propertyNames" => schemas(&at, value, see),
            "$schema" | "$ref" | "title" | "description" | "pattern" => {
                assert!(value.is_string(), "{at}: {value}");
            }
            "minimum" | "maximum" | "minProperties" | "maxProperties" => {
                assert!(value.is_number(), "{at}: {value}");
            }
            "required" => assert!(
                value.as_array().unwrap().iter().all(Value::is_string),
                "{at}"
            ),
            "type" => {
                let words = value.as_array().cloned().unwrap_or(vec![value.clone()]);
                assert!(words.iter().all(is_type), "{at}: {value}");
            }
            "const" | "default" => {}
            other => panic!("{at}: what is `{other}`?"),
        }
    }
}

fn is_type(word: &Value) -> bool {
    let types = [
        "null", "boolean", "object", "array", "number", "string", "integer",
    ];
    word.as_str().is_some_and(|word| types.contains(&word))
}

#[test]
fn where_a_schema_must_stand_there_is_one() {
    let schema = manifest::schema();
    let mut seen = 0;
    schemas("#", &schema, &mut |at, schema| {
        seen += 1;
        assert!(schema.is_object() || schema.is_boolean(), "{at} = {schema}");
        if let Some(target) = schema.get("$ref") {
            let target = target.as_str().unwrap().trim_start_matches('#');
            assert!(schema_at(target), "{at} leads to {target}");
        }
    });
    assert!(seen > 100, "{seen}");

    fn schema_at(pointer: &str) -> bool {
        manifest::schema()
            .pointer(pointer)
            .is_some_and(Value::is_object)
    }
}

/// Why a value does not fit; empty where it does.
fn misfits(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(keywords) = schema.as_object() else {
        let refused = *schema == Value::Bool(false);
        return refused
            .then(|| format!("{at}: nothing may stand here"))
            .into_iter()
            .collect();
    };
    let mut found = Vec::new();
    for (keyword, wanted) in keywords {
        let holds = match keyword.as_str() {
            "$ref" => {
                let target = wanted.as_str().unwrap().trim_start_matches('#');
                found.extend(misfits(root, root.pointer(target).unwrap(), value, at));
                true
            }
            "type" => match wanted.as_array() {
                Some(types) => types.iter().any(|wanted| has_type(value, wanted)),
                None => has_type(value, wanted),
            },
            "anyOf" | "oneOf" => {
                let fits = |schema: &&Value| misfits(root, schema, value, at).is_empty();
                let count = wanted.as_array().unwrap().iter().filter(fits).count();
                if keyword == "oneOf" {
                    count == 1
                } else {
                    count > 0
                }
            }
            "const" => value == wanted,
            "minimum" => value
                .as_f64()
                .is_none_or(|value| value >= wanted.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|value| value <= wanted.as_f64().unwrap()),
            "minProperties" => value
                .as_object()
                .is_none_or(|map| map.len() as u64 >= wanted.as_u64().unwrap()),
            "maxProperties" => value
                .as_object()
                .is_none_or(|map| map.len() as u64 <= wanted.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|map| {
                let keys = wanted.as_array().unwrap();
                keys.iter()
                    .all(|key| map.contains_key(key.as_str().unwrap()))
            }),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(misfits(root, wanted, item, &format!("{at}/{number}")));
                }
                true
            }
            "additionalProperties" => {
                for (key, item) in value.as_object().into_iter().flatten() {
                    let schema = match keywords.get("properties").and_then(|known| known.get(key)) {
                        Some(own) => own,
                        None if keywords.contains_key("patternProperties")
                            && key.starts_with("x-") =>
                        {
                            continue;
                        }
                        None => wanted,
                    };
                    found.extend(misfits(root, schema, item, &format!("{at}/{key}")));
                }
                true
            }
            _ => true,
        };
        if !holds {
            found.push(format!("{at} = {value}: {keyword} = {wanted}"));
        }
    }
    found
}

fn has_type(value: &Value, wanted: &Value) -> bool {
    match wanted.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("{other}"),
    }
}

fn manifests_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests_below(&path, found);
        } else if path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
        {
            found.push(path);
        }
    }
}

/// Whole manifests, files of a folder and overlays alike: an editor sees each by itself.
#[test]
fn every_good_file_fits_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = manifest::schema();
    let mut files = Vec::new();
    manifests_below(&root.join("manifests"), &mut files);
    manifests_below(&root.join("tests/cases/good"), &mut files);
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let value: Value = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let misfits = misfits(&schema, &schema, &value, "");
        assert!(misfits.is_empty(), "{}: {misfits:#?}", file.display());
    }
}

#[test]
fn what_is_wrong_does_not_fit_the_schema() {
    let schema = manifest::schema();
    for wrong in [
        json!({ "murdr": "x" }),
        json!({ "version": 2 }),
        json!({ "hosts": { "a.example.org": { "roles": "backend" } } }),
        json!({ "hosts": { "a.example.org": { "files": { "/x": 1 } } } }),
        json!({ "shared_folders": [{ "address": "a@example.org" }] }),
    ] {
        assert!(!misfits(&schema, &schema, &wrong, "").is_empty(), "{wrong}");
    }
    let overlay = json!({ "remove": ["hosts.old.example.org"], "murder": "staging" });
    assert_eq!(misfits(&schema, &schema, &overlay, ""), [""; 0]);
}

/// Calls `see` with every key of the schema that has a default: its name, its schema, its default.
fn with_default(schema: &Value, see: &mut dyn FnMut(&str, &Value, &Value)) {
    schemas("#", schema, &mut |at, schema| {
        if let Some(default) = schema.get("default") {
            see(at.rsplit('/').next().unwrap(), schema, default);
        }
    });
}

#[test]
fn every_default_is_a_value_of_its_key() {
    let root = manifest::schema();
    let mut seen = 0;
    with_default(&root, &mut |key, schema, default| {
        seen += 1;
        let misfits = misfits(&root, schema, default, key);
        assert!(misfits.is_empty(), "{misfits:#?}");
    });
    assert!(seen > 15, "{seen}");
}

#[test]
fn the_documentation_says_every_default() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(folder.join("docs/manifest.md")).unwrap();
    with_default(&manifest::schema(), &mut |key, _, default| {
        let default = default.as_str().map_or(default.to_string(), str::to_owned);
        let says = |line: &&str| {
            line.contains(&format!("`{key}`")) && line.contains(&format!("`{default}`"))
                || line.contains(&format!("`{key}: {default}`"))
        };
        assert!(
            document.lines().any(|line| says(&line)),
            "docs/manifest.md: `{key}` is `{default}` where it is not given"
        );
    });
}

#[test]
fn each_document_has_a_schema_that_refuses_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let documents = [
        "manifest",
        "plan",
        "plan-report",
        "apply",
        "drift",
        "check",
        "history",
        "history-all",
        "diff",
        "events",
        "live",
        "notification",
        "state",
        "verify",
        "trace",
        "unlock",
    ];
    for document in documents {
        let output = super::program::command(folder.path(), &["schema", document])
            .output()
            .unwrap();
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{document}"
        );
        let bad = super::saved::invalid(&json!([]), &schema);
        assert!(bad.is_some(), "{document} fits a list");
    }
}

#[test]
fn a_report_that_lacks_a_field_is_refused() {
    let host = json!({
        "verdict": "converged", "condition": "converged", "remarks": [], "stopped": false,
    });
    let empty = json!({
        "total": 1, "hosts": 0, "create": 0, "update": 0, "delete": 0, "take_over": 0, "release": 0, "finish": 0,
        "drifted": 0, "pending": 0, "orphaned": 0, "held": 0, "stopped": 0, "refused": 0, "converged": 1,
        "maintenance": 0, "unreachable": 0, "failed": 0,
    });
    let report = |host: &Value| json!({"format_version": "1.2", "murder": "m", "summary": empty, "hosts": {"a.example.org": host}});
    let schema = murder::report::json::plan_report_schema();
    assert_eq!(super::saved::invalid(&report(&host), &schema), None);
    for (key, value) in [
        ("verdict", json!("fine")),
        ("condition", Value::Null),
        ("stopped", json!("no")),
        ("remarks", json!("none")),
    ] {
        let mut wrong = host.clone();
        wrong[key] = value;
        assert!(
            super::saved::invalid(&report(&wrong), &schema).is_some(),
            "{key}"
        );
        wrong.as_object_mut().unwrap().remove(key);
        assert!(
            super::saved::invalid(&report(&wrong), &schema).is_some(),
            "without {key}"
        );
    }
}
