//! Pages of queries, by index (RFC 7644 section 3.4.2.4) or by cursor (RFC 9865), over one resource
//! type or several, one after the other.

use accounts::{Caller, Code, Page, Refusal, Tx};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::cursor::Position;
use scim_protocol::dialect::Leniencies;
use scim_protocol::error::Error;
use scim_protocol::message;
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::handlers::View;
use super::kinds::Kind;
use super::places::Place;
use crate::answer::Text;
use crate::cursor::{Asked, Cursor, Mark};
use crate::error::ApiError;
use crate::requests::Noted;
use crate::{State, answer, clock};

/// The page of a query that is wanted.
#[derive(Clone)]
pub(super) struct Wanted {
    caller: Caller,
    count: u32,
    way: Way,
}

/// How a query is paged.
#[derive(Clone)]
enum Way {
    /// From the resource with this number; `before` is where the page before it ended, if that is
    /// known.
    Index { first: u64, asked: Option<Asked>, before: Option<Place> },
    /// From where the page before ended.
    Cursor { asked: Asked, before: Option<Cursor> },
}

impl Wanted {
    /// The page that these parameters ask for; the endpoint of all types together is empty.
    ///
    /// # Errors
    /// As [`crate::cursor::CursorKey::open`].
    pub(super) fn of(
        state: &State,
        caller: Caller,
        endpoint: &str,
        parameters: &Parameters,
        query: &Query,
    ) -> Result<Self, ApiError> {
        let way = match query.start {
            // A page of several types together is made of parts of each.
            Start::Index(first) if endpoint.is_empty() => {
                Way::Index { first, asked: None, before: None }
            }
            Start::Index(first) => {
                let asked = Asked::of(endpoint, parameters, query.count);
                let now = clock::now().as_second();
                let before = state.places.before(&caller, &asked, first, now);
                Way::Index { first, asked: Some(asked), before }
            }
            Start::After(_) => {
                let asked = Asked::of(endpoint, parameters, query.count);
                let cursor = parameters.cursor.as_deref().filter(|text| !text.is_empty());
                let open = |text| state.cursor_key.open(&caller, text, &asked, clock::now());
                Way::Cursor { asked, before: cursor.map(open).transpose()? }
            }
        };
        Ok(Self { caller, count: query.count, way })
    }

    /// Nothing of the page yet.
    pub(super) fn begin(&self) -> Found<'_> {
        let after = match &self.way {
            Way::Cursor { before: Some(before), .. } => Some(&before.mark),
            _ => None,
        };
        Found {
            wanted: self,
            after,
            total: 0,
            has_next: false,
            first: None,
            last: None,
            resources: Vec::new(),
        }
    }

    /// The answer with what was found.
    ///
    /// # Errors
    /// The cursor cannot be made.
    pub(super) fn answer(&self, state: &State, ended: Ended) -> Result<HttpResponse, ApiError> {
        let Ended { total, has_next, last, resources, .. } = ended;
        let resources = resources.into_iter().collect::<serde_json::Result<Vec<_>>>();
        let resources = resources.map_err(|error| answer::unwritten(&error))?;
        let body = match &self.way {
            Way::Index { first, asked, .. } => {
                let found = u32::try_from(resources.len()).unwrap_or_default();
                if let (Some(asked), Some(mark)) = (asked, last.filter(|_| found == self.count)) {
                    let (next, now) = (first + u64::from(found), clock::now().as_second());
                    state.places.keep(&self.caller, asked, next, now, Place { mark, total });
                }
                message::list_response(total, *first, resources)
            }
            Way::Cursor { asked, before } => {
                // Counted once for all pages.
                let total = before.as_ref().map_or(total, |before| before.total);
                let next = last.filter(|_| has_next).map(|mark| {
                    let issued = clock::now().as_second();
                    let cursor = Cursor { issued, asked: *asked, total, mark };
                    state.cursor_key.seal(&self.caller, &cursor)
                });
                let next = next.transpose();
                let next = next.map_err(|_| ApiError::internal("no cursor can be made"))?;
                message::cursor_response(total, next, resources)
            }
        };
        Ok(answer::json(StatusCode::OK, &body))
    }
}

/// What is found of a page.
pub(super) struct Found<'a> {
    wanted: &'a Wanted,
    /// Where the page before ended, in a type that was not read yet.
    after: Option<&'a Mark>,
    total: u64,
    has_next: bool,
    first: Option<Uuid>,
    last: Option<Mark>,
    resources: Vec<Text>,
}

/// A page that was read to its end.
pub(super) struct Ended {
    total: u64,
    /// Whether there are more behind it; not looked for in every page by index.
    has_next: bool,
    /// Its first resource.
    first: Option<Uuid>,
    /// Its last one.
    last: Option<Mark>,
    resources: Vec<Text>,
}

impl Ended {
    /// Notes what was found for the provisioning log.
    pub(super) fn note(&self, request: &HttpRequest) {
        let only = self.first.filter(|_| self.total == 1);
        Noted::with(request, |noted| (noted.found, noted.only) = (Some(self.total), only));
    }
}

impl Found<'_> {
    pub(super) fn end(self) -> Ended {
        let Self { total, has_next, first, last, resources, .. } = self;
        Ended { total, has_next, first, last, resources }
    }

    fn left(&self) -> u32 {
        let found = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        self.wanted.count.saturating_sub(found)
    }

    fn add(&mut self, kind: &'static ResourceType, page: &Page, query: &Query) {
        self.total += page.total.unwrap_or_default();
        self.has_next |= page.has_next;
        self.first = self.first.or_else(|| page.resources.first().map(|first| first.id));
        if let Some(last) = page.resources.last() {
            let position = last.position(kind, query.sort.as_ref());
            self.last = Some(Mark::of(kind, last.id, position.key));
        }
    }
}

/// What a query asks of one resource type.
pub(super) struct Part<K> {
    query: Query,
    view: View<K>,
}

/// What a query asks of one resource type, whichever it is.
pub(super) trait AnyPart: Send {
    /// Adds what the type has of the page.
    ///
    /// # Errors
    /// As the rule; `expiredCursor` if where the page before ended is not known any more.
    fn read(&self, tx: &mut dyn Tx, found: &mut Found<'_>) -> Result<(), Refusal>;
}

impl<K: Kind> Part<K> {
    pub(super) fn new(
        request: &HttpRequest,
        state: &State,
        caller: &Caller,
        parameters: &Parameters,
        query: Query,
        leniencies: &mut Leniencies,
    ) -> Result<Self, ApiError> {
        let projection = parameters.projection(K::form(caller), leniencies)?;
        let query = Query { sort: query.sort.or_else(K::usual_order), ..query };
        Ok(Self { query, view: View::new(request, state, projection) })
    }

    /// Where the page before ended. A key that the cursor could not carry is read again, and must
    /// be the same: from another one some resources would be passed over, or sent twice.
    fn position(&self, tx: &mut dyn Tx, caller: &Caller, mark: &Mark) -> Result<Position, Refusal> {
        if let Some(position) = mark.position() {
            return Ok(position);
        }
        let kind = K::resource_type();
        let found = match K::get(tx, caller, mark.id) {
            Ok(found) => Some(found),
            Err(Refusal::Rule { code: Code::NotFound, .. }) => None,
            Err(error) => return Err(error),
        };
        let position = found.map(|found| found.position(kind, self.query.sort.as_ref()));
        let is_same = |at: &Position| Mark::of(kind, mark.id, at.key.clone()) == *mark;
        position.filter(is_same).ok_or_else(|| {
            Refusal::Protocol(Error::expired_cursor(
                "the resource with which the page before ended has changed since: begin again \
                 with the first page",
            ))
        })
    }
}

impl<K: Kind> AnyPart for Part<K> {
    fn read(&self, tx: &mut dyn Tx, found: &mut Found<'_>) -> Result<(), Refusal> {
        let (kind, caller) = (K::resource_type(), found.wanted.caller);
        let start = match (&found.wanted.way, found.after) {
            (Way::Index { first, before, .. }, _) => {
                let known = before.as_ref().map(|place| self.position(tx, &caller, &place.mark));
                match known.transpose() {
                    Ok(Some(position)) => Start::After(Some(position)),
                    // It changed meanwhile, so that the page is found by counting.
                    Ok(None) | Err(Refusal::Protocol(_)) => {
                        Start::Index(first.saturating_sub(found.total).max(1))
                    }
                    Err(error) => return Err(error),
                }
            }
            (Way::Cursor { .. }, None) => Start::After(None),
            // The pages before have all of this type.
            (Way::Cursor { .. }, Some(mark)) if mark.kind != kind.name => return Ok(()),
            (Way::Cursor { .. }, Some(mark)) => {
                Start::After(Some(self.position(tx, &caller, mark)?))
            }
        };
        found.after = None;
        let counted = match &found.wanted.way {
            Way::Index { before: Some(place), .. } if matches!(start, Start::After(_)) => {
                Some(place.total)
            }
            Way::Index { .. } => None,
            Way::Cursor { before, .. } => before.as_ref().map(|before| before.total),
        };
        let wants_total = counted.is_none();
        if found.has_next && !wants_total {
            return Ok(());
        }
        let query = Query { start, count: found.left(), wants_total, ..self.query.clone() };
        let page = K::list(tx, &caller, &query)?;
        found.add(kind, &page, &query);
        if let (Way::Index { first, .. }, Some(counted)) = (&found.wanted.way, counted) {
            // More may have come since it was counted.
            found.total = counted.max(first - 1 + page.resources.len() as u64);
        }
        let rendered = self.view.of_all(tx, &caller, page.resources)?;
        found.resources.extend(rendered.into_iter().map(|rendered| rendered.body));
        Ok(())
    }
}
