//! Queries whose text is put together at run time.

/// Makes a fragment of a query one that a connection runs. It is known by its text: what is prepared
/// is kept for each.
macro_rules! run_by_its_text {
    ($query:ty, $conn:ty) => {
        impl diesel::query_builder::QueryId for $query {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl diesel::query_builder::Query for $query {
            type SqlType = diesel::sql_types::Untyped;
        }

        impl diesel::RunQueryDsl<$conn> for $query {}
    };
}

pub(crate) use run_by_its_text;
