//! Which promises are there, one for each kind of input? Each target is a function that panics when one is broken.
//!
//! Shared by the replay on any toolchain (`replay`) and libFuzzer (`libfuzzer`): a new target is one line here and a
//! folder of inputs. Targets of private parsers stand beside them, in `fuzz.rs`, behind the feature `fuzzing`.

mod amounts;
mod command_line;
mod images;
mod log_segments;
mod names;
mod oracle;
mod places;
mod safe_text;
mod settings;
mod store_files;
#[cfg(target_os = "linux")]
mod tar_apply;

#[cfg(target_os = "linux")]
use wharf::engine::backend::embedded::linux::{fuzz as linux, unpack::fuzz as unpack};
use wharf::{
    cli::fuzz as script,
    engine::backend::{docker::fuzz as docker, embedded::registry::fuzz as registry},
    ui::fuzz as ui,
};

/// One kind of input.
pub struct Target {
    pub name: &'static str,
    /// Panics when the input breaks a promise.
    pub check: fn(&[u8]),
    /// How much more an execution costs than a usual one.
    pub share: usize,
}

/// Name, function, share of every target.
macro_rules! every_target {
    ($then:ident) => {
        $then! {
            image_reference: names::image_reference, 1;
            digest: names::digest, 1;
            object_names: names::object_names, 1;
            hosts: names::hosts, 1;
            env_file: names::env_file, 1;
            amounts: amounts::amounts, 1;
            times: amounts::times, 1;
            ports: places::ports, 1;
            mounts: places::mounts, 1;
            platform: places::platform, 1;
            manifest: images::manifest, 1;
            image_config: images::config, 1;
            layer_path: images::layer_path, 1;
            container_record: store_files::container_record, 4;
            monitor_files: store_files::monitor_files, 1;
            changes: store_files::changes, 4;
            event_log: store_files::event_log, 4;
            log_segment: log_segments::segment, 8;
            log_lines: log_segments::lines, 8;
            settings: settings::settings, 4;
            command_line: command_line::command_line, 16;
            script_lines: script::script_lines, 16;
            safe_text: safe_text::safe_text, 1;
            challenges: registry::challenges, 1;
            location: registry::location, 1;
            registry_error: registry::error_body, 1;
            credential_file: registry::credential_file, 1;
            docker_multiplexed: docker::multiplexed, 4;
            docker_json_stream: docker::json_stream, 16;
            docker_answers: docker::answers, 1;
            docker_log_lines: docker::log_lines, 4;
            docker_refusal: docker::refusal, 1;
            key_name: ui::key_name, 1;
            keymap: ui::keymap, 16;
            theme: ui::theme, 4;
            search: ui::search, 1;
            document: ui::document, 4;
            log_view: ui::log_view, 4;
            #[cfg(target_os = "linux")]
            monitor_frames: linux::frames, 4;
            #[cfg(target_os = "linux")]
            kernel_files: linux::kernel_files, 1;
            #[cfg(target_os = "linux")]
            users: linux::users, 1;
            #[cfg(target_os = "linux")]
            tar_members: unpack::members, 4;
            #[cfg(target_os = "linux")]
            tar_places: unpack::places, 1;
            #[cfg(target_os = "linux")]
            tar_apply: tar_apply::tar_apply, 8;
        }
    };
}

macro_rules! table {
    ($($(#[$on:meta])* $name:ident: $check:expr, $share:expr;)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[
            $($(#[$on])* Target { name: stringify!($name), check: $check, share: $share },)*
        ];
        /// Names of all, those of other systems included.
        pub const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

every_target!(table);
