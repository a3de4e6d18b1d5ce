//! The SCIM endpoint: the table of its routes.

mod bulk;
mod discovery;
mod etag;
mod handlers;
mod kinds;
mod pages;
mod render;
mod root;

use actix_web::web::{self, ServiceConfig, get, head, post};
use actix_web::{HttpResponse, Route};

use crate::BASE_PATH;
use crate::authentication::Authenticated;
use crate::body::BodyLimit;
use crate::error::ApiError;
pub(crate) use bulk::turns::Turns;
use kinds::{Groups, Kind, Users};

/// Every path of SCIM, with its methods.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope(BASE_PATH)
        .configure(resources::<Users>)
        .configure(resources::<Groups>)
        .configure(discovered)
        .service(web::resource("/Me").to(me))
        .service(
            web::resource("/Bulk")
                .app_data(BodyLimit::bulk())
                .route(post().to(bulk::bulk))
                .default_service(only("POST")),
        )
        .service(
            web::resource("/.search").route(post().to(root::search)).default_service(only("POST")),
        )
        .service(
            web::resource("")
                .route(get().to(root::list))
                .route(head().to(root::list))
                .default_service(only("GET, HEAD")),
        )
        .default_service(web::to(no_such_path));
    config.service(scope);
}

fn resources<K: Kind>(config: &mut ServiceConfig) {
    let endpoint = K::resource_type().endpoint;
    config
        .service(
            web::resource(endpoint)
                .route(get().to(handlers::list::<K>))
                .route(head().to(handlers::list::<K>))
                .route(post().to(handlers::create::<K>))
                .default_service(only("GET, HEAD, POST")),
        )
        .service(
            web::resource(format!("{endpoint}/.search"))
                .route(post().to(handlers::search::<K>))
                .default_service(only("POST")),
        )
        .service(
            web::resource(format!("{endpoint}/{{id}}"))
                .route(get().to(handlers::read::<K>))
                .route(head().to(handlers::read::<K>))
                .route(web::put().to(handlers::replace::<K>))
                .route(web::patch().to(handlers::patch::<K>))
                .route(web::delete().to(handlers::delete::<K>))
                .default_service(only("GET, HEAD, PUT, PATCH, DELETE")),
        );
}

fn discovered(config: &mut ServiceConfig) {
    let mut add = |path: &str, route: fn(Route) -> Route| {
        let resource = web::resource(path).route(route(get())).route(route(head()));
        config.service(resource.default_service(web::to(not_discovery)));
    };
    add("/ServiceProviderConfig", |route| route.to(discovery::service_provider_config));
    add("/ResourceTypes", |route| route.to(discovery::resource_types));
    add("/ResourceTypes/{id}", |route| route.to(discovery::resource_type));
    add("/Schemas", |route| route.to(discovery::schemas));
    add("/Schemas/{urn}", |route| route.to(discovery::schema));
}

/// Refuses the methods that a path does not have, to callers that are known.
fn only(allowed: &'static str) -> Route {
    web::to(move |_: Authenticated| async move {
        Err::<HttpResponse, ApiError>(ApiError::MethodNotAllowed(allowed))
    })
}

/// Refuses to change what the service provider says of itself, which anyone may read.
async fn not_discovery() -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed("GET, HEAD"))
}

async fn me(_: Authenticated) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotImplemented("/Me"))
}

async fn no_such_path(_: Authenticated) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NoSuchPath)
}
