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

/// The place of a field that the schema does not have, although a reader may ignore it. None where it has all.
pub fn unknown(document: &Value, schema: &Value) -> Option<String> {
    find_unknown(document, &[schema], schema, "")
}

/// `schemas` are those that say what may be at this place.
fn find_unknown(value: &Value, schemas: &[&Value], root: &Value, at: &str) -> Option<String> {
    let mut all = Vec::new();
    schemas
        .iter()
        .for_each(|schema| gather(schema, root, &mut all));
    let inner = |value: &Value, at: String, find: &dyn Fn(&Value) -> Option<Value>| {
        let found: Vec<Value> = all.iter().filter_map(|schema| find(schema)).collect();
        if found.is_empty() {
            return Some(at);
        }
        find_unknown(value, &found.iter().collect::<Vec<_>>(), root, &at)
    };
    match value {
        // A schema that does not say what is in an array or object is open.
        Value::Array(items) if all.iter().any(|schema| schema.get("items").is_some()) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(number, item)| {
                inner(item, format!("{at}/{number}"), &|schema| {
                    schema.get("items").cloned()
                })
            })
        }
        Value::Object(fields) if all.iter().any(|schema| schema.get("properties").is_some()) => {
            fields.iter().find_map(|(name, field)| {
                inner(field, format!("{at}/{name}"), &|schema| {
                    let named = schema.get("properties").and_then(|all| all.get(name));
                    let other = || {
                        schema
                            .get("additionalProperties")
                            .filter(|one| **one != Value::Bool(false))
                    };
                    named.or_else(other).cloned()
                })
            })
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            let open = all
                .iter()
                .all(|schema| schema.get("additionalProperties").is_none());
            if open {
                return None;
            }
            inner(field, format!("{at}/{name}"), &|schema| {
                schema.get("additionalProperties").cloned()
            })
        }),
        _ => None,
    }
}

/// A schema, those that it refers to, and its alternatives.
fn gather<'a>(schema: &'a Value, root: &'a Value, all: &mut Vec<&'a Value>) {
    all.push(schema);
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(pointer.trim_start_matches('#'));
        gather(target.expect(pointer), root, all);
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let some = schema.get(keyword).and_then(Value::as_array);
        some.into_iter()
            .flatten()
            .for_each(|one| gather(one, root, all));
    }
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
