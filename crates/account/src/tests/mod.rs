//! Tests that need small chunks: see [`crate::limits::CHUNK_ROWS_MAX`].

mod model;
