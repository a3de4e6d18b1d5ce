//! Laws of what is effective.
