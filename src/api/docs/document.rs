//! What the document says besides its operations.

use utoipa::PartialSchema as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, Ref, ServerBuilder,
};

use super::answers::schemas;
use super::tags;

/// How an owner shows the secret of a subscription.
pub(in crate::api) const OWNER: &str = "subscription_secret";

/// How an operator shows the service's token.
pub(in crate::api) const OPERATOR: &str = "admin_token";

/// How a client shows a token that the operator handed out.
pub(in crate::api) const API_TOKEN: &str = "api_token";

const DESCRIPTION: &str = "\
The killmail service that EVE Online tool makers run themselves: it follows zKillboard, stores every killmail \
durably with all its names, and hands it out.

* Reading needs no key. A webhook subscription is run by whoever holds its secret, and what costs much by the \
operator, who shows `WK_ADMIN_TOKEN`.
* The cursor (`after`, `Last-Event-ID`, `event_id`) is a number in one ordered log. Keep the last one you have \
seen and come back with it: nothing is lost and nothing comes twice.
* Lists in a query are comma lists (`systems=30000142,30002187`). Repeated (`systems=…&systems=…`) and bracketed \
(`systems[]=…`) names work as well, and each list also goes by its singular and its id names (`system_id`, \
`system_ids`).
* A parameter that is not documented is refused (400 `unknown_parameter`), except by the interfaces of \
WandererKills and zKillboard, which pass over it.
* Errors are problem documents after RFC 9457 with a stable `code`; the interfaces of others keep the bodies that \
their clients know. A path that nobody answers is 404 with `{\"error\":\"Not Found\",\"status\":\"404\"}`, a \
method that a path does not take is 405 with `Allow` (404 below `/api/v1`).
* Answers have `x-request-id`; a request may bring its own. Every `GET` also takes `HEAD`. Browsers of any site may read.
* 429 says that an address asks more often than it may, and `Retry-After` when it may again.
* 503 says that the service can't work on the request now, and `Retry-After` when to come again.";

/// The whole document: `paths` with what holds for all of them.
pub(super) fn finished(mut paths: OpenApi) -> OpenApi {
    paths.info = InfoBuilder::new()
        .title("wanderer-kills")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT")
                .identifier(Some("MIT"))
                .build(),
        ))
        .build();
    paths.servers = Some(vec![
        ServerBuilder::new()
            .url("/")
            .description(Some("Where this document comes from"))
            .build(),
    ]);
    paths.tags = Some(
        tags::ALL
            .iter()
            .map(|(name, description)| {
                TagBuilder::new()
                    .name(*name)
                    .description(Some(*description))
                    .build()
            })
            .collect(),
    );
    let mut components = paths
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    components.schemas.extend(schemas());
    components
        .security_schemes
        .insert(OWNER.to_owned(), owner().into());
    components
        .security_schemes
        .insert(OPERATOR.to_owned(), operator().into());
    components
        .security_schemes
        .insert(API_TOKEN.to_owned(), api_token().into());
    paths.components = Some(components);
    limited(&mut paths);
    paths
}

/// What operators look at is not limited; neither is a path that answers 429 for reasons of its own.
fn limited(paths: &mut OpenApi) {
    for (path, item) in &mut paths.paths.paths {
        let methods = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in methods.into_iter().flatten() {
            let tags = operation.tags.iter().flatten();
            if !tags.into_iter().any(|tag| tag == tags::OPERATION) || path.starts_with("/api/v1") {
                let responses = &mut operation.responses.responses;
                responses
                    .entry("429".to_owned())
                    .or_insert_with(|| too_often(path).into());
            }
        }
    }
}

fn too_often(path: &str) -> Response {
    let (media_type, schema) = if path.starts_with("/api/v1") {
        ("application/json", "PlainError")
    } else {
        ("application/problem+json", "Problem")
    };
    let retry_after = HeaderBuilder::new()
        .schema(Some(u16::schema()))
        .description(Some("Seconds until the next request is taken."))
        .build();
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new()
        .description("`too_often`: the address asks more often than it may.")
        .header("Retry-After", retry_after)
        .content(media_type, content)
        .build()
}

fn api_token() -> SecurityScheme {
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("wk_…")
            .description(Some(
                "A token that the operator made, where the service asks for one (`WK_API_TOKENS`).",
            ))
            .build(),
    )
}

fn owner() -> SecurityScheme {
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("whsec_…")
            .description(Some(
                "The subscription's secret, as it was shown once when the subscription was made.",
            ))
            .build(),
    )
}

fn operator() -> SecurityScheme {
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The service's `WK_ADMIN_TOKEN`."))
            .build(),
    )
}
