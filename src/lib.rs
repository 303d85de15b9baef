pub mod engine;
pub mod text;
