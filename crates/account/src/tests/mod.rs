//! Tests that need small chunks: see [`crate::chunk::FULL`].

mod model;
