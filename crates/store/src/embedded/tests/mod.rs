//! What can be said of the inside alone: formats come back as they went in, and no bytes make their readers fail in another way than by
//! saying so.

mod formats;
mod index;
