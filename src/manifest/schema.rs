//! The grammar as JSON Schema (2020-12), for editors (yaml-language-server).

use serde_json::{Map, Value, json};

use crate::manifest::grammar;
use crate::manifest::shape::{DefaultValue, Record, Shape};

/// The JSON Schema of a manifest, and of each file that is a part of one.
///
/// An editor sees one file at a time: a file of a folder, or an overlay, lacks keys that another
/// file gives. So no top-level key is required here, and `remove` is allowed; `murder check` sees
/// all files together and says what is missing.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut root = record_schema(&grammar::MANIFEST, &mut definitions);
    root["properties"]["remove"] = json!({
        "description": "Keys that an overlay takes away, as in `hosts.old.example.org`; in overlays only.",
        "type": "array",
        "items": { "type": "string" },
    });
    if let Some(root) = root.as_object_mut() {
        root.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        root.insert("title".to_owned(), json!("murder manifest"));
        root.remove("required");
        root.insert("$defs".to_owned(), Value::Object(definitions));
    }
    root
}

fn record_schema(record: &Record, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in record.fields {
        let mut value = shape_schema(&field.shape, definitions);
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), json!(field.description()));
            if let Some(default) = &field.default {
                value.insert("default".to_owned(), default_value(default));
            }
        }
        properties.insert(field.key.to_owned(), value);
    }
    let required: Vec<&str> = record
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.key)
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if let Some((rule, shape)) = record.others {
        schema["propertyNames"] = json!({ "title": rule.what });
        schema["additionalProperties"] = shape_schema(shape, definitions);
    }
    if record.extensions {
        schema["patternProperties"] = json!({
            "^x-": { "description": "Passed over: a place for anchors." }
        });
    }
    schema
}

fn default_value(default: &DefaultValue) -> Value {
    match default {
        DefaultValue::Number(number) => json!(number),
        DefaultValue::Switch(truth) => json!(truth),
        DefaultValue::Text(_) | DefaultValue::Seconds(_) | DefaultValue::Mode(_) => {
            json!(default.to_string())
        }
    }
}

fn shape_schema(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        // A number or a truth value is taken as it was written.
        Shape::Text(rule) => json!({
            "type": ["string", "number", "boolean"],
            "title": rule.what,
        }),
        Shape::Block => json!({ "type": "string" }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Switch => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": "^(0|[1-9][0-9]*)(ms|s|m|h)$" }),
        Shape::OneOf(words) => {
            let all: Vec<Value> = words
                .iter()
                .map(|(word, doc)| json!({ "const": word, "description": doc }))
                .collect();
            json!({ "oneOf": all })
        }
        Shape::Secret => {
            let mut source = reference(&grammar::SECRET, definitions);
            source["minProperties"] = json!(1);
            source["maxProperties"] = json!(1);
            json!({ "anyOf": [source, { "type": ["string", "number", "boolean"], "title": "the secret itself: works, with a warning" }] })
        }
        Shape::List(shape) => {
            json!({ "type": "array", "items": shape_schema(shape, definitions) })
        }
        Shape::Map(rule, shape) => json!({
            "type": "object",
            "propertyNames": { "title": rule.what },
            "additionalProperties": shape_schema(shape, definitions),
        }),
        Shape::Record(record) => reference(record, definitions),
        Shape::Nullable(meaning, shape) => {
            let mut nothing = json!({ "type": "null" });
            if !meaning.is_empty() {
                nothing["description"] = json!(meaning);
            }
            json!({ "anyOf": [shape_schema(shape, definitions), nothing] })
        }
        Shape::Either(shapes) => {
            let all: Vec<Value> = shapes
                .iter()
                .map(|shape| shape_schema(shape, definitions))
                .collect();
            json!({ "anyOf": all })
        }
        Shape::Any => json!({}),
    }
}

/// A reference to a record, which is defined once.
fn reference(record: &Record, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(record.name) {
        // Held open while the record itself is built.
        definitions.insert(record.name.to_owned(), Value::Null);
        let schema = record_schema(record, definitions);
        definitions.insert(record.name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/$defs/{}", record.name) })
}
