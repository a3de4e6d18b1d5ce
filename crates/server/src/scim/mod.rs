//! The SCIM endpoint: the table of its routes.

mod bulk;
mod discovery;
mod etag;
mod handlers;
mod kinds;
mod pages;
mod places;
mod render;
mod root;
mod stream;

use actix_web::web::{self, ServiceConfig, get, head, post};
use actix_web::{HttpResponse, Resource, Route as Handler};

use crate::BASE_PATH;
use crate::authentication::Authenticated;
use crate::body::BodyLimit;
use crate::error::ApiError;
use crate::telemetry::{Route, Routed};
pub(crate) use bulk::turns::Turns;
pub(crate) use etag::precondition;
pub(crate) use handlers::{View, context, identifier, parameters};
use kinds::{ForKind, with_kind};
pub(crate) use kinds::{Groups, Kind, Of, Users};
pub(crate) use places::Places;
use scim_protocol::schema::ResourceType;

/// Every path of SCIM, with its methods.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope(BASE_PATH)
        .configure(every_resource_type)
        .configure(discovered)
        .service(at("/Me", "").to(me))
        .service(
            at("/Bulk", "")
                .app_data(BodyLimit::bulk())
                .route(post().to(bulk::bulk))
                .default_service(only("POST")),
        )
        .service(at("", "/.search").route(post().to(root::search)).default_service(only("POST")))
        .service(
            at("", "")
                .route(get().to(root::list))
                .route(head().to(root::list))
                .default_service(only("GET, HEAD")),
        )
        .default_service(web::to(no_such_path));
    config.service(scope);
}

/// What is at a path below that of SCIM, with its route.
fn at(endpoint: &'static str, rest: &'static str) -> Resource {
    let route = Route([BASE_PATH, endpoint, rest, ""]);
    web::resource(format!("{endpoint}{rest}")).app_data(Routed::new(route))
}

fn every_resource_type(config: &mut ServiceConfig) {
    struct Routes<'a>(&'a mut ServiceConfig);
    impl ForKind for Routes<'_> {
        type Output = ();
        fn with<K: Kind>(self) {
            resources::<K>(self.0);
        }
    }
    for kind in ResourceType::all() {
        with_kind(kind.name, Routes(config));
    }
}

fn resources<K: Kind>(config: &mut ServiceConfig) {
    let endpoint = K::resource_type().endpoint;
    let mut of_type =
        at(endpoint, "").route(get().to(handlers::list::<K>)).route(head().to(handlers::list::<K>));
    if K::METHODS.create {
        of_type = of_type.route(post().to(handlers::create::<K>));
    }
    let mut of_one = at(endpoint, "/{id}")
        .route(get().to(handlers::read::<K>))
        .route(head().to(handlers::read::<K>));
    if K::METHODS.change {
        of_one = of_one.route(web::put().to(handlers::replace::<K>));
        of_one = of_one.route(web::patch().to(handlers::patch::<K>));
    }
    if K::METHODS.delete {
        of_one = of_one.route(web::delete().to(handlers::delete::<K>));
    }
    config
        .service(of_type.default_service(only(K::METHODS.of_type())))
        .service(
            at(endpoint, "/.search")
                .route(post().to(handlers::search::<K>))
                .default_service(only("POST")),
        )
        .service(of_one.default_service(only(K::METHODS.of_one())));
}

fn discovered(config: &mut ServiceConfig) {
    let mut add = |path: &'static str, rest: &'static str, route: fn(Handler) -> Handler| {
        let resource = at(path, rest).route(route(get())).route(route(head()));
        config.service(resource.default_service(web::to(not_discovery)));
    };
    add("/ServiceProviderConfig", "", |route| route.to(discovery::service_provider_config));
    add("/ResourceTypes", "", |route| route.to(discovery::resource_types));
    add("/ResourceTypes", "/{id}", |route| route.to(discovery::resource_type));
    add("/Schemas", "", |route| route.to(discovery::schemas));
    add("/Schemas", "/{urn}", |route| route.to(discovery::schema));
}

/// Refuses the methods that a path does not have, to callers that are known.
pub(crate) fn only(allowed: &'static str) -> Handler {
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

/// Refuses a path that there is not, to callers that are known.
pub(crate) async fn no_such_path(_: Authenticated) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NoSuchPath)
}
