//! Textures of pictures in messages: bounded, and shared by all lists of a window.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use egui::{ColorImage, Context, Id, TextureHandle, TextureOptions};

use crate::model::export::Picture;
use crate::model::file::FileHash;
use crate::model::time::BootMs;

/// Maximum number of textures.
const MAX_TEXTURES: usize = 48;
/// Maximum number of files whose last request is remembered.
const MAX_ASKED: usize = 1_024;
/// A file is asked for again after so long, in milliseconds: what was asked may have been forgotten.
const ASK_AGAIN_MS: u64 = 10_000;

#[derive(Default)]
struct Textures {
    all: VecDeque<(FileHash, Picture, TextureHandle)>,
    asked: BTreeMap<FileHash, BootMs>,
}

type Shared = Arc<Mutex<Textures>>;

fn with<T>(ctx: &Context, act: impl FnOnce(&mut Textures) -> T) -> T {
    let shared: Shared =
        ctx.data_mut(|data| data.get_temp_mut_or_default::<Shared>(Id::unique("textures")).clone());
    let mut textures = shared.lock().unwrap_or_else(PoisonError::into_inner);
    act(&mut textures)
}

/// The texture of a picture.
pub(super) fn texture(ctx: &Context, hash: FileHash, picture: &Picture) -> TextureHandle {
    with(ctx, |textures| {
        let is_it =
            |known: &(FileHash, Picture, _)| known.0 == hash && Arc::ptr_eq(&known.1.rgba, &picture.rgba);
        if let Some(place) = textures.all.iter().position(is_it) {
            if place + 1 < textures.all.len()
                && let Some(used) = textures.all.remove(place)
            {
                textures.all.push_back(used);
            }
            if let Some((.., handle)) = textures.all.back() {
                return handle.clone();
            }
        }
        let size = [picture.width as usize, picture.height as usize];
        let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
        let handle = ctx.load_texture(hash.to_string(), image, TextureOptions::LINEAR);
        textures.all.push_back((hash, picture.clone(), handle.clone()));
        if textures.all.len() > MAX_TEXTURES {
            textures.all.pop_front();
        }
        handle
    })
}

/// Whether a file is to be asked for now: not every frame.
pub(super) fn is_due(ctx: &Context, hash: FileHash, now: BootMs) -> bool {
    with(ctx, |textures| {
        if textures.asked.get(&hash).is_some_and(|asked| now < asked.saturating_add(ASK_AGAIN_MS)) {
            return false;
        }
        if textures.asked.len() >= MAX_ASKED {
            textures.asked.clear();
        }
        textures.asked.insert(hash, now);
        true
    })
}
