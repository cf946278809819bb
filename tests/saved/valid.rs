//! Judges a document by a JSON Schema. A keyword that it does not know fails, so that nothing is passed over.

use std::collections::BTreeSet;

use serde_json::Value;

/// Why a document is not as its schema says. None where it is.
pub fn invalid(document: &Value, schema: &Value) -> Option<String> {
    judge(document, schema, schema, "").err()
}

fn judge(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let keywords = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(keywords) => keywords,
        other => return Err(format!("{at}: no schema: {other}")),
    };
    let fail = |why: String| Err(format!("{at}: {why}: {value:.120}"));
    let one = |of: &Value| of.as_array().is_some_and(|all| all.contains(value));
    for (keyword, of) in keywords {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => {}
            "$ref" => {
                let pointer = of.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).expect(pointer);
                judge(value, target, root, at)?;
            }
            "type" => {
                let words: Vec<&str> = match of {
                    Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
                    word => word.as_str().into_iter().collect(),
                };
                if !words.iter().any(|word| is(value, word)) {
                    return fail(format!("not of type {of}"));
                }
            }
            "const" if of != value => return fail(format!("not {of}")),
            "enum" if !one(of) => return fail(format!("none of {of}")),
            "const" | "enum" => {}
            "minimum" if value.is_number() && value.as_f64() < of.as_f64() => {
                return fail(format!("below {of}"));
            }
            "maximum" if value.is_number() && value.as_f64() > of.as_f64() => {
                return fail(format!("above {of}"));
            }
            "minimum" | "maximum" | "uniqueItems" => {}
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    judge(item, of, root, &format!("{at}/{number}"))?;
                }
            }
            "anyOf" | "oneOf" => {
                let verdicts: Vec<_> = of
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|schema| judge(value, schema, root, at))
                    .collect();
                let good = verdicts.iter().filter(|one| one.is_ok()).count();
                if good == 0 || (keyword == "oneOf" && good > 1) {
                    let why: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
                    return fail(format!("{good} of {keyword} hold: {}", why.join("; ")));
                }
            }
            "required" => {
                for name in of.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if value.as_object().is_some_and(|one| !one.contains_key(name)) {
                        return fail(format!("`{name}` is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in of.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        judge(inner, schema, root, &format!("{at}/{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                let known: BTreeSet<&String> = keywords
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(|all| all.keys())
                    .collect();
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if known.contains(name) {
                        continue;
                    }
                    if *of == Value::Bool(false) {
                        return fail(format!("`{name}` is not known"));
                    }
                    judge(inner, of, root, &format!("{at}/{name}"))?;
                }
            }
            other => panic!("{at}: what is `{other}`?"),
        }
    }
    Ok(())
}

fn is(value: &Value, word: &str) -> bool {
    match word {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("what is a {other}?"),
    }
}
