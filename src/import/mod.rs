//! From hosts that run to a manifest that describes them, so that the next plan is empty.
//!
//! [`look`] reads hosts, [`assembly`] decides, and [`write`] puts the manifest into a new folder. Everything between them is
//! pure: the same hosts give the same manifest.

pub mod advice;
pub mod assembly;
pub mod compiled;
pub mod connection;
pub mod differences;
pub mod draft;
pub mod evidence;
pub mod infer;
pub mod layers;
pub mod look;
pub mod outcome;
pub mod own_files;
pub mod proof;
pub mod seen;
pub mod targets;
pub mod variables;
pub mod word;
pub mod write;
pub mod wrong_words;
pub mod yaml;
