//! The route of an address as one line of JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::route::OriginOf;
use super::route_live::AgreementView;
use super::schema::written;
use crate::mail::table::AnswerPlace;
use crate::mail::{Arrival, Hit, Hop, HopRoute, LiveTrace, MailTrace, Reply};

/// Where a message enters.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntryPoint {
    /// The host that takes it over SMTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The host where sendmail(1) takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit: Option<String>,
    /// The address of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// A line that `trace` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder trace")]
pub(super) struct TraceView<'a> {
    /// The address.
    address: &'a str,
    entry: &'a EntryPoint,
    /// What the first host answers to it over SMTP. Null where it answers nothing, or the mail is submitted there.
    reply: Option<&'a Reply>,
    /// The worst of the ends: `loop`, `bounced`, `deferred`, `discarded`, `refused` or `delivered`; or `not modelled`.
    verdict: &'static str,
    ends: Vec<EndView<'a>>,
    hops: Vec<HopView<'a>>,
    /// What the model cannot tell, and where.
    not_modelled: Vec<NotModelledView<'a>>,
    /// With `--live`: what each host on the way answered to the same lookups.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Vec<AgreementView<'a>>>,
    /// With `--live`: the route by the main.cf, master.cf and files that the hosts have, if it ends in another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_route: Option<LiveRouteView<'a>>,
}

/// A route by what the hosts have.
#[derive(Serialize, JsonSchema)]
struct LiveRouteView<'a> {
    reply: Option<&'a Reply>,
    verdict: &'static str,
    ends: Vec<EndView<'a>>,
    hops: Vec<HopView<'a>>,
    not_modelled: Vec<NotModelledView<'a>>,
}

/// Where the mail ends.
#[derive(Serialize, JsonSchema)]
struct EndView<'a> {
    host: &'a str,
    recipient: &'a str,
    action: &'static str,
    via: &'a str,
    reason: &'a str,
}

/// A host on the way.
#[derive(Serialize, JsonSchema)]
struct HopView<'a> {
    host: &'a str,
    from: Option<&'a str>,
    recipient: &'a str,
    reply: Option<&'a Reply>,
    checked: Option<SourceView<'a>>,
    rewriting: Vec<SourceView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyView<'a>>,
    routes: Vec<RouteView<'a>>,
}

/// A copy that a host adds (bcc).
#[derive(Serialize, JsonSchema)]
struct CopyView<'a> {
    recipient: Option<&'a str>,
    parameter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<SourceView<'a>>,
}

/// Where a host sends a recipient.
#[derive(Serialize, JsonSchema)]
struct RouteView<'a> {
    recipient: &'a str,
    class: &'static str,
    via: &'a str,
    decided: Option<SourceView<'a>>,
    parameters: &'a [&'static str],
}

/// What decided: a parameter, the table that answered, its key and value, and where they come from.
#[derive(Serialize, JsonSchema)]
struct SourceView<'a> {
    parameter: &'a str,
    table: &'a str,
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
}

/// What the model cannot tell.
#[derive(Serialize, JsonSchema)]
struct NotModelledView<'a> {
    host: &'a str,
    what: &'a str,
}

/// The JSON Schema of [`value`] (`murder schema trace`).
#[must_use]
pub fn trace_schema() -> serde_json::Value {
    written::<TraceView<'_>>()
}

/// The route of an address as JSON, with what hosts have for it, if they were asked.
///
/// # Errors
/// If it cannot be serialised.
pub fn value(
    trace: &MailTrace,
    entry: &EntryPoint,
    origin: OriginOf<'_>,
    live: Option<&LiveTrace>,
) -> Result<serde_json::Value, serde_json::Error> {
    let other = live.and_then(|live| live.route.as_ref());
    let view = TraceView {
        address: &trace.address,
        entry,
        reply: trace.reply.as_ref(),
        verdict: trace.verdict().word(),
        ends: ends(trace),
        hops: hops(trace, origin),
        not_modelled: not_modelled(trace),
        live: live.map(|live| live.agreements.iter().map(AgreementView::of).collect()),
        live_route: other.map(|route| LiveRouteView {
            reply: route.reply.as_ref(),
            verdict: route.verdict().word(),
            ends: ends(route),
            // The lines of the manifest behind it are those of the other route.
            hops: hops(route, &|_, _| None),
            not_modelled: not_modelled(route),
        }),
    };
    serde_json::to_value(&view)
}

fn ends(trace: &MailTrace) -> Vec<EndView<'_>> {
    let ends = trace.ends.iter().map(|end| EndView {
        host: &end.host,
        recipient: &end.recipient,
        action: end.action.word(),
        via: &end.via,
        reason: &end.reason,
    });
    ends.collect()
}

fn hops<'a>(trace: &'a MailTrace, origin: OriginOf<'_>) -> Vec<HopView<'a>> {
    let hops = trace.hops.iter().map(|hop| hop_view(hop, origin));
    hops.collect()
}

fn not_modelled(trace: &MailTrace) -> Vec<NotModelledView<'_>> {
    let all = trace.not_modelled.iter();
    all.map(|(host, what)| NotModelledView { host, what })
        .collect()
}

fn hop_view<'a>(hop: &'a Hop, origin: OriginOf<'_>) -> HopView<'a> {
    HopView {
        host: &hop.host,
        from: match &hop.arrival {
            Arrival::Smtp(from) => Some(from),
            Arrival::Submitted => None,
        },
        recipient: &hop.recipient,
        reply: hop.reply.as_ref().map(|(reply, _)| reply),
        checked: hop
            .reply
            .as_ref()
            .and_then(|(_, hit)| Some(source(&hop.host, hit.as_ref()?, origin))),
        rewriting: hop
            .rewriting
            .iter()
            .map(|hit| source(&hop.host, hit, origin))
            .collect(),
        copies: hop
            .copies
            .iter()
            .map(|copy| CopyView {
                recipient: copy.recipient.as_deref(),
                parameter: copy.parameter,
                decided: copy.hit.as_ref().map(|hit| source(&hop.host, hit, origin)),
            })
            .collect(),
        routes: hop
            .routes
            .iter()
            .map(|route| route_view(&hop.host, route, origin))
            .collect(),
    }
}

fn route_view<'a>(host: &str, route: &'a HopRoute, origin: OriginOf<'_>) -> RouteView<'a> {
    RouteView {
        recipient: &route.recipient,
        class: route.class_name(),
        via: &route.via,
        decided: route.hit.as_ref().map(|hit| source(host, hit, origin)),
        parameters: &route.parameters,
    }
}

fn source<'a>(host: &str, hit: &'a Hit, origin: OriginOf<'_>) -> SourceView<'a> {
    let (file, line, entry) = match &hit.answer.place {
        AnswerPlace::Line(file, line) => (Some(file.as_str()), Some(*line), None),
        AnswerPlace::Entry(file, entry) => (Some(file.as_str()), None, Some(entry.as_str())),
        AnswerPlace::Name => (None, None, None),
    };
    SourceView {
        parameter: &hit.parameter,
        table: &hit.table,
        key: &hit.key,
        value: &hit.answer.value,
        file,
        line,
        entry,
        manifest: origin(host, file.unwrap_or(&hit.parameter)),
    }
}
