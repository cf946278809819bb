//! The catalogue of main.cf parameters.
