//! From hosts that run to a manifest that describes them, so that the next plan is empty.
//!
//! [`look`] reads hosts, [`assembly`] decides, and [`write`] puts the manifest into a new folder. Everything between them is
//! pure: the same hosts give the same manifest.

pub mod advice;
pub mod advice_row;
pub mod assembly;
pub mod compiled;
pub mod connection;
pub mod differences;
pub mod draft;
pub mod evidence;
mod faults_of_hosts;
pub mod infer;
pub mod kept;
pub mod known_faults;
pub mod layers;
mod list_edit;
pub mod look;
pub mod origins;
pub mod outcome;
pub mod own_files;
mod own_things;
pub mod places;
pub mod proof;
pub mod seen;
pub mod targets;
pub mod variables;
pub mod word;
pub mod word_things;
pub mod write;
pub mod wrong_words;
pub mod yaml;
